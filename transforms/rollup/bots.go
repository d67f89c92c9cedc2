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

// Bots counts requests and distinct visitors by day and bot.
type Bots struct {
	limit int
	bots  map[botKey]*bot
	key   botKey // of last
	last  *bot
}

type botKey struct {
	day  int64
	name string
}

type bot struct {
	hits     int64
	visitors *sketch.Distinct
}

// NewBots returns an empty table that counts up to limit visitors of a bot one
// by one; [sketch.DefaultLimit] when zero.
func NewBots(limit int) *Bots {
	if limit == 0 {
		limit = sketch.DefaultLimit
	}
	return &Bots{limit: limit, bots: map[botKey]*bot{}}
}

// Add counts a request of a bot at t (ms).
func (a *Bots) Add(t int64, name string, visitor uint64) {
	key := botKey{floor(t, dayMs), name}
	if a.last == nil || a.key != key {
		a.key, a.last = key, a.of(key)
	}
	a.last.hits++
	a.last.visitors.Add(visitor)
}

func (a *Bots) of(key botKey) *bot {
	b := a.bots[key]
	if b == nil {
		b = &bot{visitors: sketch.NewDistinct(a.limit)}
		a.bots[key] = b
	}
	return b
}

// Reset empties the table.
func (a *Bots) Reset() { clear(a.bots); a.key, a.last = botKey{}, nil }

func (a *Bots) sorted() []botKey {
	return slices.SortedFunc(maps.Keys(a.bots), func(x, y botKey) int {
		return cmp.Or(cmp.Compare(x.day, y.day), strings.Compare(x.name, y.name))
	})
}

// Parts encodes the table, a day a part: the number of bots, then for each its
// name, hits and visitors.
func (a *Bots) Parts() []Part {
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
			b = wire.AppendText(b, key.name)
			b = binary.AppendUvarint(b, uint64(a.bots[key].hits))
			b = wire.AppendText(b, a.bots[key].visitors.AppendEncoded(nil))
		}
		parts = append(parts, dayPart(day, b))
		keys = keys[n:]
	}
	return parts
}

// Merge adds a part. After an error the table must be Reset.
func (a *Bots) Merge(blob []byte) error {
	in, day := open(blob, maxHour)
	for range in.Count(3) {
		name, hits, visitors := string(in.Text()), int64(in.Limited(maxCount)), in.Text()
		if in.Err() != nil {
			break
		}
		b := a.of(botKey{day, name})
		b.hits += hits
		if err := mergeDistinct(b.visitors, visitors); err != nil {
			return fmt.Errorf("merging visitors of bot %q: %w", name, err)
		}
	}
	if err := in.Close(); err != nil {
		return fmt.Errorf("merging bots: %w", err)
	}
	return nil
}

// BotRow is the share of one bot in a day.
type BotRow struct {
	Day      int64 // days since the epoch
	Name     string
	Hits     int64
	Visitors int64
	Version  int64 // revision * 2^32 + Hits
}

// Rows returns the rows by day and name.
func (a *Bots) Rows(revision Revision) []BotRow {
	var rows []BotRow
	for _, key := range a.sorted() {
		b := a.bots[key]
		rows = append(rows, BotRow{
			Day: key.day, Name: key.name, Hits: b.hits, Visitors: b.visitors.Count(),
			Version: revision.version(key.day*dayMs, b.hits),
		})
	}
	return rows
}
