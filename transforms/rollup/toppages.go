package rollup

import (
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"millrace/transforms/internal/wire"
	"millrace/transforms/sketch"
)

// TopPages counts requests by window and path: exactly up to a limit of paths, by
// Space-Saving beyond it. Which of the two depends only on how many there are. With
// sketches it also estimates the visitors, the sizes of responses and the latency of every
// path: which paths are the top is known only when all parts are together.
type TopPages struct {
	window   int64 // ms
	limit    int
	sketched bool
	windows  map[int64]*pages
	last     *pages
	round    uint32 // counts the times it was emptied
	scratch  []byte
}

// PageSeen remembers a path's place in a table, for callers that meet it often. It belongs to
// one path and one table; its zero value remembers none.
type PageSeen struct {
	round  uint32
	at     int32
	window int64
}

// pages are the paths of one window.
type pages struct {
	window int64 // its number
	index  map[string]int32
	paths  []string
	views  []int64
	about  []pageSketch // with sketches
	total  int64
	beyond *manyPages // beyond the limit; those above are empty then
}

// DefaultPages is how many paths of a window are counted exactly.
const DefaultPages = 100_000

// NewTopPages returns an empty table of windows of a length, which is whole seconds that
// divide an hour, each of them exact up to limit paths, which is tens; DefaultPages when zero.
func NewTopPages(window time.Duration, limit int) (*TopPages, error) {
	if _, err := windowsInHour(window); err != nil {
		return nil, fmt.Errorf("top pages: %w", err)
	}
	if limit == 0 {
		limit = DefaultPages
	}
	if limit < heavyShare || limit%heavyShare != 0 {
		return nil, fmt.Errorf("top pages: a limit of %d paths: want tens", limit)
	}
	return &TopPages{window: window.Milliseconds(), limit: limit, round: 1, windows: map[int64]*pages{}}, nil
}

// NewSketchedTopPages returns an empty table with sketches.
func NewSketchedTopPages(window time.Duration, limit int) (*TopPages, error) {
	a, err := NewTopPages(window, limit)
	if err == nil {
		a.sketched = true
	}
	return a, err
}

// Add counts a request for path at t (ms). The hash of its visitor, the bytes of the
// response, of which those below zero count as none, and how long it took (µs; below
// zero when the log does not say, and not counted) go into the sketches, if the table has
// them.
func (a *TopPages) Add(t int64, path []byte, visitor uint64, bytes, took int64) {
	a.AddSeen(t, path, visitor, bytes, took, &PageSeen{})
}

// AddSeen is Add of a path that is remembered.
func (a *TopPages) AddSeen(t int64, path []byte, visitor uint64, bytes, took int64, seen *PageSeen) {
	window := floor(t, a.window)
	if a.last == nil || a.last.window != window {
		a.last = a.of(window)
	}
	p := a.last
	p.total++
	if p.beyond != nil {
		p.beyond.add(path, visitor, uint64(max(bytes, 0)), took)
		return
	}
	i, ok := seen.at, seen.round == a.round && seen.window == window
	if !ok {
		if i, ok = p.index[string(path)]; !ok {
			i = p.add(string(path), a.sketched)
		}
		*seen = PageSeen{a.round, i, window}
	}
	if a.sketched {
		p.about[i].add(visitor, uint64(max(bytes, 0)), took, p.views[i])
	}
	p.views[i]++
	if !ok {
		p.bound(a.limit)
	}
}

// bound goes over to what takes no more room when there are more paths than the limit.
func (p *pages) bound(limit int) {
	if len(p.paths) > limit {
		p.beyond = p.many(limit)
		p.index, p.paths, p.views, p.about = nil, nil, nil, nil
	}
}

func (a *TopPages) of(window int64) *pages {
	p := a.windows[window]
	if p == nil {
		p = &pages{window: window, index: map[string]int32{}}
		a.windows[window] = p
	}
	return p
}

// add makes room for a path that is not there.
func (p *pages) add(path string, sketched bool) int32 {
	i := int32(len(p.paths))
	p.index[path] = i
	p.paths, p.views = append(p.paths, path), append(p.views, 0)
	if sketched {
		p.about = append(p.about, pageSketch{})
	}
	return i
}

// Len is the number of paths that are kept, counted once in each window.
func (a *TopPages) Len() int {
	n := 0
	for _, p := range a.windows {
		n += len(p.paths)
		if p.beyond != nil {
			n += p.beyond.counts.Len()
		}
	}
	return n
}

// Reset empties the table.
func (a *TopPages) Reset() {
	clear(a.windows)
	a.last = nil
	a.round++
}

// Parts encodes the table, an hour a part: the window in seconds, the number of
// windows, then for each its place in the hour and how many paths it has, and
// for each of these, in order, how many bytes it begins with as the one before,
// the bytes after them, and its views. With sketches this is the third version of
// the encoding, and what is known of a page follows its views; the second had no
// latencies. An hour with more paths than the limit in any window is of the fourth, in which
// each window's form comes after its place, see pagesForm.
func (a *TopPages) Parts() []Part {
	var parts []Part
	perHour := hourMs / a.window
	for numbers := ascending(a.windows); len(numbers) > 0; {
		hour := floor(numbers[0], perHour)
		n, version := 0, byte(encodingVersion)
		if a.sketched {
			version = encodingVersionLatency
		}
		for ; n < len(numbers) && floor(numbers[n], perHour) == hour; n++ {
			if a.windows[numbers[n]].beyond != nil {
				version = encodingVersionMany
			}
		}
		b := binary.AppendVarint([]byte{version}, hour)
		b = binary.AppendUvarint(b, uint64(a.window/secondMs))
		b = binary.AppendUvarint(b, uint64(n))
		for _, number := range numbers[:n] {
			p := a.windows[number]
			b = binary.AppendUvarint(b, uint64(number-hour*perHour))
			if version == encodingVersionMany {
				b = append(b, byte(p.form(a.sketched)))
			}
			if p.beyond != nil {
				b = p.beyond.appendEncoded(b, &a.scratch)
			} else {
				b = p.appendEncoded(b, &a.scratch)
			}
		}
		parts = append(parts, hourPart(hour, b))
		numbers = numbers[n:]
	}
	return parts
}

func (p *pages) appendEncoded(b []byte, scratch *[]byte) []byte {
	order := make([]int32, len(p.paths))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int { return strings.Compare(p.paths[i], p.paths[j]) })
	b = binary.AppendUvarint(b, uint64(len(order)))
	previous := ""
	for _, i := range order {
		path := p.paths[i]
		shared := 0
		for shared < min(len(previous), len(path)) && previous[shared] == path[shared] {
			shared++
		}
		b = binary.AppendUvarint(b, uint64(shared))
		b = wire.AppendText(b, path[shared:])
		b = binary.AppendUvarint(b, uint64(p.views[i]))
		if p.about != nil {
			b = p.about[i].appendEncoded(b, scratch)
		}
		previous = path
	}
	return b
}

// Merge adds a part, of a table with sketches or without. Of a page that any part
// counted without, nothing is estimated; of one that any part counted without latencies,
// no latency. A window that is beyond the limit merges with others of the same limit. After
// an error the table must be Reset.
func (a *TopPages) Merge(blob []byte) error {
	in, version, hour := openUpTo(encodingVersionMany, blob, maxHour)
	if seconds := in.Uvarint(); in.Err() == nil && seconds != uint64(a.window/secondMs) {
		in.Fail("windows of %d s, this table has %d s", seconds, a.window/secondMs)
	}
	perHour := hourMs / a.window
	for range in.Count(2) {
		at := int64(in.Limited(uint64(perHour - 1)))
		form := formOf(in, version)
		if in.Err() != nil {
			break
		}
		a.of(hour*perHour+at).merge(in, version, form, a.limit, a.sketched)
	}
	if err := in.Close(); err != nil {
		return fmt.Errorf("merging top pages: %w", err)
	}
	return nil
}

// merge reads what a part has of a window.
func (p *pages) merge(in *wire.Reader, version byte, form pagesForm, limit int, want bool) {
	if form.many() {
		if o, total := readMany(in, version, form, want); in.Err() == nil {
			p.mergeMany(in, o, total, limit)
		}
		return
	}
	into := p
	if p.beyond != nil { // put together first, so that the result does not depend on the order of paths
		into = &pages{index: map[string]int32{}}
	}
	into.read(in, in.Count(3), version, form, want)
	if in.Err() == nil && into != p {
		p.mergeMany(in, into.many(limit), into.total, limit)
	}
	p.bound(limit)
}

// read reads n pages; by their form they have sketches, and these may want them.
func (p *pages) read(in *wire.Reader, n int, version byte, form pagesForm, want bool) {
	var path []byte
	for range n {
		shared := in.Limited(uint64(len(path)))
		path = append(path[:shared], in.Text()...)
		views := int64(in.Limited(maxCount))
		if in.Err() == nil && views == 0 {
			in.Fail("a page without views")
		}
		about := pageSketch{unknown: true}
		if form.sketched() {
			about = readPageSketch(in, version, views)
		}
		if in.Err() != nil {
			return
		}
		i, ok := p.index[string(path)]
		if !ok {
			i = p.add(string(path), want)
		}
		if want {
			p.about[i].merge(about, p.views[i])
		}
		p.total += views
		p.views[i] += views
	}
}

// TopPageRow is one of the most requested paths of a window.
type TopPageRow struct {
	Start   int64 // Unix milliseconds
	Seconds int32 // length of the window
	Rank    int32 // from 1; equal counts rank by path
	Path    string
	Views   int64
	Exact   bool           // otherwise the window has more paths than the limit
	Error   int64          // the path has at least Views - Error requests, and at most Views; 0 when Exact
	Version int64          // revision * 2^32 + requests of the window
	About   *PageEstimates // nil when nothing is estimated
}

// Rows returns the n most requested paths of each window, by start and rank; of a window
// beyond the limit at most a tenth of it.
func (a *TopPages) Rows(n int, revision Revision) []TopPageRow {
	var rows []TopPageRow
	for _, number := range ascending(a.windows) {
		p, before := a.windows[number], len(rows)
		add := func(top sketch.Approximate, exact bool, about *pageSketch) {
			start := number * a.window
			row := TopPageRow{
				Start: start, Seconds: int32(a.window / secondMs), Rank: int32(len(rows) - before + 1),
				Path: top.Key, Views: top.Count, Exact: exact, Error: top.Error, Version: revision.version(start, p.total),
			}
			if about != nil {
				row.About = about.estimates()
			}
			rows = append(rows, row)
		}
		if p.beyond != nil {
			for _, top := range p.beyond.largest(n) {
				add(top, false, p.beyond.sketch(top))
			}
			continue
		}
		for _, top := range sketch.Largest(p.all(), n) {
			var about *pageSketch
			if a.sketched {
				about = &p.about[p.index[top.Key]]
			}
			add(sketch.Approximate{Key: top.Key, Count: top.Count}, true, about)
		}
	}
	return rows
}

func (p *pages) all() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for i, path := range p.paths {
			if !yield(path, p.views[i]) {
				return
			}
		}
	}
}
