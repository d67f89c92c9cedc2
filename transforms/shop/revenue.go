package shop

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"millrace/transforms/internal/wire"
	"millrace/transforms/rollup"
)

// Revenue adds up purchases and refunds by window, currency and channel.
type Revenue struct {
	window int64 // ms
	span   int64 // of a part, ms
	spans  map[int64]map[till]*takings
}

type till struct {
	window            int64 // its number
	currency, channel string
}

type takings struct{ purchases, refunds, gross, refunded int64 }

// NewMinuteRevenue returns an empty table by minute, whose parts are hours.
func NewMinuteRevenue() *Revenue {
	return &Revenue{window: minuteMs, span: hourMs, spans: map[int64]map[till]*takings{}}
}

// NewDayRevenue returns an empty table by UTC day.
func NewDayRevenue() *Revenue {
	return &Revenue{window: dayMs, span: dayMs, spans: map[int64]map[till]*takings{}}
}

// Reset empties the table.
func (r *Revenue) Reset() { clear(r.spans) }

// Add counts a purchase or refund at t (Unix ms) of a value in minor units; other
// events do not count.
func (r *Revenue) Add(t int64, name, currency, channel string, value int64) {
	if name != "purchase" && name != "refund" {
		return
	}
	c := r.of(floor(t, r.span), till{floor(t, r.window), currency, channel})
	if name == "purchase" {
		c.purchases++
		c.gross += value
	} else {
		c.refunds++
		c.refunded += value
	}
}

func (r *Revenue) of(span int64, key till) *takings {
	if r.spans[span] == nil {
		r.spans[span] = map[till]*takings{}
	}
	c := r.spans[span][key]
	if c == nil {
		c = &takings{}
		r.spans[span][key] = c
	}
	return c
}

func sortedTills(m map[till]*takings) []till {
	return slices.SortedFunc(maps.Keys(m), func(a, b till) int {
		return cmp.Or(cmp.Compare(a.window, b.window), cmp.Compare(a.currency, b.currency), cmp.Compare(a.channel, b.channel))
	})
}

// Parts encodes the table, an hour or a day a part.
func (r *Revenue) Parts() []rollup.Part {
	var parts []rollup.Part
	for _, span := range slices.Sorted(maps.Keys(r.spans)) {
		cells := r.spans[span]
		b := binary.AppendUvarint(begin(span), uint64(len(cells)))
		for _, key := range sortedTills(cells) {
			c := cells[key]
			b = wire.AppendText(wire.AppendText(binary.AppendVarint(b, key.window), key.currency), key.channel)
			for _, n := range []int64{c.purchases, c.refunds, c.gross, c.refunded} {
				b = binary.AppendVarint(b, n)
			}
		}
		parts = append(parts, partOf(span*r.span, r.span, b))
	}
	return parts
}

// Merge adds a part. After an error the table must be Reset.
func (r *Revenue) Merge(blob []byte) error {
	in, span := open(blob)
	for range in.Count(7) {
		window := in.Varint()
		if window < -maxSpan || window > maxSpan || floor(window*r.window, r.span) != span {
			in.Fail("window %d in span %d", window, span)
			break
		}
		c := r.of(span, till{window, string(in.Text()), string(in.Text())})
		c.purchases += amount(in)
		c.refunds += amount(in)
		c.gross += amount(in)
		c.refunded += amount(in)
	}
	return wrap("revenue", in.Close())
}

// RevenueRow is a row of the table. Amounts are in minor units of the currency.
type RevenueRow struct {
	Start             int64 // of the window, Unix ms
	Window            time.Duration
	Currency, Channel string
	Purchases         int64
	Refunds           int64
	Gross, Refunded   int64
	Version           int64
}

// Rows gives a row for each window, currency and channel, in this order.
func (r *Revenue) Rows(revision rollup.Revision) []RevenueRow {
	var rows []RevenueRow
	for _, span := range slices.Sorted(maps.Keys(r.spans)) {
		for _, key := range sortedTills(r.spans[span]) {
			c := r.spans[span][key]
			rows = append(rows, RevenueRow{
				Start: key.window * r.window, Window: time.Duration(r.window) * time.Millisecond, Currency: key.currency, Channel: key.channel,
				Purchases: c.purchases, Refunds: c.refunds, Gross: c.gross, Refunded: c.refunded,
				Version: version(revision, key.window*r.window, c.purchases+c.refunds),
			})
		}
	}
	return rows
}
