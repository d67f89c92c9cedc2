package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"millrace/internal/columns"
)

var shopSection = section{
	ID: "shop", Title: "Revenue and products", Nav: "Revenue",
	collect: collectShop,
	shown:   func(d *Data) bool { return d.Shop != nil },
	data:    func(d *Data) any { return d.Shop },
}

// shopSections are the sections that mean something for events of a shop.
var shopSections = []string{"shop", "alerts", "anomalies", "sessions", "funnels", "channels", "badrows", "ledger"}

// Shop is what was sold. Amounts are in minor units of their currency.
type Shop struct {
	First      int64          `json:"first"`     // start of the first day with an event, Unix ms
	End        int64          `json:"end"`       // end of the last
	Consented  int64          `json:"consented"` // events with consent to analytics
	Purchases  int64          `json:"purchases"`
	Refunds    int64          `json:"refunds"`
	Carts      int64          `json:"carts"` // abandoned
	Currencies []Takings      `json:"currencies"`
	Products   []ProductSales `json:"products"`
	MaxError   int64          `json:"max_error"` // more products than fit: counts can be too low by this; 0 is exact
}

// Takings are those of a currency.
type Takings struct {
	Currency  string `json:"currency"`
	Purchases int64  `json:"purchases"`
	Refunds   int64  `json:"refunds"`
	Gross     int64  `json:"gross"`
	Refunded  int64  `json:"refunded"`
}

// Net is what is left of it.
func (t Takings) Net() int64 { return t.Gross - t.Refunded }

// ProductSales are those of an item.
type ProductSales struct {
	Item, Currency string
	Views, Carts   int64
	Purchases      int64
	Revenue        int64
}

const (
	topProducts = 20
	maxProducts = 50_000
)

// collectShop leaves Shop nil for a lake of another job.
func collectShop(ctx context.Context, src Source, d *Data) error {
	files, err := src.Files(ctx, "products")
	if err != nil {
		return fmt.Errorf("list files of output products: %w", err)
	}
	more, err := src.Files(ctx, "revenue")
	if err != nil {
		return fmt.Errorf("list files of output revenue: %w", err)
	}
	if len(files)+len(more) == 0 {
		return nil
	}
	s := &Shop{}
	d.Shop = s
	for _, one := range []func(context.Context, Source, *Data) error{collectConsent, collectTakings, collectProducts} {
		if err := one(ctx, src, d); err != nil {
			return err
		}
	}
	return scan(ctx, src, "abandoned_carts", []string{"items"}, func(b columns.Batch) error { s.Carts += int64(b.Rows()); return nil })
}

func collectConsent(ctx context.Context, src Source, d *Data) error {
	d.Events = 0
	return scan(ctx, src, "events", []string{"consent_analytics", "event_time"}, func(b columns.Batch) error {
		s := d.Shop
		for i := range b.Rows() {
			s.Consented += one(b[0][i].Boolean())
			at := columns.Number(b[1][i])
			if day := at - at%dayMs; d.Events == 0 && i == 0 || day < s.First {
				s.First = day
			}
			s.End = max(s.End, at-at%dayMs+dayMs)
		}
		d.Events += int64(b.Rows())
		return nil
	})
}

func collectTakings(ctx context.Context, src Source, d *Data) error {
	by := map[string]*Takings{}
	names := []string{"window_seconds", "currency", "purchases", "refunds", "gross", "refunded"}
	err := scan(ctx, src, "revenue", names, func(b columns.Batch) error {
		for i := range b.Rows() {
			if columns.Number(b[0][i]) != 86_400 {
				continue
			}
			code := string(columns.Text(b[1][i]))
			if by[code] == nil {
				by[code] = &Takings{Currency: code}
			}
			t := by[code]
			t.Purchases += columns.Number(b[2][i])
			t.Refunds += columns.Number(b[3][i])
			t.Gross += columns.Number(b[4][i])
			t.Refunded += columns.Number(b[5][i])
		}
		return nil
	})
	for _, t := range by {
		d.Shop.Currencies = append(d.Shop.Currencies, *t)
		d.Shop.Purchases += t.Purchases
		d.Shop.Refunds += t.Refunds
	}
	slices.SortFunc(d.Shop.Currencies, func(a, b Takings) int {
		return cmp.Or(cmp.Compare(b.Purchases, a.Purchases), cmp.Compare(a.Currency, b.Currency))
	})
	return err
}

func collectProducts(ctx context.Context, src Source, d *Data) error {
	items := newTally[ProductSales](maxProducts)
	var key []byte
	names := []string{"item_id", "currency", "views", "carts", "purchases", "revenue"}
	err := scan(ctx, src, "products", names, func(b columns.Batch) error {
		for i := range b.Rows() {
			key = append(append(append(key[:0], columns.Text(b[0][i])...), 0), columns.Text(b[1][i])...)
			p := &items.add(key, columns.Number(b[2][i])).value
			p.Views += columns.Number(b[2][i])
			p.Carts += columns.Number(b[3][i])
			p.Purchases += columns.Number(b[4][i])
			p.Revenue += columns.Number(b[5][i])
		}
		return nil
	})
	d.Shop.MaxError = items.lost
	for _, e := range items.top(topProducts, byCount) {
		p := e.value
		p.Item, p.Currency, _ = strings.Cut(e.key, "\x00")
		d.Shop.Products = append(d.Shop.Products, p)
	}
	return err
}

// minorDigits are the digits after the point of the currencies that have not two.
var minorDigits = map[string]int{"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "XAF": 0, "XOF": 0, "PYG": 0, "UGX": 0, "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3, "IQD": 3, "LYD": 3}

// money writes an amount in minor units: 1 234.50 EUR.
func money(minor int64, code string) string {
	digits, other := minorDigits[code]
	if !other {
		digits = 2
	}
	sign := ""
	if minor < 0 {
		sign, minor = "−", -minor
	}
	unit := int64(1)
	for range digits {
		unit *= 10
	}
	text := sign + num(minor/unit)
	if digits > 0 {
		rest := strconv.FormatInt(minor%unit+unit, 10)
		text += "." + rest[1:]
	}
	return strings.TrimSpace(text + " " + code)
}

// shopTiles are the headline figures of a shop.
func shopTiles(d *Data) []Tile {
	list := []Tile{
		{ID: "shop", Label: "Events", Name: "tile.events", Value: d.Events, Shown: num(d.Events), Note: percent(d.Shop.Consented, d.Events) + " with consent"},
		{ID: "sessions", Label: "Sessions", Name: "tile.sessions", Value: d.Sessions.People, Shown: num(d.Sessions.People), Note: "median " + span(d.Sessions.MedianMs)},
		{ID: "sessions", Label: "Engaged", Name: "tile.engaged", Value: d.Sessions.Engaged, Shown: percent(d.Sessions.Engaged, d.Sessions.People), Note: "of sessions"},
		{ID: "sessions", Label: "Bounce", Name: "tile.bounces", Value: d.Sessions.Bounces, Shown: percent(d.Sessions.Bounces, d.Sessions.People), Note: depthNote(&d.Sessions)},
		{ID: "shop", Label: "Purchases", Name: "tile.purchases", Value: d.Shop.Purchases, Shown: num(d.Shop.Purchases), Note: percent(d.Shop.Purchases, d.Sessions.People) + " of sessions"},
		{ID: "shop", Label: "Refunds", Name: "tile.refunds", Value: d.Shop.Refunds, Shown: num(d.Shop.Refunds), Note: percent(d.Shop.Refunds, d.Shop.Purchases) + " of purchases"},
		{ID: "shop", Label: "Abandoned carts", Name: "tile.carts", Value: d.Shop.Carts, Shown: num(d.Shop.Carts)},
	}
	if d.Sessions.People == 0 {
		list[1].Note, list[2].Note, list[4].Note = "none", "", ""
	}
	return append(list, badTile(d))
}
