package transforms

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"millrace/schemas/clickstream"
	"millrace/schemas/table"
	"millrace/transforms/clickevents"
	"millrace/transforms/recommend"
	"millrace/transforms/rollup"
	"millrace/transforms/shop"
	"millrace/transforms/sketch"
)

// ShopOptions are those of the tables of a shop.
type ShopOptions struct {
	ExactVisitors int // visitors of a day that are counted one by one
	Recommend     recommend.Options
}

// Tables is the set of them as Tables takes it.
func (o ShopOptions) Tables(c Common) TableConfig {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err) // numbers always encode
	}
	return TableConfig{Common: c, Set: "shop", Options: b}
}

func newShopTables(options []byte) (map[string]mergedTable, error) {
	var o ShopOptions
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, fmt.Errorf("options of the tables of a shop: %w", err)
	}
	return map[string]mergedTable{
		"products": productTable{shop.NewProducts()}, "visitors": visitorTable{rollup.NewVisitors(o.ExactVisitors)},
		"revenue.minute": revenueTable{shop.NewMinuteRevenue()}, "revenue.day": revenueTable{shop.NewDayRevenue()},
		"identities":      identityTable{shop.NewIdentities()},
		"recommendations": recommendTable{recommend.New(), o.Recommend},
	}, nil
}

// shopOutputs are those that the tables of a shop become, where events are counted for them
// as they are.
var shopOutputs = []string{"products", "revenue", "visitors", "identities"}

// shopRollups are the tables that one goroutine fills from rows of events. Those that
// nobody asks for are nil.
type shopRollups struct {
	products    *shop.Products
	minute, day *shop.Revenue
	visitors    *rollup.Visitors
	identities  *shop.Identities
}

// newShopRollups makes the tables of some outputs.
func newShopRollups(o ShopOptions, makes func(output string) bool) *shopRollups {
	r := &shopRollups{}
	if makes("products") {
		r.products = shop.NewProducts()
	}
	if makes("revenue") {
		r.minute, r.day = shop.NewMinuteRevenue(), shop.NewDayRevenue()
	}
	if makes("visitors") {
		r.visitors = rollup.NewVisitors(o.ExactVisitors)
	}
	if makes("identities") {
		r.identities = shop.NewIdentities()
	}
	return r
}

// event is what the tables need of one.
type shopEvent struct {
	time                    int64
	name, currency, channel string
	value                   int64
	items                   []clickevents.ItemOf
	visitor, user           string // empty of nobody
}

func (r *shopRollups) add(e *shopEvent) {
	if r.products != nil {
		r.products.Add(e.time, e.name, e.currency, e.items)
	}
	if r.minute != nil {
		r.minute.Add(e.time, e.name, e.currency, e.channel, e.value)
		r.day.Add(e.time, e.name, e.currency, e.channel, e.value)
	}
	if r.visitors != nil && e.visitor != "" {
		// Who is not known stands where bots do: both are counted apart.
		r.visitors.Add(e.time, sketch.Hash([]byte(e.visitor)), e.user == "")
	}
	if r.identities != nil && e.user != "" && e.visitor != e.user {
		r.identities.Add(e.time, e.visitor, e.user)
	}
}

// take hands over the tables' partial aggregates and empties the tables.
func (r *shopRollups) take(emit func(key string, blob []byte)) {
	take := func(name string, t accumulator) {
		for _, p := range t.Parts() {
			emit(name+"/"+p.Key, p.Blob)
		}
		t.Reset()
	}
	if r.products != nil {
		take("products", r.products)
	}
	if r.minute != nil {
		take("revenue.minute", r.minute)
		take("revenue.day", r.day)
	}
	if r.visitors != nil {
		take("visitors", r.visitors)
	}
	if r.identities != nil {
		take("identities", r.identities)
	}
}

type productTable struct{ *shop.Products }

func (t productTable) rows(_ string, revision rollup.Revision) (*table.Batch, error) {
	b := table.NewBatch(clickstream.Products)
	for _, r := range t.Rows(revision) {
		b.PutInt(clickstream.ProductWindowStart, r.Start)
		b.PutInt(clickstream.ProductWindowSeconds, 3600)
		b.PutString(clickstream.ProductItemID, r.Item)
		b.PutString(clickstream.ProductCurrency, r.Currency)
		b.PutInt(clickstream.ProductRank, int64(r.Rank))
		b.PutInt(clickstream.ProductViews, r.Views)
		b.PutInt(clickstream.ProductCarts, r.Carts)
		b.PutInt(clickstream.ProductPurchases, r.Purchases)
		b.PutInt(clickstream.ProductRevenue, r.Revenue)
		b.PutInt(clickstream.ProductVersion, r.Version)
		b.EndRow()
	}
	return b, nil
}

type revenueTable struct{ *shop.Revenue }

func (t revenueTable) rows(_ string, revision rollup.Revision) (*table.Batch, error) {
	b := table.NewBatch(clickstream.RevenueRows)
	for _, r := range t.Rows(revision) {
		b.PutInt(clickstream.RevenueWindowStart, r.Start)
		b.PutInt(clickstream.RevenueWindowSeconds, int64(r.Window/time.Second))
		b.PutString(clickstream.RevenueCurrency, r.Currency)
		b.PutString(clickstream.RevenueChannel, r.Channel)
		b.PutInt(clickstream.RevenuePurchases, r.Purchases)
		b.PutInt(clickstream.RevenueRefunds, r.Refunds)
		b.PutInt(clickstream.RevenueGross, r.Gross)
		b.PutInt(clickstream.RevenueRefunded, r.Refunded)
		b.PutInt(clickstream.RevenueNet, r.Gross-r.Refunded)
		b.PutInt(clickstream.RevenueVersion, r.Version)
		b.EndRow()
	}
	return b, nil
}

type visitorTable struct{ *rollup.Visitors }

func (t visitorTable) rows(_ string, revision rollup.Revision) (*table.Batch, error) {
	rows, err := t.Rows(revision)
	b := table.NewBatch(clickstream.Visitors)
	for _, r := range rows {
		b.Append(&clickstream.Visitor{Day: table.Day(r.Day), Visitors: r.Visitors, Known: r.WithoutBots, Exact: r.Exact, Version: r.Version})
	}
	return b, err
}

type identityTable struct{ *shop.Identities }

func (t identityTable) rows(_ string, revision rollup.Revision) (*table.Batch, error) {
	b := table.NewBatch(clickstream.Identities)
	for _, r := range t.Rows(revision) {
		b.PutInt(clickstream.IdentityDay, table.FloorDay(r.First))
		b.PutString(clickstream.IdentityVisitorID, r.Visitor)
		b.PutString(clickstream.IdentityUserID, r.User)
		b.PutInt(clickstream.IdentityFirstTime, r.First)
		b.PutInt(clickstream.IdentityLastTime, r.Last)
		b.PutInt(clickstream.IdentityEvents, r.Events)
		b.PutInt(clickstream.IdentityVersion, r.Version)
		b.EndRow()
	}
	return b, nil
}

type recommendTable struct {
	*recommend.Counter
	options recommend.Options
}

// Parts are what was merged: each day once.
func (t recommendTable) Parts() []rollup.Part {
	return t.Counter.Parts(recommend.Options{Days: 1})
}

func (t recommendTable) rows(key string, revision rollup.Revision) (*table.Batch, error) {
	day, err := time.Parse(time.DateOnly, key[strings.LastIndexByte(key, '/')+1:])
	if err != nil {
		return nil, fmt.Errorf("recommendations of %s: %w", key, err)
	}
	b := table.NewBatch(clickstream.Recommendations)
	number := table.FloorDay(day.UnixMilli())
	for _, r := range t.Rows(number, t.options, revision) {
		b.PutInt(clickstream.RecommendationDay, number)
		b.PutString(clickstream.RecommendationKind, r.Kind)
		b.PutString(clickstream.RecommendationItemID, r.Item)
		b.PutInt(clickstream.RecommendationRank, int64(r.Rank))
		b.PutString(clickstream.RecommendationOther, r.Other)
		b.PutFloat(clickstream.RecommendationScore, r.Score)
		b.PutInt(clickstream.RecommendationVisits, r.Visits)
		b.PutInt(clickstream.RecommendationVersion, r.Version)
		b.EndRow()
	}
	return b, nil
}
