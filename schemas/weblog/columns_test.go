package weblog

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
			"event_id": EventID, "event_time": EventTime, "visitor_id": EventVisitorID, "client_ip": EventClientIP, "method": EventMethod,
			"path": EventPath, "query": EventQuery, "protocol": EventProtocol, "status": EventStatus, "bytes": EventBytes,
			"referrer": EventReferrer, "user_agent": EventUserAgent, "bot": EventBot, "late": EventLate, "bot_name": EventBotName,
			"page_view": EventPageView, "user": EventUser, "host": EventHost, "request": EventRequest, "source": EventSource, "sequence": EventSequence, "position": EventPosition,
			"duration_ms": EventDurationMs, "bytes_received": EventBytesReceived, "target_status": EventTargetStatus, "edge": EventEdge, "edge_result": EventEdgeResult,
			"tls_version": EventTLSVersion, "tls_cipher": EventTLSCipher, "request_id": EventRequestID,
			"browser": EventBrowser, "browser_version": EventBrowserVersion, "os": EventOS, "os_version": EventOSVersion, "device": EventDevice,
			"device_class": EventDeviceClass, "bot_reason": EventBotReason, "country": EventCountry, "region": EventRegion, "city": EventCity,
			"asn": EventASN, "network": EventNetwork, "enrichment": EventEnrichment, "codes": EventCodes,
		}},
		{Sessions, map[string]int{
			"session_id": SessionID, "visitor_id": SessionVisitorID, "start_time": SessionStartTime, "end_time": SessionEndTime,
			"events": SessionEvents, "page_views": SessionPageViews, "entry_page": SessionEntryPage, "exit_page": SessionExitPage,
			"bounce": SessionBounce, "version": SessionVersion, "duration_ms": SessionDurationMs, "engaged": SessionEngaged,
			"bot": SessionBot, "truncated": SessionTruncated,
			"source": SessionSource, "medium": SessionMedium, "campaign": SessionCampaign, "channel": SessionChannel,
			"first_source": SessionFirstSource, "first_medium": SessionFirstMedium, "first_campaign": SessionFirstCampaign, "first_channel": SessionFirstChannel,
			"last_source": SessionLastSource, "last_medium": SessionLastMedium, "last_campaign": SessionLastCampaign, "last_channel": SessionLastChannel,
			"session_index": SessionIndex, "previous_session_id": SessionPreviousID,
		}},
		{TrafficRows, map[string]int{
			"window_start": TrafficWindowStart, "window_seconds": TrafficWindowSeconds, "status_class": TrafficStatusClass,
			"views": TrafficViews, "bytes": TrafficBytes, "version": TrafficVersion,
		}},
		{TopPages, map[string]int{
			"window_start": TopPageWindowStart, "rank": TopPageRank, "path": TopPagePath, "views": TopPageViews,
			"window_seconds": TopPageWindowSeconds, "version": TopPageVersion,
			"visitors": TopPageVisitors, "bytes_p50": TopPageBytesP50, "bytes_p95": TopPageBytesP95, "bytes_p99": TopPageBytesP99,
			"latency_ms_p50": TopPageLatencyMsP50, "latency_ms_p90": TopPageLatencyMsP90, "latency_ms_p99": TopPageLatencyMsP99,
			"exact": TopPageExact, "views_error": TopPageViewsError,
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
