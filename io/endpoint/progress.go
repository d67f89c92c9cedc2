package endpoint

import (
	"sync"
	"sync/atomic"

	"millrace/io/driver"
)

// Progress is how far a run's readers and writers in this process are. Workers
// elsewhere do not show here; they report through the runner's metrics.
type Progress struct {
	Bytes   int64 // stored bytes read, comparable with the sizes of the splits
	Records int64 // lines read
	Spilled int64 // rows on their way to the lake
	Merged  int64 // rows in finished files
}

// ProgressOf returns the progress of a run.
func ProgressOf(run string) Progress {
	p := progressOf(run)
	return Progress{Bytes: p.bytes.Load(), Records: p.records.Load(), Spilled: p.spilled.Load(), Merged: p.merged.Load()}
}

type runProgress struct {
	bytes, records, spilled, merged atomic.Int64
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
