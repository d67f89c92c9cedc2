package weblog

import "millrace/schemas/table"

// Session is one visit: requests of a visitor without a pause of 30 minutes.
type Session struct {
	SessionID  string       `col:"session_id,plain" mask:"hash" doc:"first 32 hex digits of SHA-256 over visitor and start"`
	VisitorID  string       `col:"visitor_id,sort2" mask:"token" ts:"id" doc:"keyed token of client address and user agent"`
	StartTime  table.Millis `col:"start_time,sort1,day" ecs:"event.start" ts:"time" doc:"time of the first request, UTC; its day is the session's day"`
	EndTime    table.Millis `col:"end_time" ecs:"event.end" doc:"time of the last request, UTC"`
	Events     int64        `col:"events" doc:"requests"`
	PageViews  int64        `col:"page_views" doc:"requests that are page views"`
	EntryPage  *string      `col:"entry_page,null" mask:"scanned" doc:"path of the first page view"`
	ExitPage   *string      `col:"exit_page,null" mask:"scanned" doc:"path of the last page view"`
	Bounce     bool         `col:"bounce" doc:"at most one page view"`
	Version    int64        `col:"version" doc:"revision * 2^32 + events of the whole gap chain; the greater one wins"`
	DurationMs int64        `col:"duration_ms" ecs:"event.duration" doc:"end minus start in milliseconds"`
	Engaged    bool         `col:"engaged" doc:"10 seconds or longer, or two page views or more"`
	Bot        bool         `col:"bot" doc:"whether the visitor is a known bot"`
	Truncated  bool         `col:"truncated" doc:"more events than the sessionizer keeps in detail; counters are exact"`
}

// Columns of Session.
const (
	SessionID = iota
	SessionVisitorID
	SessionStartTime
	SessionEndTime
	SessionEvents
	SessionPageViews
	SessionEntryPage
	SessionExitPage
	SessionBounce
	SessionVersion
	SessionDurationMs
	SessionEngaged
	SessionBot
	SessionTruncated
)

// Sessions is the schema of Session.
var Sessions = table.MustOf[Session]("weblog.sessions", 1)
