package rollup

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"millrace/transforms/internal/wire"
	"millrace/transforms/sketch"
)

// Dimension is a property of clients by which they are counted.
type Dimension uint8

// The dimensions. Their numbers are written in parts: they stay.
const (
	Country Dimension = iota
	Network
	Browser
	System
	Device
	BotReason
	dimensions
)

// String is the dimension's name in rows.
func (d Dimension) String() string {
	return [dimensions]string{"country", "network", "browser", "os", "device", "bot_reason"}[d]
}

// Client is what a visitor is, by dimension; where it is "" the visitor is not
// counted. It does not change.
type Client [dimensions]string

// Clients counts requests and distinct visitors by day, dimension and value. A
// visitor is as for Visitors. Requests of one visitor are summed up first, so that
// an event costs one look into a table whatever the number of dimensions.
type Clients struct {
	limit    int
	round    uint32 // that the visitors are of, never 0
	visitors map[visitorOfDay]*clientHits
	values   map[clientKey]*clientCount
}

type visitorOfDay struct {
	day     int64
	visitor uint64
}

type clientHits struct {
	client *Client
	bot    bool
	hits   int64
}

type clientKey struct {
	day int64
	Dimension
	value string
}

type clientCount struct {
	hits, botHits int64
	people, bots  *sketch.Distinct
}

// ClientSeen remembers a visitor's place in a table, for callers that meet him often. It belongs to
// one visitor and one table; its zero value remembers none.
type ClientSeen struct {
	round uint32
	day   int64
	hits  *clientHits
}

// NewClients returns an empty table that counts up to limit visitors of a value
// one by one; [sketch.DefaultLimit] when zero.
func NewClients(limit int) *Clients {
	if limit == 0 {
		limit = sketch.DefaultLimit
	}
	return &Clients{limit: limit, round: 1, visitors: map[visitorOfDay]*clientHits{}, values: map[clientKey]*clientCount{}}
}

// Add counts a visitor's request at t (ms). seen is nil or what remembers him.
func (a *Clients) Add(t int64, visitor uint64, bot bool, c *Client, seen *ClientSeen) {
	key := visitorOfDay{floor(t, dayMs), visitor}
	if seen == nil {
		seen = &ClientSeen{}
	}
	if seen.round != a.round || seen.day != key.day {
		hits := a.visitors[key]
		if hits == nil {
			hits = &clientHits{client: c, bot: bot}
			a.visitors[key] = hits
		}
		*seen = ClientSeen{a.round, key.day, hits}
	}
	v := seen.hits
	if v.client != c && *v.client != *c { // a table was refreshed
		v.fold(visitor, a.placesOf(key.day, v.client))
		v.client, v.hits = c, 0
	}
	v.hits++
}

// places are where the requests of a client are counted, nil for a value it has not.
type places [dimensions]*clientCount

func (a *Clients) placesOf(day int64, c *Client) *places {
	p := &places{}
	for d, value := range c {
		if value != "" {
			p[d] = a.of(clientKey{day, Dimension(d), value})
		}
	}
	return p
}

// fold counts a visitor's requests in each dimension.
func (v *clientHits) fold(visitor uint64, p *places) {
	for _, c := range p {
		if c == nil {
			continue
		}
		c.hits += v.hits
		if v.bot {
			c.botHits += v.hits
			c.bots.Add(visitor)
		} else {
			c.people.Add(visitor)
		}
	}
}

func (a *Clients) foldAll() {
	type clientOfDay struct {
		day    int64
		client *Client
	}
	known := map[clientOfDay]*places{} // many visitors have the same client
	for key, v := range a.visitors {   // sums and sets: the order does not show
		at := clientOfDay{key.day, v.client}
		p := known[at]
		if p == nil {
			p = a.placesOf(key.day, v.client)
			known[at] = p
		}
		v.fold(key.visitor, p)
	}
	clear(a.visitors)
	a.round++
}

func (a *Clients) of(key clientKey) *clientCount {
	c := a.values[key]
	if c == nil {
		c = &clientCount{people: sketch.NewDistinct(a.limit), bots: sketch.NewDistinct(a.limit)}
		a.values[key] = c
	}
	return c
}

// Reset empties the table.
func (a *Clients) Reset() {
	clear(a.visitors)
	clear(a.values)
	a.round++
}

// Forget frees the memory of an empty table, which Reset leaves to be used again.
func (a *Clients) Forget() {
	a.visitors, a.values = map[visitorOfDay]*clientHits{}, map[clientKey]*clientCount{}
}

func (a *Clients) sorted() []clientKey {
	a.foldAll()
	return slices.SortedFunc(maps.Keys(a.values), func(x, y clientKey) int {
		return cmp.Or(cmp.Compare(x.day, y.day), cmp.Compare(x.Dimension, y.Dimension), strings.Compare(x.value, y.value))
	})
}

// Parts encodes the table, a day a part: the number of values, then for each its
// dimension, text, hits, hits of bots, people and bots.
func (a *Clients) Parts() []Part {
	var parts []Part
	for keys := a.sorted(); len(keys) > 0; {
		day := keys[0].day
		n := 1
		for n < len(keys) && keys[n].day == day {
			n++
		}
		b := binary.AppendVarint([]byte{encodingVersion}, day)
		b = binary.AppendUvarint(b, uint64(n))
		for _, key := range keys[:n] {
			c := a.values[key]
			b = binary.AppendUvarint(b, uint64(key.Dimension))
			b = wire.AppendText(b, key.value)
			b = binary.AppendUvarint(b, uint64(c.hits))
			b = binary.AppendUvarint(b, uint64(c.botHits))
			b = wire.AppendText(b, c.people.AppendEncoded(nil))
			b = wire.AppendText(b, c.bots.AppendEncoded(nil))
		}
		parts = append(parts, dayPart(day, b))
		keys = keys[n:]
	}
	return parts
}

// Merge adds a part. After an error the table must be Reset.
func (a *Clients) Merge(blob []byte) error {
	in, day := open(blob, maxHour)
	for range in.Count(6) {
		d, value := in.Limited(uint64(dimensions-1)), string(in.Text())
		hits, botHits := int64(in.Limited(maxCount)), int64(in.Limited(maxCount))
		people, bots := in.Text(), in.Text()
		if in.Err() != nil {
			break
		}
		c := a.of(clientKey{day, Dimension(d), value})
		c.hits += hits
		c.botHits += botHits
		err := mergeDistinct(c.people, people)
		if err == nil {
			err = mergeDistinct(c.bots, bots)
		}
		if err != nil {
			return fmt.Errorf("merging visitors by %s: %w", Dimension(d), err)
		}
	}
	if err := in.Close(); err != nil {
		return fmt.Errorf("merging clients: %w", err)
	}
	return nil
}

// ClientRow is the share of one value of a dimension in a day.
type ClientRow struct {
	Day                           int64 // days since the epoch
	Dimension                     Dimension
	Value                         string
	Hits, HitsWithoutBots         int64
	Visitors, VisitorsWithoutBots int64
	Exact                         bool  // otherwise the visitors are HyperLogLog estimates
	Version                       int64 // revision * 2^32 + Hits
}

// Rows returns the rows by day, dimension and value.
func (a *Clients) Rows(revision Revision) ([]ClientRow, error) {
	var rows []ClientRow
	for _, key := range a.sorted() {
		c := a.values[key]
		all := c.people.Clone()
		if err := all.Merge(c.bots); err != nil {
			return nil, fmt.Errorf("rows of clients: %w", err)
		}
		row := ClientRow{
			Day: key.day, Dimension: key.Dimension, Value: key.value, Hits: c.hits, HitsWithoutBots: c.hits - c.botHits,
			Visitors: all.Count(), VisitorsWithoutBots: c.people.Count(), Exact: all.Exact(), Version: revision.version(key.day*dayMs, c.hits),
		}
		if !row.Exact { // so that one is never greater than the other
			row.VisitorsWithoutBots = c.people.Estimate()
		}
		rows = append(rows, row)
	}
	return rows, nil
}
