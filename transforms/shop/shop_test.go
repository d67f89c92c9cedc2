package shop_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/transforms/clickevents"
	"millrace/transforms/rollup"
	"millrace/transforms/shop"
)

const (
	begin  = 1772359200000 // 2026-03-01T10:00:00Z
	minute = 60_000
	hour   = 60 * minute
)

type event struct {
	time                    int64
	visitor                 string
	name, currency, channel string
	value                   int64
	items                   []clickevents.ItemOf
	position                int64
}

var names = []string{"view_item", "view_item", "add_to_cart", "add_to_cart", "remove_from_cart", "begin_checkout", "purchase", "refund", "search"}

func events(r *rand.Rand, n int) (out []event) {
	for i := range n {
		e := event{
			time: begin + r.Int64N(48)*5*minute, visitor: fmt.Sprint("v", r.IntN(5)), name: names[r.IntN(len(names))],
			currency: []string{"EUR", "JPY"}[r.IntN(8)/7], channel: []string{"", "Email"}[r.IntN(2)], value: r.Int64N(500), position: int64(i),
		}
		for range r.IntN(3) {
			it := clickevents.ItemOf{ID: fmt.Sprint("i", r.IntN(4)), Quantity: 1 + r.Int64N(3)}
			if r.IntN(5) > 0 {
				price := r.Int64N(1000)
				it.Price = &price
			}
			e.items = append(e.items, it)
		}
		out = append(out, e)
	}
	return out
}

// merged cuts events into parts, and merges the parts of each key in a table of its own.
func merged[T interface {
	Parts() []rollup.Part
	Merge([]byte) error
}](t *testing.T, r *rand.Rand, all []event, fresh func() T, add func(T, *event)) map[string]T {
	t.Helper()
	out := map[string]T{}
	for part := range slices.Chunk(all, 1+r.IntN(len(all))) {
		one := fresh()
		for i := range part {
			add(one, &part[i])
		}
		for _, p := range one.Parts() {
			into, ok := out[p.Key]
			if !ok {
				into = fresh()
				out[p.Key] = into
			}
			if err := into.Merge(p.Blob); err != nil {
				t.Fatal(err)
			}
			if _, err := rollup.End(p.Key[strings.LastIndexByte(p.Key, '/')+1:]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

func TestProductsAreThoseOfAskingEveryEvent(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		all := events(r, 80)
		var got []shop.ProductRow
		for _, p := range merged(t, r, all, shop.NewProducts, func(p *shop.Products, e *event) { p.Add(e.time, e.name, e.currency, e.items) }) {
			got = append(got, p.Rows(nil)...)
		}
		// One row for each hour, item and currency, found by asking all events.
		type key struct {
			start          int64
			item, currency string
		}
		var want []shop.ProductRow
		seen := map[key]bool{}
		for _, e := range all {
			for _, it := range e.items {
				k := key{e.time / hour * hour, it.ID, e.currency}
				if it.Price == nil {
					k.currency = ""
				}
				if seen[k] || !slices.Contains([]string{"view_item", "add_to_cart", "purchase", "refund"}, e.name) {
					continue
				}
				seen[k] = true
				row := shop.ProductRow{Start: k.start, Item: k.item, Currency: k.currency}
				for _, o := range all {
					if o.time/hour*hour != k.start || len(o.items) == 0 || !slices.Contains([]string{"view_item", "add_to_cart", "purchase", "refund"}, o.name) {
						continue
					}
					row.Version++
					for _, i := range o.items {
						if i.ID != k.item || (i.Price == nil) != (k.currency == "") || i.Price != nil && o.currency != k.currency {
							continue
						}
						sign := map[string]int64{"purchase": 1, "refund": -1}[o.name]
						row.Purchases += sign * i.Quantity
						if i.Price != nil {
							row.Revenue += sign * i.Quantity * *i.Price
						}
						if o.name == "view_item" {
							row.Views++
						}
						if o.name == "add_to_cart" {
							row.Carts += i.Quantity
						}
					}
				}
				want = append(want, row)
			}
		}
		for i := range want {
			want[i].Rank = 1
			for _, o := range want {
				if o.Start == want[i].Start && o.Currency == want[i].Currency && better(o, want[i]) {
					want[i].Rank++
				}
			}
		}
		order := func(a, b shop.ProductRow) int {
			return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Rank, b.Rank))
		}
		slices.SortFunc(want, order)
		slices.SortFunc(got, order)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

func better(a, b shop.ProductRow) bool {
	return cmp.Or(cmp.Compare(b.Revenue, a.Revenue), cmp.Compare(b.Purchases, a.Purchases), cmp.Compare(b.Carts, a.Carts), cmp.Compare(b.Views, a.Views), cmp.Compare(a.Item, b.Item)) < 0
}

func TestRevenueIsThatOfAskingEveryEvent(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, c := range map[string]struct {
		fresh  func() *shop.Revenue
		window int64
	}{"minutes": {shop.NewMinuteRevenue, minute}, "days": {shop.NewDayRevenue, 24 * hour}} {
		t.Run(name, func(t *testing.T) {
			all := events(r, 200)
			var gross, refunded int64
			for _, tab := range merged(t, r, all, c.fresh, func(p *shop.Revenue, e *event) { p.Add(e.time, e.name, e.currency, e.channel, e.value) }) {
				for _, row := range tab.Rows(func(int64) int32 { return 2 }) {
					gross += row.Gross
					refunded += row.Refunded
					want := row
					want.Purchases, want.Refunds, want.Gross, want.Refunded = 0, 0, 0, 0
					for _, e := range all {
						if e.time/c.window*c.window != row.Start || e.currency != row.Currency || e.channel != row.Channel {
							continue
						}
						switch e.name {
						case "purchase":
							want.Purchases++
							want.Gross += e.value
						case "refund":
							want.Refunds++
							want.Refunded += e.value
						}
					}
					want.Version = 2<<32 + want.Purchases + want.Refunds
					if diff := gocmp.Diff(want, row); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
				}
			}
			for _, e := range all {
				switch e.name {
				case "purchase":
					gross -= e.value
				case "refund":
					refunded -= e.value
				}
			}
			if gross != 0 || refunded != 0 {
				t.Errorf("%d and %d are in no row, or twice", gross, refunded)
			}
		})
	}
}

func steps(t *testing.T, r *rand.Rand, all []event) []shop.Part {
	t.Helper()
	var parts []shop.Part
	for part := range slices.Chunk(all, 1+r.IntN(len(all))) {
		c := shop.NewCollector()
		for _, e := range part {
			c.Add(e.visitor, shop.Step{Time: e.time, Source: "s", Position: e.position, Kind: shop.KindOf(e.name), Currency: e.currency, Items: e.items})
		}
		parts = append(parts, c.Flush(3)...)
	}
	r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return parts
}

const timeout = 35 * minute

// TestLiveCartsAreThoseOfABatch: a fold over state, parts in any order that a watermark
// allows, and the watermark gives the same carts as all steps at once, and each of them
// with the first watermark by which it is left.
func TestLiveCartsAreThoseOfABatch(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	found := 0
	for range 100 {
		all := events(r, 60)
		var batch shop.Visits
		for _, p := range steps(t, r, all) {
			if err := batch.Add(p.Blob); err != nil {
				t.Fatal(err)
			}
		}
		var want, got []shop.Cart
		for _, v := range batch.Visitors() {
			want = append(want, v.Carts(timeout, math.MaxInt64/2, nil)...)
		}
		slices.SortFunc(all, func(a, b event) int {
			return cmp.Compare(a.time+int64(a.position%7)*minute, b.time+int64(b.position%7)*minute)
		})
		var state []byte
		var before int64
		for part := range slices.Chunk(all, 6) {
			watermark := part[0].time + int64(part[0].position%7)*minute - 7*minute
			given := len(got)
			got, state = advance(t, got, state, steps(t, r, part), watermark)
			for _, c := range got[given:] {
				if c.Last+timeout <= before {
					t.Errorf("a cart left at %d comes at watermark %d, after %d", c.Last+timeout, watermark, before)
				}
			}
			before = watermark
		}
		got, state = advance(t, got, state, nil, math.MaxInt64/2)
		if state != nil {
			t.Errorf("%d bytes of state are left", len(state))
		}
		order := func(a, b shop.Cart) int {
			return cmp.Or(cmp.Compare(a.Visitor, b.Visitor), cmp.Compare(a.Start, b.Start))
		}
		slices.SortFunc(want, order)
		slices.SortFunc(got, order)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("(-batch +live):\n%s", diff)
		}
		found += len(want)
	}
	if found < 200 {
		t.Errorf("only %d carts were left", found)
	}
}

func advance(t *testing.T, carts []shop.Cart, state []byte, parts []shop.Part, watermark int64) ([]shop.Cart, []byte) {
	t.Helper()
	var v shop.Visits
	if state != nil {
		parts = append(parts, shop.Part{Blob: state})
	}
	for _, p := range parts {
		if err := v.Add(p.Blob); err != nil {
			t.Fatal(err)
		}
	}
	rested, state, next := v.Advance(timeout, watermark)
	if state != nil && next <= watermark {
		t.Errorf("at %d, it is asked for again at %d", watermark, next)
	}
	for _, one := range rested {
		carts = append(carts, one.Carts(timeout, watermark, nil)...)
	}
	return carts, state
}

func item(id string, price, n int64) clickevents.ItemOf {
	return clickevents.ItemOf{ID: id, Price: &price, Quantity: n}
}

// TestACartIsLeftWhenNothingHappensForTheTimeout, to the millisecond; a purchase ends it,
// and so does taking the last item out.
func TestACartIsLeftWhenNothingHappensForTheTimeout(t *testing.T) {
	put := shop.Step{Kind: shop.Put, Currency: "EUR", Items: []clickevents.ItemOf{item("a", 300, 2)}}
	at := func(s shop.Step, ms int64) shop.Step { s.Time = begin + ms; return s }
	out := shop.Step{Kind: shop.Remove, Items: []clickevents.ItemOf{{ID: "a", Quantity: 2}}}
	some := shop.Step{Kind: shop.Remove, Items: []clickevents.ItemOf{{ID: "a", Quantity: 1}}}
	check, buy, view := shop.Step{Kind: shop.Checkout}, shop.Step{Kind: shop.Purchase}, shop.Step{Kind: shop.View}
	cart := func(start, last, adds, items, value int64, checkout bool, version int64) shop.Cart {
		return shop.Cart{Visitor: "v", Start: begin + start, Last: begin + last, Adds: adds, Items: items, Currency: "EUR", Value: value, Checkout: checkout, Version: version}
	}
	for name, c := range map[string]struct {
		steps []shop.Step
		until int64
		want  []shop.Cart
	}{
		"bought in time":       {[]shop.Step{put, at(buy, timeout-1)}, 1e12, nil},
		"bought too late":      {[]shop.Step{put, at(buy, timeout)}, 1e12, []shop.Cart{cart(0, 0, 1, 2, 600, false, 1)}},
		"emptied":              {[]shop.Step{put, at(out, 1)}, 1e12, nil},
		"a part is taken out":  {[]shop.Step{put, at(some, 1)}, 1e12, []shop.Cart{cart(0, 1, 1, 1, 300, false, 2)}},
		"looking is no change": {[]shop.Step{put, at(view, 1), at(check, 2)}, 1e12, []shop.Cart{cart(0, 2, 1, 2, 600, true, 2)}},
		"it may go on":         {[]shop.Step{put}, timeout - 1, nil},
		"it may not":           {[]shop.Step{put}, timeout, []shop.Cart{cart(0, 0, 1, 2, 600, false, 1)}},
		"another follows":      {[]shop.Step{put, at(put, timeout), at(buy, timeout+1)}, 1e12, []shop.Cart{cart(0, 0, 1, 2, 600, false, 1)}},
		"nothing was put in":   {[]shop.Step{at(check, 0)}, 1e12, nil},
	} {
		for i := range c.steps {
			if c.steps[i].Time == 0 {
				c.steps[i].Time = begin
			}
		}
		v := shop.Visitor{ID: "v", Steps: c.steps}
		if diff := gocmp.Diff(c.want, v.Carts(timeout, begin+c.until, nil)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestABasketIsTheItemsOfOneVisit(t *testing.T) {
	view := func(ms int64, ids ...string) (s shop.Step) {
		s = shop.Step{Kind: shop.View, Time: begin + ms}
		for _, id := range ids {
			s.Items = append(s.Items, clickevents.ItemOf{ID: id})
		}
		return s
	}
	buy := view(14*hour+31*minute, "c")
	buy.Kind = shop.Purchase
	v := shop.Visitor{Steps: []shop.Step{view(0, "b", "a"), view(minute, "a"), view(13*hour+59*minute, "z"), view(14*hour+1*minute, "y"), buy}}
	want := []shop.Basket{{Day: 20513, Viewed: []string{"a", "b"}}, {Day: 20513, Viewed: []string{"y", "z"}}, {Day: 20514, Bought: []string{"c"}}}
	if diff := gocmp.Diff(want, v.Baskets(30*minute)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestIdentitiesAreThoseOfAskingEveryEvent(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	all := events(r, 300)
	for i := range all {
		all[i].time += r.Int64N(30 * hour)
		all[i].channel = fmt.Sprint("u", r.IntN(3)) // the user
	}
	rows := 0
	for key, tab := range merged(t, r, all, shop.NewIdentities, func(p *shop.Identities, e *event) { p.Add(e.time, e.visitor, e.channel) }) {
		for _, row := range tab.Rows(nil) {
			rows++
			want := shop.IdentityRow{Visitor: row.Visitor, User: row.User, First: math.MaxInt64}
			for _, e := range all {
				if e.visitor == row.Visitor && e.channel == row.User && e.time/(24*hour) == row.First/(24*hour) {
					want.First, want.Last = min(want.First, e.time), max(want.Last, e.time)
					want.Events++
				}
			}
			want.Version = want.Events
			if diff := gocmp.Diff(want, row); diff != "" {
				t.Errorf("%s (-want +got):\n%s", key, diff)
			}
		}
	}
	seen := map[string]bool{}
	for _, e := range all {
		seen[fmt.Sprint(e.visitor, e.channel, e.time/(24*hour))] = true
	}
	if rows != len(seen) {
		t.Errorf("%d rows, want %d", rows, len(seen))
	}
}

// FuzzMerge: what is no partial result is refused, and nothing panics.
func FuzzMerge(tf *testing.F) {
	f := mutate.Of(tf)
	r := rand.New(rand.NewPCG(9, 9))
	p, rev := shop.NewProducts(), shop.NewMinuteRevenue()
	c := shop.NewCollector()
	for _, e := range events(r, 5) {
		p.Add(e.time, e.name, e.currency, e.items)
		rev.Add(e.time, e.name, e.currency, e.channel, e.value)
		c.Add(e.visitor, shop.Step{Time: e.time, Kind: shop.KindOf(e.name), Items: e.items})
	}
	for _, part := range append(p.Parts(), rev.Parts()...) {
		f.Add(part.Blob)
	}
	f.Add(c.Flush(1)[0].Blob)
	f.Fuzz(func(_ *testing.T, blob []byte) {
		_ = shop.NewProducts().Merge(blob)
		_ = shop.NewDayRevenue().Merge(blob)
		_ = shop.NewMinuteRevenue().Merge(blob)
		_ = shop.NewIdentities().Merge(blob)
		_ = new(shop.Visits).Add(blob)
	})
}
