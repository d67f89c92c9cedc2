package clickstream

import "millrace/schemas/table"

// Product is what became of an item in an hour.
type Product struct {
	WindowStart   table.Millis `col:"window_start,sort1,day" doc:"start of the window, UTC"`
	WindowSeconds int32        `col:"window_seconds" doc:"length of the window"`
	ItemID        string       `col:"item_id,sort2" mask:"scanned" doc:"id of the item; findings masked"`
	Currency      string       `col:"currency,sort3" mask:"none" doc:"ISO 4217 code of the revenue; empty for what has no price"`
	Rank          int32        `col:"rank" doc:"place among the items of the window, by revenue of each currency, then purchases, carts and views, then id"`
	Views         int64        `col:"views" doc:"views of the item (view_item)"`
	Carts         int64        `col:"carts" doc:"units put in carts (add_to_cart)"`
	Purchases     int64        `col:"purchases" doc:"units bought (purchase), less those given back (refund)"`
	Revenue       int64        `col:"revenue" doc:"price times units of purchases less refunds, minor units"`
	Version       int64        `col:"version" doc:"revision * 2^32 + events of the window with items; the greater one wins"`
}

// Columns of Product.
const (
	ProductWindowStart = iota
	ProductWindowSeconds
	ProductItemID
	ProductCurrency
	ProductRank
	ProductViews
	ProductCarts
	ProductPurchases
	ProductRevenue
	ProductVersion
)

// Products is the schema of Product.
var Products = table.MustOf[Product]("clickstream.products", 1)

// Revenue is what was taken in a window.
type Revenue struct {
	WindowStart   table.Millis `col:"window_start,sort1,day" doc:"start of the window, UTC"`
	WindowSeconds int32        `col:"window_seconds,sort2" doc:"length of the window: 60 or 86400"`
	Currency      string       `col:"currency,sort3" mask:"none" doc:"ISO 4217 code of the amounts"`
	Channel       string       `col:"channel,sort4" mask:"none" doc:"channel that the purchase's own event tells of; empty when it tells none"`
	Purchases     int64        `col:"purchases" doc:"purchases"`
	Refunds       int64        `col:"refunds" doc:"refunds"`
	Gross         int64        `col:"gross" doc:"value of the purchases, minor units"`
	Refunded      int64        `col:"refunded" doc:"value of the refunds, minor units"`
	Net           int64        `col:"net" doc:"gross less refunded, minor units"`
	Version       int64        `col:"version" doc:"revision * 2^32 + purchases and refunds of the row; the greater one wins"`
}

// Columns of Revenue.
const (
	RevenueWindowStart = iota
	RevenueWindowSeconds
	RevenueCurrency
	RevenueChannel
	RevenuePurchases
	RevenueRefunds
	RevenueGross
	RevenueRefunded
	RevenueNet
	RevenueVersion
)

// RevenueRows is the schema of Revenue.
var RevenueRows = table.MustOf[Revenue]("clickstream.revenue", 1)

// Visitor counts the visitors of a day.
type Visitor struct {
	Day      table.Day `col:"day,sort1,day" doc:"UTC day"`
	Visitors int64     `col:"visitors" doc:"distinct visitors that agreed to analytics"`
	Known    int64     `col:"known_visitors" doc:"those of them that were known as users on the day"`
	Exact    bool      `col:"exact" doc:"counted one by one; otherwise both are HyperLogLog estimates"`
	Version  int64     `col:"version" doc:"revision * 2^32 + events of the day's visitors; the greater one wins"`
}

// Columns of Visitor.
const (
	VisitorDay = iota
	VisitorVisitors
	VisitorKnown
	VisitorExact
	VisitorVersion
)

// Visitors is the schema of Visitor.
var Visitors = table.MustOf[Visitor]("clickstream.visitors", 1)
