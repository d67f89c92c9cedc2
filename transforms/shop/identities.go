package shop

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"millrace/transforms/internal/wire"
	"millrace/transforms/rollup"
)

// Identities notes on each day which known user a visitor is, and from when on. Every
// event says so that has both, a login or an identify first of all. A day is by itself:
// who wants to know who a visitor was at a time takes the latest row that begins by
// then. What came before a visitor was known stays anonymous, unless who asks will
// have it otherwise.
type Identities struct{ days map[int64]map[identity]*known }

type identity struct{ visitor, user string }

type known struct{ first, last, events int64 }

// NewIdentities returns an empty table.
func NewIdentities() *Identities { return &Identities{days: map[int64]map[identity]*known{}} }

// Reset empties the table.
func (t *Identities) Reset() { clear(t.days) }

// Add notes an event at at (Unix ms) of a visitor who is a user.
func (t *Identities) Add(at int64, visitor, user string) {
	t.of(floor(at, dayMs), identity{visitor, user}).merge(known{at, at, 1})
}

func (t *Identities) of(day int64, key identity) *known {
	if t.days[day] == nil {
		t.days[day] = map[identity]*known{}
	}
	k := t.days[day][key]
	if k == nil {
		k = &known{}
		t.days[day][key] = k
	}
	return k
}

func (k *known) merge(o known) {
	if k.events == 0 {
		*k = o
		return
	}
	*k = known{min(k.first, o.first), max(k.last, o.last), k.events + o.events}
}

// identityShards divide the visitors of a day.
const identityShards = 16

func sortedIdentities(m map[identity]*known) []identity {
	return slices.SortedFunc(maps.Keys(m), func(a, b identity) int {
		return cmp.Or(strings.Compare(a.visitor, b.visitor), strings.Compare(a.user, b.user))
	})
}

// Parts encodes the table, a day and shard of visitors a part.
func (t *Identities) Parts() []rollup.Part {
	var parts []rollup.Part
	for _, day := range slices.Sorted(maps.Keys(t.days)) {
		var shards [identityShards][]identity
		for _, key := range sortedIdentities(t.days[day]) {
			s := xxhash.Sum64String(key.visitor) % identityShards
			shards[s] = append(shards[s], key)
		}
		for shard, keys := range shards {
			if len(keys) == 0 {
				continue
			}
			b := binary.AppendUvarint(begin(day), uint64(len(keys)))
			for _, key := range keys {
				k := t.days[day][key]
				b = wire.AppendText(wire.AppendText(b, key.visitor), key.user)
				b = binary.AppendUvarint(b, uint64(k.first-day*dayMs))
				b = binary.AppendUvarint(b, uint64(k.last-day*dayMs))
				b = binary.AppendUvarint(b, uint64(k.events))
			}
			p := partOf(day*dayMs, dayMs, b)
			p.Key = fmt.Sprintf("%d/%s", shard, p.Key)
			parts = append(parts, p)
		}
	}
	return parts
}

// Merge adds a part. After an error the table must be Reset.
func (t *Identities) Merge(blob []byte) error {
	in, day := open(blob)
	for range in.Count(5) {
		key := identity{string(in.Text()), string(in.Text())}
		k := known{day*dayMs + int64(in.Limited(dayMs-1)), day*dayMs + int64(in.Limited(dayMs-1)), int64(in.Limited(maxCount))}
		if in.Err() != nil {
			break
		}
		t.of(day, key).merge(k)
	}
	return wrap("identities", in.Close())
}

// IdentityRow is a row of the table. Times are Unix ms.
type IdentityRow struct {
	Visitor, User string
	First, Last   int64
	Events        int64
	Version       int64
}

// Rows gives a row for each day, visitor and user, in this order.
func (t *Identities) Rows(revision rollup.Revision) []IdentityRow {
	var rows []IdentityRow
	for _, day := range slices.Sorted(maps.Keys(t.days)) {
		for _, key := range sortedIdentities(t.days[day]) {
			k := t.days[day][key]
			rows = append(rows, IdentityRow{key.visitor, key.user, k.first, k.last, k.events, version(revision, day*dayMs, k.events)})
		}
	}
	return rows
}
