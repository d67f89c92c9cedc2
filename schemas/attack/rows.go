// Package attack has the row types of what looks like attacks.
package attack

import "millrace/schemas/table"

// Source is what one client did in one minute that can be part of an attack. A client
// that did nothing of the kind has no row.
type Source struct {
	WindowStart table.Millis `col:"window_start,sort1,day" ts:"time" doc:"start of the minute, UTC"`
	Source      string       `col:"source,sort2" mask:"token" ecs:"source.user.id" ts:"dimension" doc:"keyed token of the full client address; (others N of 8) for all that were too many to be counted by themselves, by a hash of their tokens"`
	ClientIP    *string      `col:"client_ip,null" mask:"truncated" ecs:"source.ip" doc:"network of the client: IPv4 /24, IPv6 /48; null for others, and when the server logged a host name"`
	Sources     int64        `col:"sources" doc:"1; of others an estimate of how many they are (standard error 2.2 % of all)"`
	Requests    int64        `col:"requests" doc:"requests that one of the next columns counts"`
	Scanner     int64        `col:"scanner" doc:"requests for paths that only scanners ask for"`
	Leaks       int64        `col:"leaks" doc:"requests for files that must not be served, answered with 200"`
	Injection   int64        `col:"injection" doc:"requests with an injection, decoded up to twice"`
	Traversal   int64        `col:"traversal" doc:"requests that leave the folder of the site, decoded up to twice"`
	BadAgent    int64        `col:"bad_agent" doc:"requests by tools that are made to attack, as their user agent says"`
	AuthFailed  int64        `col:"auth_failed" doc:"answers 401, and 403 to a POST to a login"`
	Logins      int64        `col:"logins" doc:"answers 2xx and 3xx to a POST to a login"`
	FormPosts   int64        `col:"form_posts" doc:"POSTs to logins and other forms"`
	LargeBytes  int64        `col:"large_bytes" doc:"bytes of answers of a mebibyte and more"`
	ServerError int64        `col:"server_errors" doc:"of requests, those answered with 5xx"`
	Version     int64        `col:"version" doc:"revision * 2^32 + requests in the row; the greater one wins"`
}

// Columns of Source.
const (
	SourceWindowStart = iota
	SourceToken
	SourceClientIP
	SourceSources
	SourceRequests // and the other counts, in the order of security.Fields
)

// SourceVersion is the column that follows the counts.
const SourceVersion = SourceRequests + 11

// Sources is the schema of Source.
var Sources = table.MustOf[Source]("attack.sources", 1)

// Site is how one minute of the whole site went: what rules of alerts watch, and no
// output.
type Site struct {
	WindowStart table.Millis `col:"window_start,sort1,day" doc:"start of the minute, UTC"`
	Requests    int64        `col:"requests" doc:"requests"`
	ServerError int64        `col:"server_errors" doc:"of these, answered with 5xx"`
	ErrorRatio  float64      `col:"error_ratio" doc:"server_errors / requests"`
}

// Minutes is the schema of Site.
var Minutes = table.MustOf[Site]("attack.site", 1)
