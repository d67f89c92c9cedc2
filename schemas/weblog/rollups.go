package weblog

import "millrace/schemas/table"

// Traffic is the number of requests of one status class in one window.
type Traffic struct {
	WindowStart   table.Millis `col:"window_start,sort1,day" ts:"time" doc:"start of the window, UTC"`
	WindowSeconds int32        `col:"window_seconds,sort2" ts:"dimension" doc:"length of the window: 1 or 60; part of the key"`
	StatusClass   string       `col:"status_class,sort3" mask:"none" ts:"dimension" doc:"1xx to 5xx, or other"`
	Views         int64        `col:"views" doc:"requests"`
	Bytes         int64        `col:"bytes" doc:"bytes sent"`
	Version       int64        `col:"version" doc:"revision * 2^32 + requests in the row; the greater one wins"`
}

// Columns of Traffic.
const (
	TrafficWindowStart = iota
	TrafficWindowSeconds
	TrafficStatusClass
	TrafficViews
	TrafficBytes
	TrafficVersion
)

// TrafficRows is the schema of Traffic.
var TrafficRows = table.MustOf[Traffic]("weblog.traffic", 1)

// TopPage is one of the most requested paths of an hour.
type TopPage struct {
	WindowStart   table.Millis `col:"window_start,sort1,day" ts:"time" doc:"start of the window, UTC"`
	Rank          int32        `col:"rank,sort2" ts:"dimension" doc:"1 is the most requested; equal counts rank by path"`
	Path          string       `col:"path,plain" mask:"scanned" ecs:"url.path" doc:"path without query; findings masked"`
	Views         int64        `col:"views" doc:"requests; exact, unless the column exact says otherwise"`
	WindowSeconds int32        `col:"window_seconds" doc:"length of the window: 3600"`
	Version       int64        `col:"version" doc:"revision * 2^32 + requests in the window; the greater one wins"`

	// Estimates, null in a run without top_pages.sketches.
	Visitors *int64 `col:"visitors,null" doc:"distinct visitors of the page in the window, a HyperLogLog estimate (standard error 0.81 %); null without top_pages.sketches"`
	BytesP50 *int64 `col:"bytes_p50,null" doc:"median of the bytes of its responses, within 1 % (DDSketch); one without a logged size counts as 0"`
	BytesP95 *int64 `col:"bytes_p95,null" doc:"95th percentile of these, within 1 %"`
	BytesP99 *int64 `col:"bytes_p99,null" doc:"99th percentile of these, within 1 %"`

	// Of the requests whose log tells their duration.
	LatencyMsP50 *float64 `col:"latency_ms_p50,null" doc:"median of the latency of its requests (duration_ms of events) in milliseconds, within 1 % (DDSketch); one without a logged duration does not count; null where none has one"`
	LatencyMsP90 *float64 `col:"latency_ms_p90,null" doc:"90th percentile of these, within 1 %"`
	LatencyMsP99 *float64 `col:"latency_ms_p99,null" doc:"99th percentile of these, within 1 %"`

	// Null in rows of programs that counted exactly, however many pages there were.
	Exact      *bool  `col:"exact,null" doc:"views and rank are exact; otherwise the window has more pages than top_pages.exact_limit, and its rows are approximate, by Space-Saving: views_error says how far; null in rows of earlier versions, which are exact"`
	ViewsError *int64 `col:"views_error,null" doc:"the page has had views - views_error requests at least, and views at most; 0 where exact, and never more than the requests of the window divided by top_pages.exact_limit; where it is not 0 the columns from visitors to latency_ms_p99 are null"`
}

// Columns of TopPage.
const (
	TopPageWindowStart = iota
	TopPageRank
	TopPagePath
	TopPageViews
	TopPageWindowSeconds
	TopPageVersion
	TopPageVisitors
	TopPageBytesP50
	TopPageBytesP95
	TopPageBytesP99
	TopPageLatencyMsP50
	TopPageLatencyMsP90
	TopPageLatencyMsP99
	TopPageExact
	TopPageViewsError
)

// TopPages is the schema of TopPage.
var TopPages = table.MustOf[TopPage]("weblog.top_pages", 1)

// Visitor is the number of distinct visitors of a UTC day.
type Visitor struct {
	Day                 table.Day `col:"day,sort1,day" ts:"time" doc:"UTC day"`
	Visitors            int64     `col:"visitors" doc:"distinct visitors"`
	VisitorsWithoutBots int64     `col:"visitors_without_bots" doc:"distinct visitors whose user agent is no known bot"`
	Exact               bool      `col:"exact" doc:"counted one by one; otherwise both are HyperLogLog estimates (standard error 0.81 %)"`
	Version             int64     `col:"version" doc:"revision * 2^32 + requests of the day; the greater one wins"`
}

// Visitors is the schema of Visitor.
var Visitors = table.MustOf[Visitor]("weblog.visitors", 1)

// VisitorMinute is the number of distinct visitors of one minute. Scores of anomalies
// are made of it.
type VisitorMinute struct {
	WindowStart   table.Millis `col:"window_start,sort1,day" ts:"time" doc:"start of the minute, UTC"`
	WindowSeconds int32        `col:"window_seconds" doc:"length of the window: 60"`
	Visitors      int64        `col:"visitors" doc:"distinct visitors, bots among them"`
	Exact         bool         `col:"exact" doc:"counted one by one, up to 4,096; otherwise a HyperLogLog estimate (standard error 0.81 %)"`
}

// VisitorMinutes is the schema of VisitorMinute.
var VisitorMinutes = table.MustOf[VisitorMinute]("weblog.visitor_minutes", 1)

// Bot is the share of one bot in a UTC day.
type Bot struct {
	Day      table.Day `col:"day,sort1,day" ts:"time" doc:"UTC day"`
	BotName  string    `col:"bot_name,sort2" mask:"none" ecs:"user_agent.name" ts:"dimension" doc:"name of the bot in our list"`
	Hits     int64     `col:"hits" doc:"requests"`
	Visitors int64     `col:"visitors" doc:"distinct visitors (client address and user agent)"`
	Version  int64     `col:"version" doc:"revision * 2^32 + requests in the row; the greater one wins"`
}

// Bots is the schema of Bot.
var Bots = table.MustOf[Bot]("weblog.bots", 1)

// Client is the share of one value of a property of clients in a UTC day.
type Client struct {
	Day                 table.Day `col:"day,sort1,day" ts:"time" doc:"UTC day"`
	Dimension           string    `col:"dimension,sort2" mask:"none" ts:"dimension" doc:"country, network, browser, os, device (its class) or bot_reason"`
	Value               string    `col:"value,sort3" mask:"scanned" ts:"dimension" doc:"for example SE, AS29518 Bredband2 AB, Firefox; (unknown) where reference data says nothing"`
	Hits                int64     `col:"hits" doc:"requests"`
	HitsWithoutBots     int64     `col:"hits_without_bots" doc:"requests of visitors whose user agent is no known bot"`
	Visitors            int64     `col:"visitors" doc:"distinct visitors (client address and user agent)"`
	VisitorsWithoutBots int64     `col:"visitors_without_bots" doc:"distinct visitors whose user agent is no known bot"`
	Exact               bool      `col:"exact" doc:"visitors are counted one by one; otherwise both are HyperLogLog estimates (standard error 0.81 %)"`
	Version             int64     `col:"version" doc:"revision * 2^32 + requests in the row; the greater one wins"`
}

// Clients is the schema of Client.
var Clients = table.MustOf[Client]("weblog.clients", 1)
