package transforms

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms/accesslog"
	"millrace/transforms/mask"
	"millrace/transforms/seal"
	"millrace/transforms/sessions"
)

func init() {
	register.DoFn9x1[context.Context, record.Block, func(table.Rows), func(table.Rows), func(table.Rows), func(table.Rows),
		func(string, []byte), func(string, []byte), func([]byte), error](&accessLogFn{})
	register.Emitter1[[]byte]()
}

// AccessLogConfig configures AccessLogs.
type AccessLogConfig struct {
	Common        Common
	Sessions      sessions.Options
	ExactVisitors int
	BotsFile      string // built-in list when empty
}

// AccessLogOutputs are what one pass over the lines gives.
type AccessLogOutputs struct {
	Events, BadRows, Late, Raw beam.PCollection // of table.Rows
	Fragments                  beam.PCollection // KV<visitor shard, encoded fragments>, for Sessions
	Partials                   beam.PCollection // KV<table and window, encoded partial aggregates>, for Rollups
	Ledger                     beam.PCollection // of []byte: ledgers in JSON
}

// AccessLogs decodes, masks and pre-aggregates blocks of access-log lines,
// PCollection<record.Block>, in one pass. Full personal data lives only inside.
// Each block is spread over all cores.
func AccessLogs(s beam.Scope, cfg AccessLogConfig, blocks beam.PCollection) AccessLogOutputs {
	s = s.Scope("AccessLogs")
	out := beam.ParDoN(s, &accessLogFn{Config: cfg}, blocks)
	return AccessLogOutputs{Events: out[0], BadRows: out[1], Late: out[2], Raw: out[3], Fragments: out[4], Partials: out[5], Ledger: out[6]}
}

const (
	// visitorShards spreads visitors over keys, see Sessions.
	visitorShards = 64
	// flushRows and flushBytes bound the rows a core holds before they go on.
	flushRows  = 64 << 10
	flushBytes = 24 << 20
	// flushInput bounds how much input the aggregates of a core sum up before
	// they go on, and so their memory.
	flushInput = 64 << 20
)

type accessLogFn struct {
	Config AccessLogConfig

	cores []*core
	input int // bytes since the aggregates were last sent on
}

// core is what one goroutine owns.
type core struct {
	worker   *accesslog.Worker
	sessions *sessions.Collector
	rollups  *rollups
	tasks    chan task
	span     accesslog.Span
	err      error
}

type task struct {
	block *record.Block
	data  []byte
	base  int64
	done  *sync.WaitGroup
}

func (fn *accessLogFn) Setup(ctx context.Context) error {
	key, err := fn.Config.Common.key(ctx)
	if err != nil {
		return err
	}
	bots, err := loadBots(fn.Config.BotsFile)
	if err != nil {
		return err
	}
	for range runtime.GOMAXPROCS(0) {
		c := &core{tasks: make(chan task, 1)}
		if c.rollups, err = newRollups(fn.Config.ExactVisitors); err != nil {
			return err
		}
		if c.sessions, err = sessions.NewCollector(fn.Config.Sessions); err != nil {
			return err
		}
		keep, err := keeper(fn.Config.Common.Raw, key.ID(), key.Secret())
		if err != nil {
			return err
		}
		c.worker = accesslog.New(accesslog.Config{
			Masker: mask.New(key.ID(), key.Secret(), mask.Options{}), Bots: bots,
			From: fn.Config.Common.From, To: fn.Config.Common.To,
			Keep: keep, Count: c.rollups.add, Visit: c.visit,
		})
		fn.cores = append(fn.cores, c)
		go c.serve()
	}
	return nil
}

func (fn *accessLogFn) Teardown() {
	for _, c := range fn.cores {
		close(c.tasks)
	}
	fn.cores = nil
}

// keeper gives the raw archive's payloads.
func keeper(raw, keyID string, key [32]byte) (func(dst, line []byte, source record.Identity, position int64) ([]byte, string), error) {
	switch raw {
	case "plain":
		return func(dst, line []byte, _ record.Identity, _ int64) ([]byte, string) { return append(dst, line...), "" }, nil
	case "sealed":
		s, err := seal.New(key)
		return func(dst, line []byte, source record.Identity, position int64) ([]byte, string) {
			return s.Append(dst, line, source, position), keyID
		}, err
	}
	return nil, nil
}

func (c *core) serve() {
	for t := range c.tasks {
		c.span, c.err = c.worker.Lines(t.block, t.data, t.base)
		t.done.Done()
	}
}

func (c *core) visit(e *accesslog.Event) {
	c.sessions.Add(e.Visitor, &sessions.Event{
		Time: e.Time, Source: e.Source, Position: e.Position, Page: e.PageView, Path: e.Path,
		Campaign: accesslog.Campaign(e.Query), Bot: e.Bot,
	})
}

func (fn *accessLogFn) ProcessElement(_ context.Context, block record.Block, events, bad, late, raw func(table.Rows), fragments, partials func(string, []byte), ledgers func([]byte)) error {
	if err := fn.process(&block); err != nil {
		return fmt.Errorf("decoding %s from byte %d: %w", block.Name, block.Base, err)
	}
	for _, c := range fn.cores {
		if c.worker.Rows() >= flushRows || c.worker.Size() >= flushBytes {
			c.sendRows(events, bad, late, raw)
		}
	}
	fn.input += len(block.Data)
	if fn.input < flushInput {
		return nil
	}
	return fn.sendAggregates(fragments, partials, ledgers)
}

func (fn *accessLogFn) FinishBundle(events, bad, late, raw func(table.Rows), fragments, partials func(string, []byte), ledgers func([]byte)) error {
	for _, c := range fn.cores {
		c.sendRows(events, bad, late, raw)
	}
	return fn.sendAggregates(fragments, partials, ledgers)
}

// process spreads the lines of a block over the cores and waits for them.
func (fn *accessLogFn) process(block *record.Block) error {
	parts := accesslog.Cut(block, len(fn.cores))
	var done sync.WaitGroup
	done.Add(len(parts))
	base := block.Base
	for i, data := range parts {
		fn.cores[i].tasks <- task{block: block, data: data, base: base, done: &done}
		base += int64(len(data))
	}
	done.Wait()
	return settle(fn.cores[:len(parts)])
}

// settle files the bad records whose time only the whole block tells.
func settle(cores []*core) error {
	workers := make([]*accesslog.Worker, len(cores))
	spans := make([]accesslog.Span, len(cores))
	for i, c := range cores {
		if c.err != nil {
			return c.err
		}
		workers[i], spans[i] = c.worker, c.span
	}
	accesslog.SettleAll(workers, spans)
	return nil
}

func (c *core) sendRows(events, bad, late, raw func(table.Rows)) {
	if c.worker.Rows() == 0 {
		return
	}
	e, b, l, r := c.worker.Take()
	for _, out := range []struct {
		rows *table.Batch
		emit func(table.Rows)
	}{{e, events}, {b, bad}, {l, late}, {r, raw}} {
		if out.rows.Len() > 0 {
			out.emit(table.Rows{Batch: out.rows})
		}
	}
}

func (fn *accessLogFn) sendAggregates(fragments, partials func(string, []byte), ledgers func([]byte)) error {
	fn.input = 0
	for _, c := range fn.cores {
		for _, p := range c.sessions.Flush(visitorShards) {
			fragments(strconv.Itoa(p.Shard), pack(p.Blob))
		}
		c.rollups.send(partials)
		b, err := json.Marshal(c.worker.TakeLedger())
		if err != nil {
			return fmt.Errorf("writing the ledger: %w", err)
		}
		ledgers(b)
	}
	return nil
}
