package endpoint

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"millrace/io/driver"
)

// Progress is how far a run's readers and writers in this process are. Workers
// elsewhere do not show here; they report through the runner's metrics.
type Progress struct {
	Bytes   int64 // stored bytes read, comparable with the sizes of the splits
	Records int64 // lines read
	Spilled int64 // rows on their way to the lake
	Merged  int64 // rows in finished files
	// Waiting says who does not take rows, and why; empty when nobody keeps the run
	// waiting. Waited is since when.
	Waiting string
	Waited  time.Duration
}

// ProgressOf returns the progress of a run.
func ProgressOf(run string) Progress {
	p := progressOf(run)
	now := Progress{Bytes: p.bytes.Load(), Records: p.records.Load(), Spilled: p.spilled.Load(), Merged: p.merged.Load()}
	now.Waiting, now.Waited = p.hold.longest(time.Now())
	return now
}

type runProgress struct {
	bytes, records, spilled, merged atomic.Int64

	hold holdups
}

// holdups are who keeps a run waiting, by name.
type holdups struct {
	mu sync.Mutex
	of map[string]*holdup
}

// holdup is one whose calls are made again and again.
type holdup struct {
	since, last time.Time
	fault       string
}

// Who was tried again so long ago takes what it is given again, and is no holdup as long as
// the first fault is this young.
const (
	holdupOver  = 30 * time.Second // more than pauses between two tries
	holdupBegun = 3 * time.Second
)

func (h *holdups) note(who string, fault error, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of == nil {
		h.of = map[string]*holdup{}
	}
	u := h.of[who]
	if u == nil || now.Sub(u.last) > holdupOver {
		u = &holdup{since: now}
		h.of[who] = u
	}
	u.last, u.fault = now, fault.Error()
}

func (h *holdups) over(who string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.of, who)
}

// longest says for whom and for what fault the run waits longest.
func (h *holdups) longest(now time.Time) (waiting string, waited time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, who := range slices.Sorted(maps.Keys(h.of)) {
		u := h.of[who]
		if since := now.Sub(u.since); now.Sub(u.last) <= holdupOver && since >= holdupBegun && since > waited {
			waiting, waited = who+": "+u.fault, since
		}
	}
	return waiting, waited
}

var runs sync.Map // run -> *runProgress

func progressOf(run string) *runProgress {
	p, _ := runs.LoadOrStore(run, &runProgress{})
	return p.(*runProgress)
}

// readerProgress carries one reader's share into its run's.
type readerProgress struct {
	run  *runProgress
	r    driver.Reader
	size int64
	seen int64
}

func (p *runProgress) reader(r driver.Reader, s driver.Split) *readerProgress {
	return &readerProgress{run: p, r: r, size: s.Size}
}

func (p *readerProgress) note(records int) {
	p.run.records.Add(int64(records))
	if known, ok := p.r.(driver.Progress); ok {
		p.advance(min(known.Progress(), p.size))
	}
}

func (p *readerProgress) done() { p.advance(p.size) }

func (p *readerProgress) advance(to int64) {
	if to > p.seen {
		p.run.bytes.Add(to - p.seen)
		p.seen = to
	}
}
