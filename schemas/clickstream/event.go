// Package clickstream defines the rows that the clickstream job writes. Events are
// named as those of Google Analytics 4.
package clickstream

import "millrace/schemas/table"

// Event is one event of a shop, masked. Money is in minor units of its currency: of
// EUR in cents, of JPY in yen.
type Event struct {
	EventID       table.ID      `col:"event_id" ecs:"event.id" doc:"UUID v5 of the record's origin: the same line always gets the same id"`
	EventTime     table.Millis  `col:"event_time,sort1,day" ecs:"@timestamp" doc:"when it happened, UTC; the device's clock corrected where the event says when it was sent and received"`
	Name          string        `col:"name" mask:"none" ecs:"event.action" doc:"what happened, as Google Analytics 4 names it: view_item, add_to_cart, purchase and others"`
	VisitorID     *string       `col:"visitor_id,null" mask:"token" doc:"keyed token of the browser or app installation, else of the user; null without consent to analytics"`
	UserID        *string       `col:"user_id,null" mask:"token" ecs:"user.id" doc:"keyed token of the known user; null when nobody is known, and without consent to analytics"`
	ClientEventID *string       `col:"client_event_id,null" mask:"token" doc:"keyed token of the id that the producer gave the event: one that comes again is a duplicate"`
	ArrivalTime   *table.Millis `col:"arrival_time,null" doc:"when the event reached us, UTC; null when nobody noted it"`
	DeviceTime    *table.Millis `col:"device_time,null" doc:"event time by the device's clock, where it was corrected"`
	Late          bool          `col:"late" doc:"read after the watermark and the allowed lateness had passed it"`
	LateByMs      *int64        `col:"late_by_ms,null" doc:"by how many milliseconds; null when in time"`
	Version       int32         `col:"schema_version" doc:"version of the event's form, 1 or 2"`
	Platform      *string       `col:"platform,null" mask:"none" doc:"web, android, ios or server"`
	Device        *string       `col:"device,null" mask:"none" doc:"desktop, mobile, tablet or tv"`
	OS            *string       `col:"os,null" mask:"scanned" ecs:"user_agent.os.name" doc:"operating system; findings masked"`
	Browser       *string       `col:"browser,null" mask:"scanned" ecs:"user_agent.name" doc:"browser; findings masked"`
	Language      *string       `col:"language,null" mask:"scanned" doc:"language of the device; findings masked"`
	ClientIP      *string       `col:"client_ip,null" mask:"truncated" ecs:"client.ip" doc:"network of the client: IPv4 /24, IPv6 /48"`
	PageHost      *string       `col:"page_host,null" mask:"scanned" ecs:"url.domain" doc:"host of the page; findings masked"`
	PagePath      *string       `col:"page_path,null" mask:"scanned" ecs:"url.path" doc:"path of the page, or name of an app's screen; findings masked"`
	PageQuery     *string       `col:"page_query,null" mask:"scanned" ecs:"url.query" doc:"query of the page; findings masked"`
	Referrer      *string       `col:"referrer,null" mask:"scanned" ecs:"http.request.referrer" doc:"referring page; findings masked"`
	SearchTerm    *string       `col:"search_term,null" mask:"scanned" doc:"what was searched for; findings masked"`
	List          *string       `col:"list,null" mask:"scanned" doc:"list in which items were shown; findings masked"`
	Source        *string       `col:"traffic_source,null" mask:"scanned" doc:"where the visit comes from; null when the event does not say, and without consent to ads where a campaign says it"`
	Medium        *string       `col:"traffic_medium,null" mask:"scanned" doc:"by what: organic, referral, email, cpc, ..., or (none)"`
	Campaign      *string       `col:"traffic_campaign,null" mask:"scanned" doc:"name of the campaign, if one was said"`
	Channel       *string       `col:"traffic_channel,null" mask:"none" doc:"channel of the attribution rules that source, medium and campaign fit"`
	Analytics     bool          `col:"consent_analytics" doc:"whether the user agreed to analytics"`
	Ads           bool          `col:"consent_ads" doc:"whether the user agreed to advertising"`
	Currency      *string       `col:"currency,null" mask:"none" doc:"ISO 4217 code of the amounts"`
	Value         *int64        `col:"value,null" doc:"value of the event, minor units; null when there is none"`
	Tax           *int64        `col:"tax,null" doc:"tax in it, minor units"`
	Shipping      *int64        `col:"shipping,null" doc:"cost of shipping, minor units"`
	Coupon        *string       `col:"coupon,null" mask:"scanned" doc:"coupon; findings masked"`
	TransactionID *string       `col:"transaction_id,null" mask:"token" doc:"keyed token of the order's number"`
	Items         *string       `col:"items,null" mask:"scanned" doc:"items, a list in JSON of objects with id, name, category, brand, variant, price (minor units) and quantity; findings masked"`
	ItemCount     int32         `col:"item_count" doc:"number of entries in items"`
	PageView      bool          `col:"page_view" doc:"whether it is a view of a page or of an app's screen"`
	Origin        string        `col:"source,sort2" mask:"hash" ecs:"log.file.fingerprint" doc:"identity of the file or shard, 32 hex digits of SHA-256: over the first 64 KiB of the file, or over the names of stream and shard"`
	Position      int64         `col:"position,sort4" ecs:"log.offset" doc:"byte offset of the line in the decompressed file, or number of the line in the stream record"`
	Sequence      *string       `col:"sequence,null,sort3" mask:"none" doc:"sequence number of the stream record, with leading zeros; null for files"`
}

// Columns of Event.
const (
	EventID = iota
	EventTime
	EventName
	EventVisitorID
	EventUserID
	EventClientEventID
	EventArrivalTime
	EventDeviceTime
	EventLate
	EventLateByMs
	EventVersion
	EventPlatform
	EventDevice
	EventOS
	EventBrowser
	EventLanguage
	EventClientIP
	EventPageHost
	EventPagePath
	EventPageQuery
	EventReferrer
	EventSearchTerm
	EventList
	EventTrafficSource
	EventTrafficMedium
	EventTrafficCampaign
	EventTrafficChannel
	EventAnalytics
	EventAds
	EventCurrency
	EventValue
	EventTax
	EventShipping
	EventCoupon
	EventTransactionID
	EventItems
	EventItemCount
	EventPageView
	EventSource
	EventPosition
	EventSequence
)

// Events is the schema of Event.
var Events = table.MustOf[Event]("clickstream.events", 1)
