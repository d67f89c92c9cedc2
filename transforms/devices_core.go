package transforms

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"

	rows "millrace/schemas/device"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms/decode"
	"millrace/transforms/device"
	"millrace/transforms/intake"
	"millrace/transforms/normalise"
)

// deviceCore is what one goroutine owns.
type deviceCore struct {
	worker *device.Worker
	intake *intake.Intake
	vault  *vaultRows // nil without reversible tokens
	packer packer
	live   bool
	shards int // of subjects
}

func newDeviceCore(c Common, keys secrets, codes *normalise.Table) (*deviceCore, error) {
	key := keys.Active()
	keep, err := keeper(c.Raw, key.ID(), key.Secret())
	if err != nil {
		return nil, err
	}
	masker, vault, err := c.masking(keys)
	if err != nil {
		return nil, err
	}
	w := device.NewWorker(masker, c.Policy, codes)
	if !c.Makes("readings", "alerts") {
		w.NoReadings()
	}
	return &deviceCore{
		worker: w, vault: vault, packer: packer{dir: c.Spill}, live: c.Live != nil, shards: c.shards(),
		intake: intake.New(intake.Config{
			From: c.From, To: c.To, Before: 1, Keep: keep, Open: opener(keys.Ring), TimeBound: decode.CheckArrival,
		}, w),
	}, nil
}

func (c *deviceCore) close() { c.packer.close() }

func (c *deviceCore) process(block *record.Block) (out output) {
	if err := c.worker.Open(block.Format); err != nil {
		return output{err: fmt.Errorf("reading %s: %w", block.Name, err)}
	}
	if err := c.intake.Block(block); err != nil {
		return output{err: fmt.Errorf("reading %s: %w", block.Name, err)}
	}
	switch {
	case block.Roll != "":
		c.take(&out)
		out.ofRoll(block, c.intake.TakeLedger())
	case c.worker.Len()+c.intake.Rows() >= flushRows || c.worker.Size()+c.intake.Size() >= flushBytes:
		c.take(&out)
		c.takePoints(&out)
	}
	return out
}

func (c *deviceCore) takeLast() (out output) {
	c.take(&out)
	c.takePoints(&out)
	if c.live {
		return out // the blocks' rolls took the account
	}
	var err error
	if out.ledger, err = json.Marshal(c.intake.TakeLedger()); err != nil {
		out.err = errors.Join(out.err, fmt.Errorf("writing the ledger: %w", err))
	}
	return out
}

func (c *deviceCore) take(out *output) {
	out.events, out.late = c.worker.Take()
	out.bad, out.raw = c.intake.Take()
	c.vault.add(out, out.events, func() {})
}

// takePoints sends points to the shards of their subjects.
func (c *deviceCore) takePoints(out *output) {
	points := c.worker.TakePoints()
	shards := make([][]uint32, c.shards)
	codes, distinct := points.Codes(rows.PointSubject)
	shardOf := make([]uint8, distinct)
	for code := range distinct {
		h := fnv.New32a()
		h.Write(points.DictValue(rows.PointSubject, uint32(code)))
		shardOf[code] = uint8(h.Sum32() % uint32(c.shards))
	}
	for row := range points.Len() {
		shard := shardOf[codes[row]]
		shards[shard] = append(shards[shard], uint32(row))
	}
	for shard, some := range shards {
		if len(some) == 0 {
			continue
		}
		blob, err := appendRows(nil, picked(table.Rows{Batch: points}, some))
		if err == nil {
			blob, err = c.packer.pack(blob)
		}
		out.err = errors.Join(out.err, err)
		out.fragments = append(out.fragments, keyed{strconv.Itoa(shard), blob})
	}
}
