package transforms

import (
	"context"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	rows "millrace/schemas/anomaly"
	"millrace/schemas/table"
	"millrace/transforms/alerts"
	"millrace/transforms/anomaly"
)

func init() {
	beam.RegisterType(reflect.TypeFor[seriesPartsFn]())
	beam.RegisterType(reflect.TypeFor[anomaliesFn]())
}

// AnomalySeries is one kind of series of an input.
type AnomalySeries struct {
	Name  string         // of the kind, in the column series
	Where []alerts.Match // rows that count
	By    []string       // columns; each of their values is a series of its own
	Field string         // column whose values in a window are added up
	Share []alerts.Match // if any: the value is the share of rows that match these, too
	Count bool           // a window without data is a zero
	Most  int            // series of the kind at a time; 0 is no limit
	// Opens is a column that must not be greater than OpensUpTo for a series to begin:
	// so one begins with a row that matters, and goes on with those that do not.
	Opens     string
	OpensUpTo int64
}

// AnomalyBoard is the series that come from one input, see anomaly.Board.
type AnomalyBoard struct {
	Name  string
	Input string
	Every time.Duration // length of a window: a multiple of the input's
	// Split are columns whose values make boards of their own, for inputs of many
	// sources that have nothing to do with each other.
	Split  []string
	Series []AnomalySeries
}

func (b *AnomalyBoard) kinds() (kinds []anomaly.Kind) {
	for _, s := range b.Series {
		kinds = append(kinds, anomaly.Kind{Name: s.Name, Count: s.Count, Most: s.Most})
	}
	return kinds
}

// Anomalies scores series of rows, in the global window, and gives
// PCollection<table.Rows> of anomaly.Row, all of them sealed. provisional, of a live
// run, has the same rows for sinks, if they are wanted.
func Anomalies(s beam.Scope, c Common, boards []AnomalyBoard, inputs map[string]AlertInput) (scored, provisional beam.PCollection) {
	s = s.Scope("Anomalies")
	var all []beam.PCollection
	var lags []int64
	for _, b := range boards {
		in, ok := inputs[b.Input]
		if !ok {
			panic("transforms: board " + b.Name + " reads " + b.Input + ", which is no input")
		}
		lags = append(lags, alertLag(&alerts.Rule{Every: b.Every.Milliseconds()}, in))
		all = append(all, beam.ParDo(s.Scope(b.Name), &seriesPartsFn{Board: b, Schema: in.Schema.ID()}, in.Rows))
	}
	keyed := beam.Flatten(s, all...)
	if c.Live != nil {
		return beam.ParDo2(s, newLiveAnomaliesFn(c, boards, lags), keyed)
	}
	return beam.ParDo(s, &anomaliesFn{Common: c, Boards: boards}, beam.GroupByKey(s, keyed)), beam.PCollection{}
}

// seriesPartsFn turns rows into parts of series by board.
type seriesPartsFn struct {
	Board  AnomalyBoard
	Schema string

	split   ruleReader
	series  []seriesReader
	gather  gatherer
	schemas *table.Schema
}

// seriesReader reads rows of one kind of series.
type seriesReader struct {
	ruleReader
	share *ruleReader
	opens int // column, -1 for none
}

func (fn *seriesPartsFn) Setup() error {
	schema, ok := table.Lookup(fn.Schema)
	if !ok {
		return fmt.Errorf("series of %s: unknown schema %s", fn.Board.Name, fn.Schema)
	}
	fn.schemas, fn.series = schema, nil
	read := func(name, field string, where []alerts.Match, by []string) (ruleReader, error) {
		return newRuleReader(&alerts.Rule{Name: name, Input: fn.Board.Input, Field: field, Where: where, By: by}, schema)
	}
	var err error
	if fn.split, err = read(fn.Board.Name, "", nil, fn.Board.Split); err != nil {
		return err
	}
	for _, s := range fn.Board.Series {
		r := seriesReader{opens: -1}
		if r.ruleReader, err = read(s.Name, s.Field, s.Where, s.By); err != nil {
			return err
		}
		if len(s.Share) > 0 {
			share, err := read(s.Name, "", s.Share, nil)
			if err != nil {
				return err
			}
			r.share = &share
		}
		if s.Opens != "" {
			if r.opens, ok = schema.Index(s.Opens); !ok {
				return fmt.Errorf("series %s: %s has no column %s", s.Name, fn.Board.Input, s.Opens)
			}
		}
		fn.series = append(fn.series, r)
	}
	return nil
}

func (fn *seriesPartsFn) ProcessElement(_ context.Context, in table.Rows, emit func(string, []byte)) error {
	b := in.Batch
	if b.Schema() != fn.schemas {
		return nil // of another input that comes the same way
	}
	byBoard := map[string]*[]anomaly.Part{}
	for row := range b.Len() {
		var parts *[]anomaly.Part // of the row's board
		for kind := range fn.series {
			s := &fn.series[kind]
			key, watched := s.key(b, row)
			value := cellNumber(b, s.field, row)
			if !watched || math.IsNaN(value) || math.IsInf(value, 0) {
				continue
			}
			p := anomaly.Part{Time: rowTime(b, row), Kind: kind, Key: string(key), Value: value, Opens: s.opens < 0 || b.Int(s.opens, row) <= fn.Board.Series[kind].OpensUpTo}
			if s.share != nil {
				p.Of = value
				if _, in := s.share.key(b, row); !in {
					p.Value = 0
				}
			}
			if parts == nil {
				board, _ := fn.split.key(b, row)
				if parts = byBoard[string(board)]; parts == nil {
					parts = &[]anomaly.Part{}
					byBoard[string(board)] = parts
				}
			}
			*parts = append(*parts, p)
		}
	}
	for _, board := range slices.Sorted(maps.Keys(byBoard)) {
		if err := fn.gather.add(alertKey(fn.Board.Name, board), anomaly.AppendParts(nil, *byBoard[board]), emit); err != nil {
			return err
		}
	}
	return nil
}

// FinishBundle gives what the bundle has for each shard of boards.
func (fn *seriesPartsFn) FinishBundle(emit func(string, []byte)) error { return fn.gather.flush(emit) }

// findBoard is the board of a key and the part of the key that splits it.
func findBoard(boards []AnomalyBoard, key string) (i int, split string, err error) {
	name, split, _ := strings.Cut(key, "\x00")
	if i = slices.IndexFunc(boards, func(b AnomalyBoard) bool { return b.Name == name }); i < 0 {
		return 0, "", fmt.Errorf("there are no series %q; resume with the version of the program that wrote the savepoint", name)
	}
	return i, split, nil
}

// anomaliesFn scores the series of the boards of a shard from the first window to the last.
type anomaliesFn struct {
	Common Common
	Boards []AnomalyBoard
}

func (fn *anomaliesFn) ProcessElement(_ context.Context, _ string, next func(*[]byte) bool, emit func(table.Rows)) error {
	return eachKeyOf(next, func(key string, blobs [][]byte) error {
		if err := fn.score(key, blobs, emit); err != nil {
			return fmt.Errorf("series of %q: %w", key, err)
		}
		return nil
	})
}

func (fn *anomaliesFn) score(key string, blobs [][]byte, emit func(table.Rows)) error {
	i, split, err := findBoard(fn.Boards, key)
	if err != nil {
		return err
	}
	board := &fn.Boards[i]
	var parts []anomaly.Part
	for _, b := range blobs {
		if parts, err = anomaly.DecodeParts(parts, b, len(board.Series)); err != nil {
			return err
		}
	}
	scores, _ := anomaly.NewBoard(board.Every.Milliseconds(), board.kinds()).Fold(parts, math.MaxInt64)
	for some := range slices.Chunk(scores, 1<<14) {
		b := table.NewBatch(rows.Rows)
		for k := range some {
			if fn.Common.within(table.FloorDay(some[k].Time)) {
				putScore(b, fn.Common, board, split, &some[k])
			}
		}
		if b.Len() > 0 {
			emit(table.Rows{Batch: b})
		}
	}
	return nil
}

func putScore(b *table.Batch, c Common, board *AnomalyBoard, split string, s *anomaly.Score) {
	key := s.Key
	if split != "" {
		key = strings.TrimSuffix(split+","+key, ",")
	}
	b.PutInt(rows.WindowStart, s.Time)
	b.PutString(rows.Series, board.Series[s.Kind].Name)
	b.PutString(rows.SeriesKey, key)
	b.PutInt(rows.WindowSeconds, int64(board.Every/time.Second))
	b.PutFloat(rows.Value, s.Value)
	b.PutBool(rows.Empty, s.Empty)
	b.PutString(rows.Status, s.Status.String())
	putFloat(b, rows.Score, s.Score, s.Status == anomaly.Judged)
	putFloat(b, rows.Strangeness, s.Strangeness, s.Status == anomaly.Judged)
	low := s.Low
	if series := &board.Series[s.Kind]; series.Count || len(series.Share) > 0 {
		low = max(low, 0) // there are no negative counts
	}
	putFloat(b, rows.ExpectedLow, low, s.Expected())
	putFloat(b, rows.ExpectedHigh, s.High, s.Expected())
	b.PutString(rows.Explanation, explanation(s))
	b.PutInt(rows.Version, int64(c.revision(table.FloorDay(s.Time)))<<32+1)
	b.EndRow()
}

// explanation says what the views contributed, "day 0.91, level 0.50".
func explanation(s *anomaly.Score) string {
	if s.Score == 0 {
		return ""
	}
	var views []anomaly.View
	for v := range anomaly.NumViews {
		if s.Views[v] > 0 {
			views = append(views, v)
		}
	}
	slices.SortStableFunc(views, func(x, y anomaly.View) int {
		switch {
		case s.Views[x] > s.Views[y]:
			return -1
		case s.Views[x] < s.Views[y]:
			return 1
		}
		return 0
	})
	var text []string
	for _, v := range views {
		text = append(text, v.String()+" "+strconv.FormatFloat(s.Views[v], 'f', 2, 64))
	}
	return strings.Join(text, ", ")
}
