// Package clickevents reads events of a shop as its pages, apps and servers send
// them: one JSON object a line, named as Google Analytics 4 names events.
//
//	{"v":1, "event_id":"7f3c", "name":"add_to_cart",
//	 "time":"2026-03-01T10:00:00.250Z", "sent_at":"2026-03-01T10:00:02Z", "received_at":"2026-03-01T10:00:02.100Z",
//	 "client_id":"b1946ac9", "user_id":"u-17", "platform":"web", "ip":"203.0.113.9",
//	 "device":{"category":"mobile", "os":"Android", "browser":"Chrome", "language":"de-DE"},
//	 "consent":{"analytics":true, "ads":false},
//	 "page":{"location":"https://shop.example/p/42?utm_source=news", "referrer":"https://www.example.org/"},
//	 "campaign":{"source":"news", "medium":"email", "name":"spring"},
//	 "currency":"EUR", "value":19.9, "items":[{"item_id":"42", "item_name":"Cup", "price":9.95, "quantity":2}]}
//
// # Forms
//
// v is 1 or 2. They differ in money alone: in form 1 price, value, tax and shipping
// are decimal amounts, read exactly; in form 2 they are whole minor units (1990 for
// 19.90 EUR). Digits after the point of form 1 are those of the currency in ISO 4217:
// none for JPY, three for KWD. More of them are refused, unless they are zeros.
// Members that are not listed here are passed over, so that one can be added; an
// unknown form, or an unknown name of an event, is a bad row.
//
// # Time
//
// Times are ISO 8601 with an offset, or Unix milliseconds. Where an event says when
// its device sent it and when it was received, event time is received_at - (sent_at -
// time): a clock that is wrong is wrong for both of the device's times (Snowplow calls
// this the derived time). An event that says it was sent before it happened keeps its
// time. [EventTime] reads the time alone, by the same rules.
//
// # Consent
//
// consent.analytics decides whether the event tells of a person: without it, ids,
// address, device, page and search are not kept, only what happened, when and for how
// much. consent.ads decides whether campaigns are kept. What an event does not say is
// decided by [Options].
package clickevents
