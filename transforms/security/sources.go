package security

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"millrace/transforms/sketch"
)

// Minute is the length of a window in milliseconds.
const Minute = 60_000

const (
	// Shards is how many shares sources are spread over, by a hash of their token.
	Shards = 8
	// MostSources is how many sources of one minute and shard are counted by
	// themselves.
	MostSources = 2048
)

// others are the names of the rows of all sources of a minute that were too many to
// be counted by themselves, by shard.
var others = func() (names [Shards]string) {
	for i := range names {
		names[i] = fmt.Sprintf("(others %d of %d)", i+1, Shards)
	}
	return names
}()

// Source is who sends requests.
type Source struct {
	Token   string // of the full address
	Network string // its truncation; empty for a host name
}

// Row is the counts of one source in one minute.
type Row struct {
	Start int64 // Unix milliseconds
	Shard int
	Source
	Sources int64 // 1; of others an estimate of how many
	Counts
}

// Sources adds up rows. The zero value is empty.
//
// Of a minute and shard it keeps the MostSources with the smallest hashes and adds the
// others up. Which these are depends on nothing but the sources, so order and
// partition change nothing; an attacker can send from more addresses, but cannot
// choose whom that hides, as the tokens are keyed.
type Sources struct{ cells map[cellKey]*cell }

type cellKey struct {
	start int64
	shard int
}

type cell struct {
	sources map[string]*counted
	others  Counts
	full    bool // there are others
}

type counted struct {
	network string
	hash    uint64
	Counts
}

// Add counts what a source did at a time.
func (s *Sources) Add(time int64, source Source, c *Counts) {
	start := time - time%Minute
	if start > time {
		start -= Minute
	}
	hash := sketch.Hash([]byte(source.Token))
	s.cell(cellKey{start, int(hash % Shards)}).add(source, hash, c)
}

func (s *Sources) cell(k cellKey) *cell {
	if s.cells == nil {
		s.cells = map[cellKey]*cell{}
	}
	c := s.cells[k]
	if c == nil {
		c = &cell{sources: map[string]*counted{}}
		s.cells[k] = c
	}
	return c
}

func (c *cell) add(source Source, hash uint64, n *Counts) {
	into := c.sources[source.Token]
	if into == nil {
		into = &counted{hash: hash}
		c.sources[source.Token] = into
	}
	into.network = max(into.network, source.Network)
	into.Add(n)
	if len(c.sources) >= 2*MostSources {
		c.trim()
	}
}

// trim adds the sources that are too many to the others, and gives the rest in the
// order of their hashes.
func (c *cell) trim() []string {
	tokens := make([]string, 0, len(c.sources))
	for token := range c.sources {
		tokens = append(tokens, token)
	}
	slices.SortFunc(tokens, func(a, b string) int {
		return cmp.Or(cmp.Compare(c.sources[a].hash, c.sources[b].hash), cmp.Compare(a, b))
	})
	if len(tokens) <= MostSources {
		return tokens
	}
	for _, token := range tokens[MostSources:] {
		c.others.Add(&c.sources[token].Counts)
		delete(c.sources, token)
	}
	c.full = true
	return tokens[:MostSources]
}

// estimate is how many others there are, by how dense the hashes of those are that
// were kept: of n values in [0, 1) the k-th smallest is about k/n. Its standard error
// is 2.2 % of all.
func (c *cell) estimate(kept []string) int64 {
	if len(kept) < MostSources {
		return 1 // nobody who counted did this
	}
	last := c.sources[kept[MostSources-1]].hash / Shards
	share := math.Ldexp(float64(last)+1, bits.Len(Shards-1)-64)
	return max(1, int64(math.Round((MostSources-1)/share))-MostSources)
}

// Len is the number of sources and minutes that are held.
func (s *Sources) Len() (n int) {
	for _, c := range s.cells {
		n += len(c.sources)
	}
	return n
}

// Reset empties it.
func (s *Sources) Reset() { clear(s.cells) }

// Rows are all counts, by minute, shard and token.
func (s *Sources) Rows() []Row {
	out := make([]Row, 0, s.Len())
	for k, c := range s.cells {
		kept := c.trim()
		for _, token := range kept {
			one := c.sources[token]
			out = append(out, Row{k.start, k.shard, Source{token, one.network}, 1, one.Counts})
		}
		if c.full {
			out = append(out, Row{k.start, k.shard, Source{Token: others[k.shard]}, c.estimate(kept), c.others})
		}
	}
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Shard, b.Shard), cmp.Compare(a.Token, b.Token))
	})
	return out
}
