package shop

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"

	"millrace/transforms/clickevents"
	"millrace/transforms/internal/wire"
	"millrace/transforms/rollup"
)

// Products counts views, carts, purchases and revenue by item, currency and hour.
type Products struct{ hours map[int64]*productHour }

type productHour struct {
	events int64
	items  map[product]*productCounts
}

type product struct{ item, currency string }

type productCounts struct{ views, carts, purchases, revenue int64 }

// NewProducts returns an empty table.
func NewProducts() *Products { return &Products{hours: map[int64]*productHour{}} }

// Reset empties the table.
func (p *Products) Reset() { clear(p.hours) }

// Add counts an event at t (Unix ms). Events other than view_item, add_to_cart,
// purchase and refund do not count. An item without a price counts under no currency.
func (p *Products) Add(t int64, name, currency string, items []clickevents.ItemOf) {
	if len(items) == 0 || !countedNames[name] {
		return
	}
	h := p.of(floor(t, hourMs))
	h.events++
	for i := range items {
		it := &items[i]
		key := product{it.ID, ""}
		if it.Price != nil {
			key.currency = currency
		}
		c := h.of(key)
		switch name {
		case "view_item":
			c.views++
		case "add_to_cart":
			c.carts += it.Quantity
		case "purchase":
			c.purchases += it.Quantity
			c.revenue += it.Worth()
		case "refund":
			c.purchases -= it.Quantity
			c.revenue -= it.Worth()
		}
	}
}

var countedNames = map[string]bool{"view_item": true, "add_to_cart": true, "purchase": true, "refund": true}

func (p *Products) of(hour int64) *productHour {
	h := p.hours[hour]
	if h == nil {
		h = &productHour{items: map[product]*productCounts{}}
		p.hours[hour] = h
	}
	return h
}

func (h *productHour) of(key product) *productCounts {
	c := h.items[key]
	if c == nil {
		c = &productCounts{}
		h.items[key] = c
	}
	return c
}

// sorted are the keys of an hour in order.
func (h *productHour) sorted() []product {
	return slices.SortedFunc(maps.Keys(h.items), func(a, b product) int {
		return cmp.Or(cmp.Compare(a.item, b.item), cmp.Compare(a.currency, b.currency))
	})
}

// Parts encodes the table, an hour a part.
func (p *Products) Parts() []rollup.Part {
	var parts []rollup.Part
	for _, hour := range slices.Sorted(maps.Keys(p.hours)) {
		h := p.hours[hour]
		b := binary.AppendUvarint(begin(hour), uint64(h.events))
		b = binary.AppendUvarint(b, uint64(len(h.items)))
		for _, key := range h.sorted() {
			c := h.items[key]
			b = wire.AppendText(wire.AppendText(b, key.item), key.currency)
			for _, n := range []int64{c.views, c.carts, c.purchases, c.revenue} {
				b = binary.AppendVarint(b, n)
			}
		}
		parts = append(parts, partOf(hour*hourMs, hourMs, b))
	}
	return parts
}

// Merge adds a part. After an error the table must be Reset.
func (p *Products) Merge(blob []byte) error {
	in, hour := open(blob)
	h := p.of(hour)
	h.events += int64(in.Limited(maxCount))
	for range in.Count(6) {
		c := h.of(product{string(in.Text()), string(in.Text())})
		c.views += amount(in)
		c.carts += amount(in)
		c.purchases += amount(in)
		c.revenue += amount(in)
	}
	return wrap("products", in.Close())
}

// ProductRow is a row of the table.
type ProductRow struct {
	Start          int64 // of the hour, Unix ms
	Item, Currency string
	Rank           int
	Views, Carts   int64
	Purchases      int64
	Revenue        int64
	Version        int64
}

// Rows gives a row for each item, currency and hour, by hour and rank.
func (p *Products) Rows(revision rollup.Revision) []ProductRow {
	var all []ProductRow
	for _, hour := range slices.Sorted(maps.Keys(p.hours)) {
		h, from := p.hours[hour], len(all)
		for key, c := range h.items {
			all = append(all, ProductRow{
				Start: hour * hourMs, Item: key.item, Currency: key.currency, Views: c.views, Carts: c.carts, Purchases: c.purchases, Revenue: c.revenue,
				Version: version(revision, hour*hourMs, h.events),
			})
		}
		rows := all[from:]
		slices.SortFunc(rows, func(a, b ProductRow) int {
			return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(b.Revenue, a.Revenue), cmp.Compare(b.Purchases, a.Purchases),
				cmp.Compare(b.Carts, a.Carts), cmp.Compare(b.Views, a.Views), cmp.Compare(a.Item, b.Item))
		})
		for i := range rows {
			rows[i].Rank = 1
			if i > 0 && rows[i].Currency == rows[i-1].Currency {
				rows[i].Rank = rows[i-1].Rank + 1
			}
		}
	}
	return all
}
