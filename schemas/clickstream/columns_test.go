package clickstream

import (
	"testing"

	"millrace/schemas/table"
)

// TestTheColumnNumbersNameTheirColumns guards against a field that moved without
// its number: values would land in the wrong column, and some would fit.
func TestTheColumnNumbersNameTheirColumns(t *testing.T) {
	for _, c := range []struct {
		schema  *table.Schema
		columns map[string]int
	}{
		{Events, map[string]int{
			"event_id":          EventID,
			"event_time":        EventTime,
			"name":              EventName,
			"visitor_id":        EventVisitorID,
			"user_id":           EventUserID,
			"client_event_id":   EventClientEventID,
			"arrival_time":      EventArrivalTime,
			"device_time":       EventDeviceTime,
			"late":              EventLate,
			"late_by_ms":        EventLateByMs,
			"schema_version":    EventVersion,
			"platform":          EventPlatform,
			"device":            EventDevice,
			"os":                EventOS,
			"browser":           EventBrowser,
			"language":          EventLanguage,
			"client_ip":         EventClientIP,
			"page_host":         EventPageHost,
			"page_path":         EventPagePath,
			"page_query":        EventPageQuery,
			"referrer":          EventReferrer,
			"search_term":       EventSearchTerm,
			"list":              EventList,
			"traffic_source":    EventTrafficSource,
			"traffic_medium":    EventTrafficMedium,
			"traffic_campaign":  EventTrafficCampaign,
			"traffic_channel":   EventTrafficChannel,
			"consent_analytics": EventAnalytics,
			"consent_ads":       EventAds,
			"currency":          EventCurrency,
			"value":             EventValue,
			"tax":               EventTax,
			"shipping":          EventShipping,
			"coupon":            EventCoupon,
			"transaction_id":    EventTransactionID,
			"items":             EventItems,
			"item_count":        EventItemCount,
			"page_view":         EventPageView,
			"source":            EventSource,
			"position":          EventPosition,
			"sequence":          EventSequence,
		}},
		{Products, map[string]int{
			"window_start":   ProductWindowStart,
			"window_seconds": ProductWindowSeconds,
			"item_id":        ProductItemID,
			"currency":       ProductCurrency,
			"rank":           ProductRank,
			"views":          ProductViews,
			"carts":          ProductCarts,
			"purchases":      ProductPurchases,
			"revenue":        ProductRevenue,
			"version":        ProductVersion,
		}},
		{RevenueRows, map[string]int{
			"window_start":   RevenueWindowStart,
			"window_seconds": RevenueWindowSeconds,
			"currency":       RevenueCurrency,
			"channel":        RevenueChannel,
			"purchases":      RevenuePurchases,
			"refunds":        RevenueRefunds,
			"gross":          RevenueGross,
			"refunded":       RevenueRefunded,
			"net":            RevenueNet,
			"version":        RevenueVersion,
		}},
		{Visitors, map[string]int{
			"day":            VisitorDay,
			"visitors":       VisitorVisitors,
			"known_visitors": VisitorKnown,
			"exact":          VisitorExact,
			"version":        VisitorVersion,
		}},
		{Carts, map[string]int{
			"visitor_id": CartVisitorID,
			"start_time": CartStartTime,
			"last_time":  CartLastTime,
			"adds":       CartAdds,
			"items":      CartItems,
			"currency":   CartCurrency,
			"value":      CartValue,
			"checkout":   CartCheckout,
			"version":    CartVersion,
		}},
		{Recommendations, map[string]int{
			"day":            RecommendationDay,
			"kind":           RecommendationKind,
			"item_id":        RecommendationItemID,
			"rank":           RecommendationRank,
			"recommended_id": RecommendationOther,
			"score":          RecommendationScore,
			"visits":         RecommendationVisits,
			"version":        RecommendationVersion,
		}},
		{Identities, map[string]int{
			"day": IdentityDay, "visitor_id": IdentityVisitorID, "user_id": IdentityUserID, "first_time": IdentityFirstTime,
			"last_time": IdentityLastTime, "events": IdentityEvents, "version": IdentityVersion,
		}},
	} {
		if len(c.columns) != len(c.schema.Columns) {
			t.Errorf("%s has %d columns, %d have a number", c.schema.ID(), len(c.schema.Columns), len(c.columns))
		}
		for name, number := range c.columns {
			if i, ok := c.schema.Index(name); !ok || i != number {
				t.Errorf("%s: the number of %s is %d, the column is %d (%t)", c.schema.ID(), name, number, i, ok)
			}
		}
	}
}
