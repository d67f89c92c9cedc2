package rollup

import (
	"slices"
	"strings"

	"millrace/transforms/internal/wire"
	"millrace/transforms/sketch"
)

// manyPages are the paths of a window beyond the limit: as many counters as it, by
// Space-Saving. A path without an error was counted from its first request to the last;
// of others too few requests are known to estimate anything.
type manyPages struct {
	counts *sketch.Heavy
	// about has, with sketches, each path without an error, and perhaps paths that were given
	// up. So it has as many as it began with at most: a path that comes later has an error.
	about map[string]*pageSketch
}

// heavyShare is how many counters sketch.Heavy has for each key that it is asked for.
const heavyShare = 10

// many are the most requested of exactly counted pages.
func (p *pages) many(limit int) *manyPages {
	m := &manyPages{counts: sketch.HeavyOf(limit/heavyShare, p.all())}
	if p.about != nil {
		m.about = map[string]*pageSketch{}
		for page := range m.counts.Known() {
			about := p.about[p.index[page.Key]]
			m.about[page.Key] = &about
		}
	}
	return m
}

func (m *manyPages) add(path []byte, visitor, bytes uint64, took int64) {
	m.counts.Add(path, 1)
	if about := m.about[string(path)]; about != nil {
		about.add(visitor, bytes, took, 1)
	}
}

// mergeMany adds a window's pages of a part that are beyond the limit, or that meet such.
func (p *pages) mergeMany(in *wire.Reader, o *manyPages, total int64, limit int) {
	if p.beyond == nil {
		p.beyond = p.many(limit)
		p.index, p.paths, p.views, p.about = nil, nil, nil, nil
	}
	p.total += total
	if err := p.beyond.merge(o); err != nil {
		in.Fail("%v", err)
	}
}

// merge counts what o counted, which is spent.
func (m *manyPages) merge(o *manyPages) error {
	if err := m.counts.Merge(o.counts); err != nil {
		return err
	}
	if m.about == nil && o.about == nil {
		return nil
	}
	about := map[string]*pageSketch{}
	for page := range m.counts.Known() {
		if page.Error > 0 {
			continue
		}
		// Without an error it was so in each of the two that counted it at all.
		a, b := m.about[page.Key], o.about[page.Key]
		switch {
		case a == nil:
			a = b
		case b != nil:
			a.merge(*b, 1)
		}
		about[page.Key] = a
	}
	m.about = about
	return nil
}

// largest are the n most requested, at most a share of all that there is room for.
func (m *manyPages) largest(n int) []sketch.Approximate {
	top := m.counts.Top()
	return top[:min(n, len(top))]
}

// sketch is what is known of a page, nil for nothing.
func (m *manyPages) sketch(page sketch.Approximate) *pageSketch {
	if page.Error > 0 {
		return nil
	}
	return m.about[page.Key]
}

// pagesForm is how a window's pages are encoded. It is written from the fourth version
// of the encoding on.
type pagesForm byte

const (
	pagesPlain pagesForm = iota
	pagesSketched
	pagesMany         // beyond the limit
	pagesManySketched // the same with sketches
	pagesForms
)

func (f pagesForm) many() bool     { return f == pagesMany || f == pagesManySketched }
func (f pagesForm) sketched() bool { return f == pagesSketched || f == pagesManySketched }

func (p *pages) form(sketched bool) pagesForm {
	f := pagesPlain
	if p.beyond != nil {
		f = pagesMany
	}
	if sketched {
		f++
	}
	return f
}

// formOf reads the form, or takes it from a version that has one alone.
func formOf(in *wire.Reader, version byte) pagesForm {
	switch {
	case version >= encodingVersionMany:
		return pagesForm(in.Limited(uint64(pagesForms - 1)))
	case version >= encodingVersionSketches:
		return pagesSketched
	}
	return pagesPlain
}

// appendEncoded writes the counts with their length before them, and with sketches
// what is known of each page without an error, in order.
func (m *manyPages) appendEncoded(b []byte, scratch *[]byte) []byte {
	b = wire.AppendText(b, m.counts.AppendEncoded(nil))
	if m.about == nil {
		return b
	}
	for _, page := range withoutError(m.counts) {
		b = m.about[page.Key].appendEncoded(b, scratch)
	}
	return b
}

// withoutError are the pages that were counted from first to last, in order.
func withoutError(counts *sketch.Heavy) (pages []sketch.Approximate) {
	for page := range counts.Known() {
		if page.Error == 0 {
			pages = append(pages, page)
		}
	}
	slices.SortFunc(pages, func(a, b sketch.Approximate) int { return strings.Compare(a.Key, b.Key) })
	return pages
}

// readMany reads them, with what is known of pages if it is wanted, and how many requests
// there were.
func readMany(in *wire.Reader, version byte, form pagesForm, want bool) (*manyPages, int64) {
	counts, err := sketch.DecodeHeavy(in.Text())
	switch {
	case in.Err() != nil:
		return nil, 0
	case err != nil:
		in.Fail("%v", err)
		return nil, 0
	case counts.Exact():
		in.Fail("pages beyond a limit, and yet all of them")
		return nil, 0
	}
	m := &manyPages{counts: counts}
	if want {
		m.about = map[string]*pageSketch{}
	}
	for _, page := range withoutError(counts) {
		about := pageSketch{unknown: true}
		if form.sketched() {
			about = readPageSketch(in, version, page.Count)
		}
		if want {
			m.about[page.Key] = &about
		}
	}
	return m, counts.Total()
}
