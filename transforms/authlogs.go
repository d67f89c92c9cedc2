package transforms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/internal/maskkey"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms/authlog"
	"millrace/transforms/decode"
	"millrace/transforms/intake"
	"millrace/transforms/mask"
)

func init() {
	beam.RegisterType(reflect.TypeFor[authLogFn]())
}

// AuthLogOutputs are what one pass over the lines gives.
type AuthLogOutputs struct {
	Events, BadRows, Late, Raw beam.PCollection // of table.Rows
	Partials                   beam.PCollection // KV<table and window, encoded counts of sources>, for Rollups
	Ledger                     beam.PCollection // of []byte: ledgers in JSON
}

// AuthLogs decodes, masks and pre-aggregates blocks of lines of logs of authentication,
// PCollection<record.Block>, in one pass. Full personal data lives only inside. Blocks
// are spread over all cores.
func AuthLogs(s beam.Scope, c Common, blocks beam.PCollection) AuthLogOutputs {
	out := beam.ParDoN(s.Scope("AuthLogs"), &authLogFn{Common: c}, blocks)
	return AuthLogOutputs{Events: out[0], BadRows: out[1], Late: out[2], Raw: out[3], Partials: out[4], Ledger: out[5]}
}

type authLogFn struct {
	Common Common

	cores blockCores
}

func (fn *authLogFn) Setup(ctx context.Context) error {
	keys, err := fn.Common.keys(ctx)
	if err != nil {
		return err
	}
	var cores []blockCore
	for range runtime.GOMAXPROCS(0) {
		c, err := newAuthCore(fn.Common, keys)
		if err != nil {
			return err
		}
		cores = append(cores, c)
	}
	fn.cores.start(fn.Common.Run, cores)
	return nil
}

func (fn *authLogFn) Teardown() { fn.cores.stop() }

func (fn *authLogFn) ProcessElement(ctx context.Context, block record.Block, events, bad, late, raw func(table.Rows), partials func(string, []byte), ledgers func([]byte)) error {
	return fn.cores.process(ctx, &block, &emitters{events: events, bad: bad, late: late, raw: raw, partials: partials, ledgers: ledgers})
}

func (fn *authLogFn) FinishBundle(events, bad, late, raw func(table.Rows), partials func(string, []byte), ledgers func([]byte)) error {
	return fn.cores.finish(&emitters{events: events, bad: bad, late: late, raw: raw, partials: partials, ledgers: ledgers})
}

// authCore is what one goroutine owns.
type authCore struct {
	worker  *authlog.Worker
	intake  *intake.Intake
	sources sourceTable
	packer  packer
	live    bool
}

func newAuthCore(c Common, keys maskkey.Ring) (*authCore, error) {
	key := keys.Active()
	keep, err := keeper(c.Raw, key.ID(), key.Secret())
	if err != nil {
		return nil, err
	}
	core := &authCore{packer: packer{dir: c.Spill}, live: c.Live != nil}
	core.worker = authlog.NewWorker(mask.New(key.ID(), key.Secret(), mask.Options{}), core.sources.Add)
	core.intake = intake.New(intake.Config{From: c.From, To: c.To, Keep: keep, Open: opener(keys), TimeBound: decode.CheckArrival}, core.worker)
	return core, nil
}

func (c *authCore) close() { c.packer.close() }

func (c *authCore) process(block *record.Block) (out output) {
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
		c.takeSources(&out)
	}
	return out
}

func (c *authCore) takeLast() (out output) {
	c.take(&out)
	c.takeSources(&out)
	if c.live {
		return out // the blocks' rolls took the account
	}
	var err error
	if out.ledger, err = json.Marshal(c.intake.TakeLedger()); err != nil {
		out.err = errors.Join(out.err, fmt.Errorf("writing the ledger: %w", err))
	}
	return out
}

func (c *authCore) take(out *output) {
	out.events, out.late = c.worker.Take()
	out.bad, out.raw = c.intake.Take()
}

// takeSources gives the counts of sources, live cut as fine as they are sealed.
func (c *authCore) takeSources(out *output) {
	parts := c.sources.Parts
	if c.live {
		parts = c.sources.MinuteParts
	}
	for _, p := range parts() {
		blob, err := c.packer.pack(p.Blob)
		out.err = errors.Join(out.err, err)
		out.partials = append(out.partials, keyed{"sources/" + p.Key, blob})
	}
	c.sources.Reset()
}
