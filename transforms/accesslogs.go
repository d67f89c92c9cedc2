package transforms

import (
	"context"
	"reflect"
	"runtime"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms/funnels"
	"millrace/transforms/sessions"
)

func init() {
	beam.RegisterType(reflect.TypeFor[accessLogFn]())
	beam.RegisterType(reflect.TypeFor[funnelLogFn]())
	register.Emitter1[[]byte]()
}

// AccessLogConfig configures AccessLogs.
type AccessLogConfig struct {
	Common        Common
	Sessions      sessions.Options
	ExactPages    int // as of Rollups, like the two that follow
	ExactVisitors int
	PageSketches  bool
	Minutes       bool   // whether visitors of minutes are counted, for Rollups with Series
	BotsFile      string // built-in list when empty
	References    References
	Funnels       []funnels.Definition

	// Used with Sessions.Attribution:
	AttributionRules string   // file; built-in rules when empty
	OwnDomains       []string // of the site itself

	Security     bool   // whether sources of what looks like attacks are counted
	PatternsFile string // patterns to look for besides the built-in ones; none when empty
}

// AccessLogOutputs are what one pass over the lines gives.
type AccessLogOutputs struct {
	Events, BadRows, Late, Raw beam.PCollection // of table.Rows
	Fragments                  beam.PCollection // KV<visitor shard, encoded fragments>, for Sessions
	Partials                   beam.PCollection // KV<table and window, encoded partial aggregates>, for Rollups
	Ledger                     beam.PCollection // of []byte: ledgers in JSON
	Funnels                    beam.PCollection // KV<visitor shard, encoded fragments>, for Funnels; none without any
}

// AccessLogs decodes, masks and pre-aggregates blocks of access-log lines,
// PCollection<record.Block>, in one pass. Full personal data lives only inside.
// Blocks are spread over all cores.
func AccessLogs(s beam.Scope, cfg AccessLogConfig, blocks beam.PCollection) AccessLogOutputs {
	s = s.Scope("AccessLogs")
	fn := accessLogFn{Config: cfg, Bots: readBotList(cfg.BotsFile), Rules: readAttributionRules(cfg.AttributionRules), Patterns: readPatternList(cfg.PatternsFile), Tables: planTables(cfg)}
	var out []beam.PCollection
	if len(cfg.Funnels) > 0 {
		out = beam.ParDoN(s, &funnelLogFn{Logs: fn}, blocks)
	} else {
		out = append(beam.ParDoN(s, &fn, blocks), beam.PCollection{})
	}
	return AccessLogOutputs{Events: out[0], BadRows: out[1], Late: out[2], Raw: out[3], Fragments: out[4], Partials: out[5], Ledger: out[6], Funnels: out[7]}
}

type accessLogFn struct {
	Config   AccessLogConfig
	Bots     botList
	Rules    attributionRules
	Patterns patternList
	Tables   plannedTables

	tables *referenceTables
	cores  blockCores
}

func (fn *accessLogFn) Setup(ctx context.Context) error {
	keys, err := fn.Config.Common.secrets(ctx)
	if err != nil {
		return err
	}
	bots, err := fn.Bots.parse()
	if err != nil {
		return err
	}
	rules, err := fn.Rules.parse()
	if err != nil {
		return err
	}
	patterns, err := fn.Patterns.parse()
	if err != nil {
		return err
	}
	if fn.tables, err = fn.Tables.acquire(ctx, fn.Config); err != nil {
		return err
	}
	var cores []blockCore
	for range runtime.GOMAXPROCS(0) {
		c, err := newCore(fn.Config, keys, bots, rules, patterns, fn.tables.forWorker(bots.Version()))
		if err != nil {
			return err
		}
		cores = append(cores, c)
	}
	fn.cores.start(fn.Config.Common.Run, cores)
	return nil
}

func (fn *accessLogFn) Teardown() {
	fn.cores.stop()
	fn.tables.release()
	fn.tables = nil
}

func (fn *accessLogFn) ProcessElement(ctx context.Context, block record.Block, events, bad, late, raw func(table.Rows), fragments, partials func(string, []byte), ledgers func([]byte)) error {
	return fn.cores.process(ctx, &block, &emitters{events: events, bad: bad, late: late, raw: raw, fragments: fragments, partials: partials, ledgers: ledgers})
}

func (fn *accessLogFn) FinishBundle(events, bad, late, raw func(table.Rows), fragments, partials func(string, []byte), ledgers func([]byte)) error {
	return fn.cores.finish(&emitters{events: events, bad: bad, late: late, raw: raw, fragments: fragments, partials: partials, ledgers: ledgers})
}
