package transforms

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	rows "millrace/schemas/device"
	"millrace/schemas/table"
	"millrace/transforms/monitor"
)

func init() {
	beam.RegisterType(reflect.TypeFor[deviceSeriesFn]())
}

// DeviceSeriesOutputs are collections of table.Rows. Provisional, of a live run, has the
// sealed rows for sinks, of the outputs that are wanted.
type DeviceSeriesOutputs struct{ Flags, Rollups, Health, Grid, Scores, Provisional beam.PCollection }

// DeviceSeries puts the readings of each subject in order, KV<subject shard, packed rows
// of device.Points> in the global window, and gives what package monitor makes of them,
// all of it sealed: live, when the watermark has passed its minute or hour.
func DeviceSeries(s beam.Scope, c Common, o monitor.Options, points beam.PCollection) DeviceSeriesOutputs {
	s = s.Scope("DeviceSeries")
	if c.Live != nil {
		out := beam.ParDoN(s, newLiveDeviceSeriesFn(c, o), points)
		return DeviceSeriesOutputs{Flags: out[0], Rollups: out[1], Health: out[2], Grid: out[3], Scores: out[4], Provisional: out[5]}
	}
	out := beam.ParDoN(s, &deviceSeriesFn{Common: c, Options: o}, beam.GroupByKey(s, points))
	return DeviceSeriesOutputs{Flags: out[0], Rollups: out[1], Health: out[2], Grid: out[3], Scores: out[4]}
}

// deviceSeriesFn folds the points of a shard when all are there, as many shards at a time
// as there are cores.
type deviceSeriesFn struct {
	Common  Common
	Options monitor.Options

	cores coresOf[*subjectShard]
}

// subjectShard is a shard with its packed points.
type subjectShard struct {
	name   string
	points [][]byte
}

func (fn *deviceSeriesFn) Setup() {
	var cores []coreOf[*subjectShard]
	for range runtime.GOMAXPROCS(0) {
		cores = append(cores, &deviceSeriesCore{common: fn.Common, options: fn.Options})
	}
	fn.cores.start(fn.Common.Run, cores)
}

func (fn *deviceSeriesFn) Teardown() { fn.cores.stop() }

func (fn *deviceSeriesFn) ProcessElement(ctx context.Context, shard string, next func(*[]byte) bool, flags, rollups, health, grid, scores func(table.Rows)) error {
	s := subjectShard{name: shard}
	for b := []byte(nil); next(&b); b = nil {
		s.points = append(s.points, b)
	}
	return fn.cores.process(ctx, &s, &emitters{series: func(r *deviceRows) { r.emit(flags, rollups, health, grid, scores, nil) }})
}

func (fn *deviceSeriesFn) FinishBundle(flags, rollups, health, grid, scores func(table.Rows)) error {
	return fn.cores.finish(&emitters{series: func(r *deviceRows) { r.emit(flags, rollups, health, grid, scores, nil) }})
}

// deviceSeriesCore folds one shard after the other.
type deviceSeriesCore struct {
	common  Common
	options monitor.Options
	reader  rowsReader
}

func (c *deviceSeriesCore) close() {}

func (c *deviceSeriesCore) takeLast() output {
	c.reader = rowsReader{}
	return output{}
}

func (c *deviceSeriesCore) process(s *subjectShard) output {
	var points []monitor.Point
	for i, b := range s.points {
		err := c.reader.each(b, func(r table.Rows) error {
			if points == nil { // at once for all, which are about as long: growing it would copy it, again and again
				points = make([]monitor.Point, 0, r.Batch.Len()*(len(s.points)-i)*9/8)
			}
			points = appendPoints(points, r.Batch)
			return nil
		})
		if err != nil {
			return output{err: fmt.Errorf("readings of subject shard %s: %w", s.name, err)}
		}
	}
	known := newDeviceRows(c.common)
	monitor.New(c.options).Fold(points, math.MaxInt64, known.sink())
	return output{series: known}
}

// appendPoints reads rows of device.Points.
func appendPoints(points []monitor.Point, b *table.Batch) []monitor.Point {
	abouts := map[monitor.About]*monitor.About{}
	last := &monitor.About{}
	points = slices.Grow(points, b.Len())
	text := newTexts(b)
	subjects, _ := b.Codes(rows.PointSubject)
	devices, _ := b.Codes(rows.PointDevice)
	codes, _ := b.Codes(rows.PointCode)
	keys := map[[3]uint32]*monitor.Key{} // by the codes of their texts
	for row := range b.Len() {
		about := monitor.About{
			Display: text.of(rows.PointDisplay, row), Unit: text.of(rows.PointUnit, row),
			Counter: b.Bool(rows.PointCounter, row), Patient: b.Bool(rows.PointPatient, row),
		}
		if *last != about {
			if last = abouts[about]; last == nil {
				kept := about // or each row's would be kept
				last = &kept
				abouts[about] = last
			}
		}
		coded := [3]uint32{subjects[row], devices[row], codes[row]}
		key := keys[coded]
		if key == nil {
			key = &monitor.Key{Subject: text.of(rows.PointSubject, row), Device: text.of(rows.PointDevice, row), Code: text.of(rows.PointCode, row)}
			keys[coded] = key
		}
		p := monitor.Point{
			Key: key, About: last, Time: b.Int(rows.PointTime, row), Source: text.of(rows.PointSource, row), Sequence: text.of(rows.PointSequence, row),
			Position: b.Int(rows.PointPosition, row), ID: b.UUID(rows.PointReadingID, row), Value: b.Float(rows.PointValue, row),
			Low: b.Float(rows.PointLow, row), High: b.Float(rows.PointHigh, row),
		}
		if !b.Null(rows.PointDeviceTime, row) {
			p.DeviceTime = b.Int(rows.PointDeviceTime, row)
		}
		points = append(points, p)
	}
	return points
}

// texts are the texts of a batch as strings, each made once.
type texts struct {
	batch *table.Batch
	known [][]string // by column and code
}

func newTexts(b *table.Batch) *texts { return &texts{b, make([][]string, len(b.Schema().Columns))} }

func (t *texts) of(col, row int) string {
	codes, _ := t.batch.Codes(col)
	code := codes[row]
	if table.IsNullCode(code) {
		return ""
	}
	if t.known[col] == nil {
		t.known[col] = t.batch.DictStrings(col)
	}
	return t.known[col][code]
}
