package transforms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/clickstream"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms/attribution"
	"millrace/transforms/clickevents"
	"millrace/transforms/decode"
	"millrace/transforms/dedup"
	"millrace/transforms/intake"
)

func init() {
	beam.RegisterType(reflect.TypeFor[clickFn]())
}

// ClickConfig configures Clicks.
type ClickConfig struct {
	Common  Common
	Options clickevents.Options
	// Before and After are how many days around those to write have events, too.
	Before, After int64
	// Attribution, when set, tells where visits come from.
	Attribution      bool
	AttributionRules string   // file; built-in rules when empty
	OwnDomains       []string // of the shop itself
	// Use is what becomes of the events: what it does not read is left out of them.
	Use ClickUseConfig
}

// ClickOutputs are what one pass over the lines gives: table.Rows, and ledgers in JSON
// of all but the events, which Dedup counts.
type ClickOutputs struct {
	Events, BadRows, Raw, Ledger beam.PCollection

	waiting, ids beam.PCollection // instead of Events where rows wait in files, see localClicksFn
}

// Clicks decodes and masks blocks of events of a shop, PCollection<record.Block>. Full
// personal data lives only inside. Blocks are spread over all cores. Its events go
// on to UniqueClickUse.
func Clicks(s beam.Scope, cfg ClickConfig, blocks beam.PCollection) ClickOutputs {
	s = s.Scope("Clicks")
	fn := clickFn{Config: cfg, Rules: readAttributionRules(cfg.AttributionRules)}
	if cfg.Common.local() {
		out := beam.ParDoN(s, &localClicksFn{fn}, blocks)
		return ClickOutputs{waiting: out[0], ids: out[1], BadRows: out[2], Raw: out[3], Ledger: out[4]}
	}
	out := beam.ParDoN(s, &fn, blocks)
	return ClickOutputs{Events: out[0], BadRows: out[1], Raw: out[2], Ledger: out[3]}
}

// ClickColumns are where events have what tells duplicates.
func ClickColumns() dedup.Columns {
	return dedup.Columns{
		EventID: clickstream.EventID, Time: clickstream.EventTime, ID: clickstream.EventClientEventID,
		Arrival: clickstream.EventArrivalTime, Late: clickstream.EventLate,
	}
}

type clickFn struct {
	Config ClickConfig
	Rules  attributionRules

	cores blockCores
}

func (fn *clickFn) Setup(ctx context.Context) error {
	keys, err := fn.Config.Common.secrets(ctx)
	if err != nil {
		return err
	}
	rules, err := fn.Rules.parse()
	if err != nil {
		return err
	}
	var cores []blockCore
	for range runtime.GOMAXPROCS(0) {
		c, err := newClickCore(fn.Config, keys, rules)
		if err != nil {
			return err
		}
		cores = append(cores, c)
	}
	fn.cores.start(fn.Config.Common.Run, cores)
	return nil
}

func (fn *clickFn) Teardown() { fn.cores.stop() }

func (fn *clickFn) ProcessElement(ctx context.Context, block record.Block, events, bad, raw func(table.Rows), ledgers func([]byte)) error {
	return fn.cores.process(ctx, &block, &emitters{events: events, bad: bad, raw: raw, ledgers: ledgers})
}

func (fn *clickFn) FinishBundle(events, bad, raw func(table.Rows), ledgers func([]byte)) error {
	return fn.cores.finish(&emitters{events: events, bad: bad, raw: raw, ledgers: ledgers})
}

// clickCore is what one goroutine owns.
type clickCore struct {
	intake *intake.Intake
	rows   *clickevents.Rows
	vault  *vaultRows // nil without reversible tokens
	packer packer
	live   bool
	local  bool // rows wait in files
	bundle int  // bytes since the bundle began
}

func newClickCore(cfg ClickConfig, keys secrets, rules *attribution.Rules) (*clickCore, error) {
	key := keys.Active()
	keep, err := keeper(cfg.Common.Raw, key.ID(), key.Secret())
	if err != nil {
		return nil, err
	}
	var from *attribution.Attributor
	if cfg.Attribution {
		if from, err = attribution.New(rules, cfg.OwnDomains); err != nil {
			return nil, err
		}
	}
	masker, vault, err := cfg.Common.masking(keys)
	if err != nil {
		return nil, err
	}
	rows := clickevents.NewRows(cfg.Options, masker, cfg.Common.Policy, from)
	needs, err := clickNeeds(cfg.Use)
	if err != nil {
		return nil, err
	}
	if needs.IDs = cfg.Common.local(); !needs.IDs {
		needs.Add(clickstream.EventClientEventID) // tells duplicates
	}
	rows.Need(needs)
	in := intake.New(intake.Config{
		From: cfg.Common.From, To: cfg.Common.To, Before: cfg.Before, After: cfg.After, Uncounted: true,
		Keep: keep, Open: opener(keys.Ring), TimeBound: decode.CheckArrival,
	}, rows)
	return &clickCore{
		intake: in, rows: rows, vault: vault, packer: packer{dir: cfg.Common.Spill},
		live: cfg.Common.Live != nil, local: cfg.Common.local(),
	}, nil
}

func (c *clickCore) close() { c.packer.close() }

func (c *clickCore) process(block *record.Block) output {
	if err := c.intake.Block(block); err != nil {
		return output{err: fmt.Errorf("decoding %s: %w", block.Name, err)}
	}
	c.bundle += len(block.Data)
	if block.Roll != "" {
		out := c.take()
		out.ofRoll(block, c.intake.TakeLedger())
		return out
	}
	if c.rows.Rows()+c.intake.Rows() >= flushRows || c.rows.Size()+c.intake.Size() >= flushBytes {
		return c.take()
	}
	return output{}
}

func (c *clickCore) take() (out output) {
	if c.local {
		out.err = c.takeWaiting(&out)
	} else {
		out.events = c.rows.Take()
		c.vault.add(&out, out.events, c.rows.Forget)
	}
	out.bad, out.raw = c.intake.Take()
	return out
}

func (c *clickCore) takeLast() output {
	out := c.take()
	if !c.live && c.bundle >= longBundle {
		c.rows.Forget()
		c.packer.forget()
	}
	c.bundle = 0
	if !c.live { // otherwise the blocks' rolls took it
		var err error
		out.ledger, err = json.Marshal(c.intake.TakeLedger())
		out.err = errors.Join(out.err, err)
	}
	return out
}
