package transforms

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	rows "millrace/schemas/device"
	"millrace/schemas/table"
	"millrace/transforms/clean"
	"millrace/transforms/monitor"
	"millrace/transforms/news2"
)

// deviceRows are rows of what a monitor tells, by output and, live, by the bucket in
// which they are sealed.
type deviceRows struct {
	common  Common
	made    map[*table.Schema]map[string]*table.Batch
	minutes lastBatch
}

// lastBatch is where the row before went, mostly that of the next one.
type lastBatch struct {
	day   int64
	group string
	batch *table.Batch // nil for none
}

func newDeviceRows(c Common) *deviceRows {
	return &deviceRows{common: c, made: map[*table.Schema]map[string]*table.Batch{}}
}

// deviceOutput is the output of rows of a schema.
var deviceOutput = map[*table.Schema]string{rows.Flags: "flags", rows.Rollups: "rollups", rows.Healths: "health", rows.Grids: "grid", rows.Scores: "news2"}

// batch is where a row of a time goes that is sealed at end; nil when its day is not
// to be written.
func (r *deviceRows) batch(s *table.Schema, time, end int64) *table.Batch {
	if !r.common.within(table.FloorDay(time)) || !r.common.Makes(deviceOutput[s], "anomalies", "alerts") {
		return nil
	}
	group := ""
	if r.common.Live != nil {
		group = r.common.Live.group(end)
	}
	if r.made[s] == nil {
		r.made[s] = map[string]*table.Batch{}
	}
	if r.made[s][group] == nil {
		r.made[s][group] = table.NewBatch(s)
	}
	return r.made[s][group]
}

// ofMinute is batch for rollups, of which there are many.
func (r *deviceRows) ofMinute(start int64) *table.Batch {
	l := &r.minutes
	day, group := table.FloorDay(start), ""
	if r.common.Live != nil {
		group = r.common.Live.group(start + minuteMillis)
	}
	if l.batch == nil || l.day != day || l.group != group {
		*l = lastBatch{day, group, r.batch(rows.Rollups, start, start+minuteMillis)}
	}
	return l.batch
}

func (r *deviceRows) version(time, events int64) int64 {
	return int64(r.common.revision(table.FloorDay(time)))<<32 + events
}

const hourMillis, minuteMillis = 3_600_000, 60_000

func (r *deviceRows) sink() monitor.Sink {
	return monitor.Sink{Flag: r.flag, Minute: r.minute, Hour: r.hour, Grid: r.grid, Score: r.score}
}

func (r *deviceRows) flag(f *monitor.Flagged) {
	p, j := f.Point, f.Judged
	b := r.batch(rows.Flags, p.Time, monitor.WindowEnd(p.Time))
	if b == nil {
		return
	}
	b.PutInt(rows.FlagTime, p.Time)
	b.PutString(rows.FlagFlag, f.Flag.String())
	b.PutUUID(rows.FlagReadingID, p.ID)
	b.PutString(rows.FlagDevice, p.Key.Device)
	b.PutString(rows.FlagSubject, p.Key.Subject)
	b.PutString(rows.FlagCode, p.Key.Code)
	b.PutFloat(rows.FlagValue, p.Value)
	b.PutString(rows.FlagUnit, p.About.Unit)
	reference, duration := map[clean.Flag]float64{clean.Range: j.Limit, clean.Spike: j.Median, clean.Reset: j.Before}, map[clean.Flag]int64{clean.Gap: j.Silent, clean.Stuck: j.Same}
	against, has := reference[f.Flag]
	putFloat(b, rows.FlagReference, against, has)
	if ms, has := duration[f.Flag]; has {
		b.PutInt(rows.FlagDuration, ms)
	} else {
		b.PutNull(rows.FlagDuration)
	}
	b.PutInt(rows.FlagVersion, r.version(p.Time, 1))
	b.EndRow()
}

func (r *deviceRows) minute(m *monitor.Minute) {
	b := r.ofMinute(m.Start)
	if b == nil {
		return
	}
	b.PutInt(rows.RollupWindowStart, m.Start)
	b.PutString(rows.RollupDevice, m.Key.Device)
	b.PutString(rows.RollupSubject, m.Key.Subject)
	b.PutString(rows.RollupCode, m.Key.Code)
	b.PutString(rows.RollupDisplay, m.About.Display)
	b.PutString(rows.RollupUnit, seriesUnit(m.About))
	b.PutInt(rows.RollupWindowSeconds, 60)
	b.PutInt(rows.RollupCount, m.Count)
	b.PutInt(rows.RollupFlagged, m.Flagged)
	for _, c := range []struct {
		col   int
		value float64
	}{{rows.RollupMin, m.Min}, {rows.RollupMax, m.Max}, {rows.RollupMean, m.Mean}, {rows.RollupLast, m.Last}, {rows.RollupP50, m.P50}, {rows.RollupP95, m.P95}} {
		putFloat(b, c.col, c.value, m.Values > 0)
	}
	b.PutInt(rows.RollupVersion, r.version(m.Start, m.Count))
	b.EndRow()
}

// seriesUnit is the unit of what a series' windows hold: of a counter the rate's.
func seriesUnit(a *monitor.About) string {
	switch {
	case !a.Counter:
		return a.Unit
	case a.Unit == "1":
		return "/s"
	}
	return a.Unit + "/s"
}

func (r *deviceRows) hour(h *monitor.Hour) {
	b := r.batch(rows.Healths, h.Start, h.Start+hourMillis)
	if b == nil {
		return
	}
	row := rows.Health{
		WindowStart: table.Millis(h.Start), DeviceID: h.Device, Subject: h.Subject, WindowSeconds: 3600,
		Readings: h.Readings, Codes: int64(len(h.Codes)), FirstTime: table.Millis(h.First), LastTime: table.Millis(h.Last),
		OutOfRange: h.Flags[clean.Range], Stuck: h.Flags[clean.Stuck], Spikes: h.Flags[clean.Spike],
		Duplicates: h.Flags[clean.Duplicate], Gaps: h.Flags[clean.Gap], Resets: h.Flags[clean.Reset], Version: r.version(h.Start, h.Readings),
	}
	if offset, known := h.Offset(); known {
		row.ClockOffsetMs = &offset
	}
	b.Append(&row)
}

func (r *deviceRows) grid(k monitor.Key, a *monitor.About, g clean.GridPoint) {
	b := r.batch(rows.Grids, g.Time, monitor.WindowEnd(g.Time))
	if b == nil {
		return
	}
	b.Append(&rows.Grid{
		GridTime: table.Millis(g.Time), DeviceID: k.Device, Subject: k.Subject, Code: k.Code,
		Value: g.Value, Unit: seriesUnit(a), AgeMs: g.Age, Version: r.version(g.Time, 1),
	})
}

func (r *deviceRows) score(s *monitor.Score) {
	b := r.batch(rows.Scores, s.Start, s.Start+minuteMillis)
	if b == nil {
		return
	}
	var missing, points []string
	for p := range news2.NumParameters {
		if !s.Result.Known[p] {
			missing = append(missing, p.String())
			continue
		}
		points = append(points, p.String()+" "+strconv.Itoa(s.Result.Points[p]))
	}
	b.Append(&rows.Score{
		WindowStart: table.Millis(s.Start), Subject: s.Subject, WindowSeconds: 60, Score: int32(s.Result.Total), Highest: int32(s.Result.Highest),
		Risk: s.Result.Risk(), Complete: s.Result.Complete(), Missing: strings.Join(missing, ","), Parameters: strings.Join(points, ", "),
		Version: r.version(s.Start, s.Readings),
	})
}

// emit hands over the rows. provisional, if not nil, gets those that sinks want, too.
func (r *deviceRows) emit(flags, rollups, health, grid, scores func(table.Rows), provisional func(table.Rows)) {
	for _, o := range []struct {
		name   string
		schema *table.Schema
		to     func(table.Rows)
	}{{"flags", rows.Flags, flags}, {"rollups", rows.Rollups, rollups}, {"health", rows.Healths, health}, {"grid", rows.Grids, grid}, {"news2", rows.Scores, scores}} {
		for _, group := range slices.Sorted(maps.Keys(r.made[o.schema])) {
			b := r.made[o.schema][group]
			o.to(table.Rows{Batch: b, Group: group})
			if provisional != nil && r.common.Live.Provisional[o.name] {
				provisional(table.Rows{Batch: b, Kind: table.Sealed})
			}
		}
	}
}
