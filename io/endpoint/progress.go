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

// Failure returns the first error that a reader or writer of the run met in this
// process. Runners pass errors on as text; this one keeps its class.
func Failure(run string) error {
	if err := progressOf(run).failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Failing is closed when the run has a Failure.
func Failing(run string) <-chan struct{} { return progressOf(run).failing }

type runProgress struct {
	bytes, records, spilled, merged atomic.Int64
	failure                         atomic.Pointer[error]
	failing                         chan struct{} // closed with the first failure
}

var runs sync.Map // run -> *runProgress

func progressOf(run string) *runProgress {
	p, _ := runs.LoadOrStore(run, &runProgress{failing: make(chan struct{})})
	return p.(*runProgress)
}

// failed remembers the first error of a run, and returns it.
func failed(run string, err error) error {
	if p := progressOf(run); err != nil && p.failure.CompareAndSwap(nil, &err) {
		close(p.failing)
	}
	return err
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
