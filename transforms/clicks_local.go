package transforms

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/clickstream"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms/dedup"
)

// Where a batch runs on one machine, rows need not cross a shuffle to find their
// duplicates: they wait, as they came and a batch at a time, in a file. What crosses is
// their ids, 32 bytes each, and back come the numbers of the few rows that are duplicates.
// So rows are pre-aggregated in about the order of time, by all cores.

func init() {
	beam.RegisterType(reflect.TypeFor[localClicksFn]())
	beam.RegisterType(reflect.TypeFor[clickIDsFn]())
	beam.RegisterType(reflect.TypeFor[localClickUseFn]())
}

// UniqueClickUse is Dedup and ClickUse of what Clicks gives, with the account that Dedup
// keeps.
func UniqueClickUse(s beam.Scope, d DedupConfig, cfg ClickUseConfig, clicks ClickOutputs) (use ClickUseOutputs, accounts beam.PCollection) {
	if !cfg.Common.local() {
		d.Early = cfg.Common.Live.wants(shopOutputs...)
		unique := Dedup(s, d, clicks.Events)
		use = ClickUse(s, cfg, unique.Kept)
		if d.Early {
			use.Partials = beam.Flatten(s, use.Partials, beam.ParDo(s.Scope("Early"), &earlyUseFn{Config: cfg}, unique.Early))
		}
		return use, unique.Ledger
	}
	s = s.Scope("UniqueClickUse")
	duplicates := beam.ParDo(s, &clickIDsFn{Spill: cfg.Common.Spill, Horizon: d.Horizon}, beam.GroupByKey(s, clicks.ids))
	waiting := beam.GroupByKey(s, beam.Flatten(s, clicks.waiting, duplicates))
	out := beam.ParDoN(s, &localClickUseFn{Config: cfg}, waiting)
	return ClickUseOutputs{Events: out[0], Late: out[1], Fragments: out[2], Funnels: out[3], Steps: out[4], Partials: out[5]}, out[6]
}

// localClicksFn is clickFn whose rows wait in files: of each batch a KV of a key and its
// packed rows, and KVs of an id shard and what its ids are.
type localClicksFn struct{ Clicks clickFn }

func (fn *localClicksFn) Setup(ctx context.Context) error { return fn.Clicks.Setup(ctx) }
func (fn *localClicksFn) Teardown()                       { fn.Clicks.Teardown() }

func (fn *localClicksFn) ProcessElement(ctx context.Context, block record.Block, waiting, ids func(string, []byte), bad, raw func(table.Rows), ledgers func([]byte)) error {
	return fn.Clicks.cores.process(ctx, &block, &emitters{fragments: waiting, partials: ids, bad: bad, raw: raw, ledgers: ledgers})
}

func (fn *localClicksFn) FinishBundle(waiting, ids func(string, []byte), bad, raw func(table.Rows), ledgers func([]byte)) error {
	return fn.Clicks.cores.finish(&emitters{fragments: waiting, partials: ids, bad: bad, raw: raw, ledgers: ledgers})
}

// What is kept under the key of a batch begins with what it is.
const (
	waitingRows       = 'r' // packed rows
	waitingDuplicates = 'd' // numbers of rows, uvarints
)

// takeWaiting takes the rows as they wait.
func (c *clickCore) takeWaiting(out *output) error {
	ids, b := c.rows.IDs(), c.rows.Look()
	if b.Len() == 0 {
		return nil
	}
	defer c.rows.Drop()
	c.vault.add(out, b, c.rows.Forget)
	first := b.UUID(clickstream.EventID, 0) // no other batch has it
	key := hex.EncodeToString(first[:])
	blob, err := table.EncodeRows(table.Rows{Batch: b})
	if err == nil {
		blob, err = c.packer.pack(blob)
	}
	if err != nil {
		return err
	}
	out.fragments = []keyed{{key, append([]byte{waitingRows}, blob...)}}
	var shards [batchShards][]byte
	columns := ClickColumns()
	for row, id := range ids {
		if id == (dedup.ID{}) {
			continue
		}
		at := &shards[id.Shard(batchShards)]
		if *at == nil {
			*at = append(make([]byte, 0, len(key)+placedID*(len(ids)+len(ids)/4)/batchShards), key...)
		}
		*at = appendPlacedID(*at, uint32(row), id, columns.Order(b, row))
	}
	for shard, blob := range shards {
		if blob == nil {
			continue
		}
		packed, err := c.packer.pack(blob)
		if err != nil {
			return err
		}
		out.partials = append(out.partials, keyed{strconv.Itoa(shard), packed})
	}
	return nil
}

const (
	waitingKey = 32 // bytes of a batch's key
	placedID   = 32 // bytes of an id with its row and order
)

func appendPlacedID(b []byte, row uint32, id dedup.ID, at dedup.Order) []byte {
	b = binary.LittleEndian.AppendUint32(b, row)
	b = binary.LittleEndian.AppendUint32(b, id.Low)
	b = binary.LittleEndian.AppendUint64(b, id.High)
	b = binary.LittleEndian.AppendUint64(b, uint64(at.Time))
	return binary.LittleEndian.AppendUint64(b, at.Tie)
}

func readPlacedID(b []byte) (row uint32, id dedup.ID, at dedup.Order) {
	le := binary.LittleEndian
	return le.Uint32(b), dedup.ID{Low: le.Uint32(b[4:]), High: le.Uint64(b[8:])}, dedup.Order{Time: int64(le.Uint64(b[16:])), Tie: le.Uint64(b[24:])}
}

// clickIDsFn finds the duplicates of an id shard: KVs of a batch's key and its rows.
type clickIDsFn struct {
	Spill   string
	Horizon time.Duration
}

func (fn *clickIDsFn) ProcessElement(_ context.Context, shard string, next func(*[]byte) bool, duplicates func(string, []byte)) error {
	d, err := dedup.New(fn.Horizon)
	if err != nil {
		return err
	}
	var batches [][]byte
	for b := []byte(nil); next(&b); b = nil {
		ids, err := unpack(b)
		if err == nil && len(ids)%placedID != waitingKey%placedID {
			err = errPacked
		}
		if err != nil {
			return fmt.Errorf("duplicates of id shard %s: %w", shard, err)
		}
		batches = append(batches, ids)
		for at := waitingKey; at < len(ids); at += placedID {
			_, id, order := readPlacedID(ids[at:])
			d.Add(id, order)
		}
	}
	for _, ids := range batches {
		gone := []byte{waitingDuplicates}
		for at := waitingKey; at < len(ids); at += placedID {
			if row, id, order := readPlacedID(ids[at:]); !d.Kept(id, order) {
				gone = binary.AppendUvarint(gone, uint64(row))
			}
		}
		if len(gone) > 1 {
			duplicates(string(ids[:waitingKey]), gone)
		}
	}
	return nil
}

// waitingBatch is a batch with the numbers of its rows that are duplicates.
type waitingBatch struct {
	rows       []byte
	duplicates [][]byte
}

// localClickUseFn pre-aggregates the batches that wait, over all cores.
type localClickUseFn struct {
	Config ClickUseConfig

	cores coresOf[*waitingBatch]
}

func (fn *localClickUseFn) Setup() error {
	var cores []coreOf[*waitingBatch]
	for range runtime.GOMAXPROCS(0) {
		use, err := newClickUse(fn.Config)
		if err != nil {
			return err
		}
		cores = append(cores, &localUseCore{use: use})
	}
	fn.cores.start(fn.Config.Common.Run, cores)
	return nil
}

func (fn *localClickUseFn) Teardown() { fn.cores.stop() }

func (fn *localClickUseFn) ProcessElement(ctx context.Context, key string, next func(*[]byte) bool, events, late func(table.Rows), fragments, funnels, steps, partials func(string, []byte), ledgers func([]byte)) error {
	var w waitingBatch
	for b := []byte(nil); next(&b); b = nil {
		switch {
		case len(b) > 0 && b[0] == waitingRows && w.rows == nil:
			w.rows = b[1:]
		case len(b) > 0 && b[0] == waitingDuplicates:
			w.duplicates = append(w.duplicates, b[1:])
		default:
			return fmt.Errorf("rows of batch %s: %w", key, errPacked)
		}
	}
	return fn.cores.process(ctx, &w, &emitters{events: events, late: late, fragments: fragments, funnels: funnels, steps: steps, partials: partials, ledgers: ledgers})
}

func (fn *localClickUseFn) FinishBundle(events, late func(table.Rows), fragments, funnels, steps, partials func(string, []byte), ledgers func([]byte)) error {
	return fn.cores.finish(&emitters{events: events, late: late, fragments: fragments, funnels: funnels, steps: steps, partials: partials, ledgers: ledgers})
}

// localUseCore is what one goroutine owns.
type localUseCore struct {
	use    *clickUse
	ledger ledger.Ledger
	spent  *table.Batch // whose memory the next one takes; nil for none
	unpack unpacker
}

// localUseRows is how many rows a core pre-aggregates before what they come to goes on.
const localUseRows = 256 << 10

func (c *localUseCore) close() { c.use.packer.close() }

func (c *localUseCore) process(w *waitingBatch) (out output) {
	b, err := c.kept(w)
	if err == nil {
		err = c.use.add(b, &out)
	}
	if c.spent = b; out.events == b {
		c.spent = nil // it goes on
	}
	if err == nil && c.use.rows >= localUseRows {
		err = c.use.flush(&out)
	}
	if out.err = err; err != nil {
		out.err = fmt.Errorf("pre-aggregating rows that waited: %w", err)
	}
	return out
}

// kept are the rows of a batch that are no duplicates, and counts all of them.
func (c *localUseCore) kept(w *waitingBatch) (*table.Batch, error) {
	blob, err := c.unpack.unpack(w.rows)
	if err != nil {
		return nil, err
	}
	rows, err := table.DecodeRowsInto(c.spent, blob)
	if err != nil {
		return nil, err
	}
	b := rows.Batch
	gone := make([]bool, b.Len())
	for _, numbers := range w.duplicates {
		for len(numbers) > 0 {
			row, n := binary.Uvarint(numbers)
			if n <= 0 || row >= uint64(len(gone)) {
				return nil, errPacked
			}
			gone[row] = true
			numbers = numbers[n:]
		}
	}
	stay := make([]uint32, 0, b.Len())
	for row := range gone {
		if !gone[row] {
			stay = append(stay, uint32(row))
		}
		c.account(b, row, gone[row])
	}
	b.Keep(stay)
	return b, nil
}

func (c *localUseCore) account(b *table.Batch, row int, duplicate bool) {
	if !c.use.config.Common.within(b.DayOf(row)) {
		return
	}
	c.ledger.In++
	switch {
	case duplicate:
		c.ledger.Duplicate++
	default:
		c.ledger.Events++
		if b.Bool(clickstream.EventLate, row) {
			c.ledger.Late++
		}
	}
}

func (c *localUseCore) takeLast() (out output) {
	var err error
	out.err = c.use.flush(&out)
	if out.ledger, err = json.Marshal(c.ledger); err != nil {
		out.err = errors.Join(out.err, fmt.Errorf("writing the ledger: %w", err))
	}
	c.ledger = ledger.Ledger{}
	c.use.free() // it was the last bundle, or nearly
	c.spent, c.unpack = nil, unpacker{}
	return out
}
