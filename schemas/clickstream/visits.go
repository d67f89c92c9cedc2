package clickstream

import "millrace/schemas/table"

// Cart is a cart that its visitor left.
type Cart struct {
	VisitorID string       `col:"visitor_id,sort2" mask:"token" doc:"keyed token of the visitor"`
	StartTime table.Millis `col:"start_time,sort1,day" doc:"when its first item was put in, UTC"`
	LastTime  table.Millis `col:"last_time" doc:"when it was changed last, UTC"`
	Adds      int64        `col:"adds" doc:"events that put items in"`
	Items     int64        `col:"items" doc:"units in it when it was left"`
	Currency  string       `col:"currency" mask:"none" doc:"ISO 4217 code of the value; empty where items had no price or prices in several currencies"`
	Value     int64        `col:"value" doc:"price times units of what was in it, minor units; 0 without a currency"`
	Checkout  bool         `col:"checkout" doc:"whether a checkout was begun"`
	Version   int64        `col:"version" doc:"revision * 2^32 + events of the cart; the greater one wins"`
}

// Columns of Cart.
const (
	CartVisitorID = iota
	CartStartTime
	CartLastTime
	CartAdds
	CartItems
	CartCurrency
	CartValue
	CartCheckout
	CartVersion
)

// Carts is the schema of Cart.
var Carts = table.MustOf[Cart]("clickstream.abandoned_carts", 1)

// Recommendation is an item that goes with another.
type Recommendation struct {
	Day     table.Day `col:"day,sort1,day" doc:"UTC day after which it holds"`
	Kind    string    `col:"kind,sort2" mask:"none" doc:"view (seen in one visit), purchase (bought in one visit) or popular (by views alone, for every item; item_id is empty)"`
	ItemID  string    `col:"item_id,sort3" mask:"scanned" doc:"item for which it is recommended"`
	Rank    int32     `col:"rank,sort4" doc:"place, from 1"`
	Other   string    `col:"recommended_id" mask:"scanned" doc:"item that is recommended"`
	Score   float64   `col:"score" doc:"shrunk cosine of the visits with either item, 0 to 1; for popular the decayed number of visits"`
	Visits  int64     `col:"visits" doc:"visits with both; for popular with the recommended item"`
	Version int64     `col:"version" doc:"revision * 2^32 + visits of the days it follows from; the greater one wins"`
}

// Columns of Recommendation.
const (
	RecommendationDay = iota
	RecommendationKind
	RecommendationItemID
	RecommendationRank
	RecommendationOther
	RecommendationScore
	RecommendationVisits
	RecommendationVersion
)

// Recommendations is the schema of Recommendation.
var Recommendations = table.MustOf[Recommendation]("clickstream.recommendations", 1)

// Identity is which known user a visitor is on a day.
type Identity struct {
	Day       table.Day    `col:"day,sort1,day" doc:"UTC day"`
	VisitorID string       `col:"visitor_id,sort2" mask:"token" doc:"keyed token of the browser or app installation"`
	UserID    string       `col:"user_id,sort3" mask:"token" doc:"keyed token of the user"`
	FirstTime table.Millis `col:"first_time" doc:"first event of the day that tells so, UTC: from then on the visitor is this user"`
	LastTime  table.Millis `col:"last_time" doc:"last event of the day that tells so, UTC"`
	Events    int64        `col:"events" doc:"events of the day that tell so"`
	Version   int64        `col:"version" doc:"revision * 2^32 + events; the greater one wins"`
}

// Columns of Identity.
const (
	IdentityDay = iota
	IdentityVisitorID
	IdentityUserID
	IdentityFirstTime
	IdentityLastTime
	IdentityEvents
	IdentityVersion
)

// Identities is the schema of Identity.
var Identities = table.MustOf[Identity]("clickstream.identities", 1)
