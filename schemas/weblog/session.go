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
	Engaged    bool         `col:"engaged" doc:"10 seconds or longer, two page views or more or, in job clickstream, a purchase"`
	Bot        bool         `col:"bot" doc:"whether the visitor is a known bot"`
	Truncated  bool         `col:"truncated" doc:"more events than the sessionizer keeps in detail; counters are exact"`

	// Where it came from. All are null in a run without attribution, and where no request says it.
	Source        *string `col:"source,null" mask:"scanned" doc:"where the session came from: of the first request that did not come directly, (direct) if all did"`
	Medium        *string `col:"medium,null" mask:"scanned" doc:"by what: organic, referral, email, cpc, ..., or (none)"`
	Campaign      *string `col:"campaign,null" mask:"scanned" doc:"name of the campaign, if the link said one"`
	Channel       *string `col:"channel,null" mask:"none" doc:"channel of the attribution rules that source, medium and campaign fit"`
	FirstSource   *string `col:"first_source,null" mask:"scanned" doc:"source of the first request that says one, also (direct)"`
	FirstMedium   *string `col:"first_medium,null" mask:"scanned" doc:"its medium"`
	FirstCampaign *string `col:"first_campaign,null" mask:"scanned" doc:"its campaign"`
	FirstChannel  *string `col:"first_channel,null" mask:"none" doc:"its channel"`
	LastSource    *string `col:"last_source,null" mask:"scanned" doc:"source of the last request that did not come directly, (direct) if all did"`
	LastMedium    *string `col:"last_medium,null" mask:"scanned" doc:"its medium"`
	LastCampaign  *string `col:"last_campaign,null" mask:"scanned" doc:"its campaign"`
	LastChannel   *string `col:"last_channel,null" mask:"none" doc:"its channel"`

	SessionIndex      *int32  `col:"session_index,null" doc:"number among the visitor's sessions that start on the same UTC day, from 1; null without sessions.index"`
	PreviousSessionID *string `col:"previous_session_id,null" mask:"hash" doc:"the one before on that day; null for the first and without sessions.index; a row is sealed before there is one after it, which a query gives, over days, too: lead(session_id) OVER (PARTITION BY visitor_id ORDER BY start_time)"`
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
	SessionSource
	SessionMedium
	SessionCampaign
	SessionChannel
	SessionFirstSource
	SessionFirstMedium
	SessionFirstCampaign
	SessionFirstChannel
	SessionLastSource
	SessionLastMedium
	SessionLastCampaign
	SessionLastChannel
	SessionIndex
	SessionPreviousID
)

// Sessions is the schema of Session.
var Sessions = table.MustOf[Session]("weblog.sessions", 1)
