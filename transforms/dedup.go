package transforms

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/internal/failure"
	"millrace/schemas/ledger"
	"millrace/schemas/table"
	"millrace/transforms/dedup"
)

func init() {
	beam.RegisterType(reflect.TypeFor[dedupSplitFn]())
	beam.RegisterType(reflect.TypeFor[dedupFn]())
}

// splitBytes bounds what a bundle's rows take before they go on to their shards.
const splitBytes = 24 << 20

// DedupConfig configures Dedup.
type DedupConfig struct {
	Common  Common
	Horizon time.Duration // up to dedup.MaxHorizon
	Columns dedup.Columns // of the rows
	// Before and After are how many days around those to write have rows that stay,
	// too: what follows may need them. They are not counted.
	Before, After int64
	// Early says that rows are wanted as they come, too, of a live run.
	Early bool
}

// DedupOutputs are what Dedup gives: the rows that stay, table.Rows of the group they
// came with, and accounts of all that came, as Outputs.Ledger has them. Early, where it is
// wanted, has rows when they come, of those that came in time: the first of each id as far as is known
// by then. Of each id it has at most as many as stay.
type DedupOutputs struct{ Kept, Ledger, Early beam.PCollection }

// Dedup drops rows, PCollection<table.Rows> of events in the global window, that are
// duplicates of others by the id of their producer (package dedup has the rule). In
// batch and live the same rows stay, of those that were not marked late.
//
// Live, a row waits until the watermark is past its time, rounded up as all timers
// are: nothing that follows and seals by these sees a row after its time. State is the
// rows that wait and the ids of a horizon and a quarter. In batch, rows of days that are not to be
// written only say what came before: whoever reads must give a horizon of look-back.
//
// All rows of days to be written are counted here, as Events or Duplicate, and so as
// In; whoever decoded them must not. Kept rows that are marked late count as Late.
func Dedup(s beam.Scope, cfg DedupConfig, rows beam.PCollection) DedupOutputs {
	s = s.Scope("Dedup")
	free, shards, counted := beam.ParDo3(s, &dedupSplitFn{Config: cfg}, rows)
	var kept, ledgers, early beam.PCollection
	if cfg.Common.Live != nil {
		kept, ledgers, early = beam.ParDo3(s, newLiveDedupFn(cfg), shards)
		if cfg.Early {
			early = beam.Flatten(s, free, early)
		}
	} else {
		kept, ledgers = beam.ParDo2(s, &dedupFn{Config: cfg}, beam.GroupByKey(s, shards))
	}
	return DedupOutputs{Kept: beam.Flatten(s, free, kept), Ledger: beam.Flatten(s, counted, ledgers), Early: early}
}

// dedupSplitFn sends rows to the shards of their ids, those of a bundle together, and
// lets rows without an id through.
type dedupSplitFn struct {
	Config DedupConfig

	packer packer
	shards [][]byte // by shard: rows for it, see appendRows
	size   int
}

func (fn *dedupSplitFn) Setup() { fn.packer.dir = fn.Config.Common.Spill }

func (fn *dedupSplitFn) Teardown() { fn.packer.close() }

func (fn *dedupSplitFn) StartBundle(_ func(table.Rows), _ func(string, []byte), _ func([]byte)) {
	fn.shards, fn.size = make([][]byte, fn.Config.Common.shards()), 0
}

func (fn *dedupSplitFn) ProcessElement(rows table.Rows, free func(table.Rows), shards func(string, []byte), ledgers func([]byte)) error {
	return failure.Note(fn.Config.Common.Run, fn.split(rows, free, shards, ledgers))
}

func (fn *dedupSplitFn) split(rows table.Rows, free func(table.Rows), shards func(string, []byte), ledgers func([]byte)) error {
	parts, without := fn.Config.Columns.Split(rows.Batch, len(fn.shards))
	for shard, part := range parts {
		if len(part) == 0 {
			continue
		}
		before := len(fn.shards[shard])
		var err error
		if fn.shards[shard], err = appendRows(fn.shards[shard], picked(rows, part)); err != nil {
			return err
		}
		fn.size += len(fn.shards[shard]) - before
	}
	var accounts dedupAccounts
	if stay := fn.Config.around(rows.Batch, without); len(stay) > 0 {
		if counted := fn.Config.written(rows.Batch, without); len(counted) > 0 {
			accounts.of(rows.Group).Add(fn.Config.account(rows.Batch, counted, nil))
		}
		free(picked(rows, stay))
	}
	if err := accounts.emit(fn.Config.Common.Live != nil, ledgers); err != nil || fn.size < splitBytes {
		return err
	}
	return fn.flush(shards)
}

func (fn *dedupSplitFn) FinishBundle(_ func(table.Rows), shards func(string, []byte), _ func([]byte)) error {
	return failure.Note(fn.Config.Common.Run, fn.flush(shards))
}

func (fn *dedupSplitFn) flush(shards func(string, []byte)) error {
	for shard, rows := range fn.shards {
		if len(rows) == 0 {
			continue
		}
		packed, err := fn.packer.pack(rows)
		if err != nil {
			return err
		}
		shards(strconv.Itoa(shard), packed)
		fn.shards[shard] = nil
	}
	fn.size = 0
	return nil
}

// dedupFn judges the rows of a shard when all are there.
type dedupFn struct{ Config DedupConfig }

func (fn *dedupFn) ProcessElement(_ context.Context, shard string, next func(*[]byte) bool, kept func(table.Rows), ledgers func([]byte)) error {
	if err := fn.judge(next, kept, ledgers); err != nil {
		return fmt.Errorf("duplicates of id shard %s: %w", shard, err)
	}
	return nil
}

func (fn *dedupFn) judge(next func(*[]byte) bool, kept func(table.Rows), ledgers func([]byte)) error {
	judge, err := dedup.NewJudge(fn.Config.Columns, fn.Config.Horizon, false)
	if err != nil {
		return err
	}
	var all [][]byte // packed, where there is a folder only their places
	for b := []byte(nil); next(&b); b = nil {
		all = append(all, b)
		if err := eachRows(b, func(rows table.Rows) error { judge.Note(rows.Batch); return nil }); err != nil {
			return err
		}
	}
	var accounts dedupAccounts
	for _, b := range all {
		err := eachRows(b, func(rows table.Rows) error {
			fn.Config.settle(rows, judge.Sort(rows.Batch, dedup.Ended), &accounts, kept)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return accounts.emit(false, ledgers)
}

// settle gives the rows that stay, and counts them and those that do not.
func (c *DedupConfig) settle(rows table.Rows, s dedup.Sorted, accounts *dedupAccounts, kept func(table.Rows)) {
	if stay := c.around(rows.Batch, s.Kept); len(stay) > 0 {
		kept(picked(rows, stay))
	}
	counted, gone := c.written(rows.Batch, s.Kept), c.written(rows.Batch, s.Duplicates)
	accounts.of(rows.Group).Add(c.account(rows.Batch, counted, gone))
}

// written are the rows of days that are to be written, and around those that stay.
func (c *DedupConfig) written(b *table.Batch, rows []uint32) []uint32 {
	return c.ofDays(b, rows, 0, 0)
}

func (c *DedupConfig) around(b *table.Batch, rows []uint32) []uint32 {
	return c.ofDays(b, rows, c.Before, c.After)
}

func (c *DedupConfig) ofDays(b *table.Batch, rows []uint32, before, after int64) (out []uint32) {
	for _, r := range rows {
		if c.Common.near(table.FloorDay(b.Int(c.Columns.Time, int(r))), before, after) {
			out = append(out, r)
		}
	}
	return out
}

func (c *DedupConfig) account(b *table.Batch, kept, duplicates []uint32) ledger.Ledger {
	l := ledger.Ledger{In: int64(len(kept) + len(duplicates)), Events: int64(len(kept)), Duplicate: int64(len(duplicates))}
	for _, r := range kept {
		if c.Columns.IsLate(b, int(r)) {
			l.Late++
		}
	}
	return l
}

func picked(rows table.Rows, numbers []uint32) table.Rows {
	b := table.NewBatch(rows.Batch.Schema())
	b.Gather(rows.Batch, numbers)
	return table.Rows{Batch: b, Group: rows.Group, Kind: rows.Kind}
}

// dedupAccounts are ledgers by group, in the order in which groups came.
type dedupAccounts struct {
	groups  []string
	ledgers map[string]*ledger.Ledger
}

func (a *dedupAccounts) of(group string) *ledger.Ledger {
	if a.ledgers == nil {
		a.ledgers = map[string]*ledger.Ledger{}
	}
	if a.ledgers[group] == nil {
		a.ledgers[group] = &ledger.Ledger{}
		a.groups = append(a.groups, group)
	}
	return a.ledgers[group]
}

func (a *dedupAccounts) emit(live bool, ledgers func([]byte)) error {
	for _, group := range a.groups {
		l := a.ledgers[group]
		if l.In == 0 {
			continue
		}
		var account any = l
		if live {
			account = ledger.Part{Roll: group, Ledger: *l}
		}
		b, err := json.Marshal(account)
		if err != nil {
			return fmt.Errorf("writing the ledger: %w", err)
		}
		ledgers(b)
	}
	return nil
}
