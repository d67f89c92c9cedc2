package lakeio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"

	"millrace/schemas/table"
)

// A batch run is an external sort: rows are sorted and spilled in runs, one for each
// output, day and shard, and merged once all of them are there.

// Part names what becomes one sorted sequence of files in the lake.
type Part struct {
	Output string `json:"output"`
	Day    int64  `json:"day"` // days since the Unix epoch
	Shard  int    `json:"shard"`
}

// Run is one spilled run of sorted rows.
type Run struct {
	Part Part   `json:"part"`
	Path string `json:"path"` // or key of the object that holds it
	// Offset and Length say where in the object it lies; zero is all of a file.
	Offset int64 `json:"offset,omitempty"`
	Length int64 `json:"length,omitempty"`

	Rows  int   `json:"rows"`
	First int64 `json:"first"` // most significant sort value of the first row
	// Sources are the distinct values of the column that table.Schema.Origin names, if
	// there is one.
	Sources []string `json:"sources,omitempty"`
}

// Spiller sorts batches and spills them. Batches are sorted and written in the
// background, as many at once as there are cores. When one cannot be written, a
// later call says so, and nothing of what was spilled since the last Finish is
// left.
type Spiller struct {
	to     runWriter
	output string
	shards int
	frozen map[int64]string
	frame  int // rows of a frame
	slots  chan struct{}

	mu   sync.Mutex
	wg   sync.WaitGroup
	runs []Run
	err  error
}

// NewSpiller spills rows of one output into dir. Rows of a day are spread over
// shards (at least 1) by a hash of their sort columns.
func NewSpiller(dir, output string, shards int) *Spiller {
	return newSpiller(folderRuns(dir), output, shards)
}

func newSpiller(to runWriter, output string, shards int) *Spiller {
	return &Spiller{to: to, output: output, shards: max(shards, 1), frame: frameRows, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// runWriter writes runs to a staging area. write is called by several at once.
type runWriter interface {
	// write takes sorted rows of a batch, and names the runs that are written now,
	// also beside an error. Others wait for flush.
	write(b *table.Batch, parts []partRows, frame int) ([]Run, error)
	// flush writes what waits.
	flush() ([]Run, error)
	// discard drops what waits, and removes runs.
	discard(runs []Run)
}

// partRows are the rows of a batch that belong to one part, sorted.
type partRows struct {
	Part
	rows []uint32
}

// run describes the rows, but for where they are.
func (p partRows) run(b *table.Batch) Run {
	return Run{Part: p.Part, Rows: len(p.rows), First: firstValue(b, p.rows[0]), Sources: sources(b, p.rows)}
}

// Add takes over a batch and spills it in the background.
func (s *Spiller) Add(b *table.Batch) error {
	if err := s.failed(); err != nil {
		return err
	}
	if b.Len() == 0 {
		return nil
	}
	s.slots <- struct{}{}
	s.wg.Go(func() {
		defer func() { <-s.slots }()
		runs, err := s.spill(b)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.runs = append(s.runs, runs...)
		if err != nil && s.err == nil {
			s.err = fmt.Errorf("spilling %d rows of %s: %w", b.Len(), s.output, err)
		}
	})
	return s.failed()
}

// failed tells of a spill that failed. Its caller is about to give up, perhaps
// without calling Finish, so what was spilled is removed here.
func (s *Spiller) failed() error {
	s.mu.Lock()
	err := s.err
	s.mu.Unlock()
	if err != nil {
		s.wg.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.discard()
	}
	return err
}

// Finish waits for what is under way and returns the runs written since the
// last Finish, none when it returns an error.
func (s *Spiller) Finish() ([]Run, error) {
	s.wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		var rest []Run
		if rest, s.err = s.to.flush(); s.err != nil {
			s.err = fmt.Errorf("spilling rows of %s: %w", s.output, s.err)
		}
		s.runs = append(s.runs, rest...)
	}
	if s.err != nil {
		s.discard()
	}
	runs, err := s.runs, s.err
	s.runs, s.err = nil, nil
	return runs, err
}

func (s *Spiller) discard() {
	s.to.discard(s.runs)
	s.runs = nil
}

// spill writes one run for each day and shard that the batch touches.
func (s *Spiller) spill(b *table.Batch) ([]Run, error) {
	rows := map[Part]*[]uint32{}
	var parts []Part
	var last Part // of the row before: mostly the same
	var list *[]uint32
	for _, row := range b.Sorted() {
		p := Part{Output: s.output, Day: b.DayOf(int(row))}
		if s.shards > 1 {
			p.Shard = shardOf(b, int(row), s.shards)
		}
		if list == nil || p != last {
			if list, last = rows[p], p; list == nil {
				if why, frozen := s.frozen[p.Day]; frozen {
					return nil, errors.New(why)
				}
				list = new([]uint32)
				rows[p], parts = list, append(parts, p)
			}
		}
		*list = append(*list, row)
	}
	sorted := make([]partRows, len(parts))
	for i, p := range parts {
		sorted[i] = partRows{p, *rows[p]}
	}
	return s.to.write(b, sorted, s.frame)
}

// shardOf spreads rows by their sort columns, which identify them.
func shardOf(b *table.Batch, row, shards int) int {
	return int(xxhash.Sum64(sortKey(nil, b, row)) % uint64(shards)) //nolint:gosec // it is below shards
}

// sortKey appends the sort columns of a row in a form that is equal for equal
// rows. A null is nothing: a column that enters a schema's order later leaves old
// rows their key, and so their shard and the names of their files.
func sortKey(dst []byte, b *table.Batch, row int) []byte {
	s := b.Schema()
	for _, col := range s.Order {
		switch s.Columns[col].Kind {
		case table.String, table.Bytes:
			if !b.Null(col, row) {
				dst = append(append(dst, b.Text(col, row)...), 0)
			}
		case table.UUID:
			dst = append(dst, b.UUIDBytes(col, row)...)
		default:
			dst = binary.BigEndian.AppendUint64(dst, uint64(b.Int(col, row))) //nolint:gosec // its bits
		}
	}
	return dst
}

// sources lists the inputs that the rows came from.
func sources(b *table.Batch, rows []uint32) []string {
	col, ok := b.Schema().Origin()
	if !ok {
		return nil
	}
	codes, distinct := b.Codes(col)
	seen := make([]bool, distinct)
	var list []string
	for _, row := range rows {
		if code := codes[row]; !table.IsNullCode(code) && !seen[code] {
			seen[code] = true
			list = append(list, string(b.DictValue(col, code)))
		}
	}
	slices.Sort(list)
	return list
}

// firstValue is the most significant sort value of a row, 0 for text.
func firstValue(b *table.Batch, row uint32) int64 {
	if first := b.Schema().Order[0]; isNumber(b.Schema().Columns[first].Kind) {
		return b.Int(first, int(row))
	}
	return 0
}

func isNumber(k table.Kind) bool {
	return k != table.String && k != table.Bytes && k != table.UUID
}
