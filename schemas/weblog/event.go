// Package weblog defines the rows that the weblogs job writes. Names follow the
// Elastic Common Schema where it has one.
package weblog

import "millrace/schemas/table"

// Event is one request that a web server logged, masked.
type Event struct {
	EventID   table.ID     `col:"event_id" ecs:"event.id" doc:"UUID v5 of the record's origin: the same line always gets the same id"`
	EventTime table.Millis `col:"event_time,sort1,day" ecs:"@timestamp" doc:"when the server logged the request, UTC"`
	VisitorID string       `col:"visitor_id" mask:"token" doc:"keyed token of the full client address and user agent"`
	ClientIP  *string      `col:"client_ip,null" mask:"truncated" ecs:"client.ip" doc:"network of the client: IPv4 /24, IPv6 /48; null when the server logged a host name"`
	Method    *string      `col:"method,null" mask:"none" ecs:"http.request.method" doc:"request method; null when the request line cannot be read"`
	Path      *string      `col:"path,null" mask:"scanned" ecs:"url.path" doc:"path as logged, without query; findings masked"`
	Query     *string      `col:"query,null" mask:"scanned" ecs:"url.query" doc:"query as logged, without the question mark; findings masked"`
	Protocol  *string      `col:"protocol,null" mask:"none" ecs:"http.version" doc:"protocol as logged, for example HTTP/1.1; null for HTTP/0.9"`
	Status    int32        `col:"status" ecs:"http.response.status_code" doc:"response status; 0 when the log has none"`
	Bytes     *int64       `col:"bytes,null" ecs:"http.response.body.bytes" doc:"bytes sent; null when the server logged none"`
	Referrer  *string      `col:"referrer,null" mask:"scanned" ecs:"http.request.referrer" doc:"referring page; findings masked"`
	UserAgent *string      `col:"user_agent,null" mask:"scanned" ecs:"user_agent.original" doc:"user agent; findings masked"`
	Bot       bool         `col:"bot" doc:"whether the user agent is a known bot"`
	Late      bool         `col:"late" doc:"read after the watermark and the allowed lateness had passed it"`
	BotName   *string      `col:"bot_name,null" mask:"none" ecs:"user_agent.name" doc:"name of the bot in our list"`
	PageView  bool         `col:"page_view" doc:"GET of a page, answered with 2xx or 304, that is no static asset"`
	User      *string      `col:"user,null" mask:"token" ecs:"user.name" doc:"keyed token of the authenticated user"`
	Host      *string      `col:"host,null" mask:"none" ecs:"url.domain" doc:"virtual host that answered; null when the format has none"`
	Request   *string      `col:"request,null" mask:"scanned" doc:"request line that is not METHOD TARGET [PROTOCOL]; findings masked"`
	Source    string       `col:"source,sort2" mask:"hash" ecs:"log.file.fingerprint" doc:"identity of the file or shard, 32 hex digits of SHA-256: over the first 64 KiB of the file, or over the names of stream and shard"`
	Position  int64        `col:"position,sort4" ecs:"log.offset" doc:"byte offset of the line in the decompressed file, or number of the line in the stream record"`
	Sequence  *string      `col:"sequence,null,sort3" mask:"none" doc:"sequence number of the stream record, with leading zeros; null for files"`

	// Of formats that say more; the Apache ones have null here.
	DurationMs    *float64 `col:"duration_ms,null" doc:"milliseconds from the request to the end of the response, or how long a network flow lasted; null when the log does not say"`
	BytesReceived *int64   `col:"bytes_received,null" ecs:"http.request.bytes" doc:"bytes of the request; null when the log does not say"`
	TargetStatus  *int32   `col:"target_status,null" doc:"response status of the server behind a load balancer or proxy; null when there was none or the log does not say"`
	Edge          *string  `col:"edge,null" mask:"scanned" ecs:"observer.name" doc:"edge location, load balancer or network interface that logged the request; findings masked"`
	EdgeResult    *string  `col:"edge_result,null" mask:"scanned" ecs:"event.action" doc:"what it did with it, as logged: Hit or Miss of a cache, actions of a load balancer, ACCEPT or REJECT of a network; findings masked"`
	TLSVersion    *string  `col:"tls_version,null" mask:"scanned" ecs:"tls.version" doc:"TLS protocol as logged, for example TLSv1.3; null without TLS; findings masked"`
	TLSCipher     *string  `col:"tls_cipher,null" mask:"scanned" ecs:"tls.cipher" doc:"TLS cipher as logged; findings masked"`
	RequestID     *string  `col:"request_id,null,plain" mask:"scanned" ecs:"http.request.id" doc:"name of the request in other logs: id of an edge location, trace id of a load balancer; findings masked"`

	// What reference data tells; null where it says nothing, and without that data.
	Browser        *string `col:"browser,null" mask:"scanned" ecs:"user_agent.name" doc:"program by its user agent, for example Firefox; null without enrich.user_agents"`
	BrowserVersion *string `col:"browser_version,null" mask:"scanned" ecs:"user_agent.version" doc:"its version: up to three numbers, joined by dots"`
	OS             *string `col:"os,null" mask:"scanned" ecs:"user_agent.os.name" doc:"operating system by the user agent"`
	OSVersion      *string `col:"os_version,null" mask:"scanned" ecs:"user_agent.os.version" doc:"its version: up to three numbers or names, joined by dots"`
	Device         *string `col:"device,null" mask:"scanned" ecs:"user_agent.device.name" doc:"device by the user agent, for example iPhone"`
	DeviceClass    *string `col:"device_class,null" mask:"none" doc:"desktop, phone, tablet, tv, console or bot, by system and device"`
	BotReason      *string `col:"bot_reason,null" mask:"none" doc:"which pattern of the list made it a bot"`
	Country        *string `col:"country,null" mask:"none" ecs:"client.geo.country_iso_code" doc:"country of the full client address, two letters of ISO 3166; null without enrich.geo"`
	Region         *string `col:"region,null" mask:"none" ecs:"client.geo.region_iso_code" doc:"country and subdivision, ISO 3166-2"`
	City           *string `col:"city,null" mask:"none" ecs:"client.geo.city_name" doc:"city, its English name"`
	ASN            *int64  `col:"asn,null" ecs:"client.as.number" doc:"number of the autonomous system of the full client address; null without enrich.asn"`
	Network        *string `col:"network,null" mask:"none" ecs:"client.as.organization.name" doc:"who runs the autonomous system"`
	Enrichment     *string `col:"enrichment,null" mask:"none" doc:"versions of the reference data used: NAME=VERSION, 16 hex digits of SHA-256 each, or NAME=missing, NAME=broken"`
	Codes          *string `col:"codes,null" mask:"scanned" doc:"what the table of enrich.codes says: a JSON object of the row's other columns; findings masked; null without one, and where it has no row"`
}

// Columns of Event.
const (
	EventID = iota
	EventTime
	EventVisitorID
	EventClientIP
	EventMethod
	EventPath
	EventQuery
	EventProtocol
	EventStatus
	EventBytes
	EventReferrer
	EventUserAgent
	EventBot
	EventLate
	EventBotName
	EventPageView
	EventUser
	EventHost
	EventRequest
	EventSource
	EventPosition
	EventSequence
	EventDurationMs
	EventBytesReceived
	EventTargetStatus
	EventEdge
	EventEdgeResult
	EventTLSVersion
	EventTLSCipher
	EventRequestID
	EventBrowser
	EventBrowserVersion
	EventOS
	EventOSVersion
	EventDevice
	EventDeviceClass
	EventBotReason
	EventCountry
	EventRegion
	EventCity
	EventASN
	EventNetwork
	EventEnrichment
	EventCodes
)

// Events is the schema of Event.
var Events = table.MustOf[Event]("weblog.events", 1)
