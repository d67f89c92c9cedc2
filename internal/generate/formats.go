package generate

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// Layouts of other servers, by the names that weblogs has for them.
const (
	ALB        Format = "alb"        // Application Load Balancer; it logs no referrer and no user
	CloudFront Format = "cloudfront" // a header line names the fields; no user
	Nginx      Format = "nginx"      // by the log_format of FormatFile
	JSON       Format = "json"       // by the mapping of FormatFile, which does not name all members
)

// formats is every layout.
var formats = []Format{Common, Combined, VhostCombined, ALB, CloudFront, Nginx, JSON}

// apache tells the layouts of Apache from the others.
func (f Format) apache() bool { return f == Common || f == Combined || f == VhostCombined }

// FormatFiles are files that tell a reader what the lines of a layout hold, by name:
// --format nginx@nginx.conf, --format json@mapping.yaml.
var FormatFiles = map[Format]struct{ Name, Text string }{
	Nginx: {"nginx.conf", `log_format farm '$remote_addr - $remote_user [$time_iso8601] "$request" $status $body_bytes_sent '
                '"$http_referer" "$http_user_agent" $request_time "$http_x_forwarded_for"';
`},
	JSON: {"mapping.yaml", `"@timestamp": time
client.address: client.ip
user.name: user
http.request.method: request.method
url.original: request.url
http.version: request.protocol
http.request.line: request.line
http.response.status_code: status
http.response.body.bytes: bytes
http.request.referrer: headers.referer
user_agent.original: headers.agent
event.duration_seconds: took
`},
}

// header is what a log of the layout begins with.
func (f Format) header() string {
	if f != CloudFront {
		return ""
	}
	return "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version\n"
}

const shopHost = "shop.example.com"

// appendOther writes the line of a request in a layout that is none of Apache's.
func (f *Farm) appendOther(b []byte, q *request) []byte {
	addr, user := f.clientOf(q)
	o := other{
		request: q, at: time.Unix(f.now, 0).UTC(), addr: addr, user: user, agent: f.agentOf(q),
		took: strconv.FormatFloat(float64(max(q.size, 0)%997)/1000, 'f', 3, 64),
	}
	switch f.cfg.Format {
	case ALB:
		return o.alb(b)
	case CloudFront:
		return o.cloudFront(b)
	case Nginx:
		return o.nginx(b)
	}
	return o.json(b)
}

// clientOf gives the address and the user name of a request.
func (f *Farm) clientOf(q *request) (addr, user string) {
	head := string(bytes.TrimSuffix(f.appendHead(nil, q), []byte(" ")))
	addr, user, _ = strings.Cut(head, " - ")
	return addr, user
}

// other is a line of a layout that is none of Apache's.
type other struct {
	*request
	at                      time.Time
	addr, user, agent, took string
}

// line is the request line; raw when there is none.
func (o *other) line(before string) string {
	if o.method == "" {
		return o.raw
	}
	target := string(o.target)
	if strings.HasPrefix(target, "/") {
		target = before + target
	}
	return strings.TrimSuffix(o.method+" "+target+" "+o.proto, " ")
}

func (o *other) bytes() string {
	if o.size < 0 {
		return "-"
	}
	return strconv.FormatInt(o.size, 10)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (o *other) alb(b []byte) []byte {
	stamp := o.at.Format("2006-01-02T15:04:05.000000Z")
	trace := "Root=1-" + strconv.FormatInt(o.at.Unix(), 16) + "-000000000000000000000001"
	if o.planted != "" { // clients can add fields of their own
		trace += ";Of=" + o.planted
	}
	return append(b, strings.Join([]string{
		"https", stamp, "app/farm/50dc6c495c0c9188", o.addr + ":4711", "10.0.0.1:80", "0.001", o.took, "0.000",
		strconv.Itoa(o.status), strconv.Itoa(o.status), "34", strconv.FormatInt(max(o.size, 0), 10),
		`"` + o.line("https://"+shopHost+":443") + `"`, `"` + o.agent + `"`, "ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.2",
		"arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/farm/1", `"` + trace + `"`, `"` + shopHost + `"`, `"-"`, "0",
		stamp, `"forward"`, `"-"`, `"-"`, `"10.0.0.1:80"`, `"` + strconv.Itoa(o.status) + `"`, `"-"`, `"-"`,
	}, " ")...)
}

func (o *other) cloudFront(b []byte) []byte {
	method, stem, query, cookie, forwarded := "-", "-", "-", "-", "-"
	if o.method != "" {
		method = o.method
		path, after, found := strings.Cut(string(o.target), "?")
		if stem = path; found {
			query = after
		}
	}
	if o.planted != "" {
		cookie, forwarded = "of="+headerText(o.planted), headerText(o.planted)
	}
	return append(b, strings.Join([]string{
		o.at.Format("2006-01-02\t15:04:05"), "FRA56-P4", o.bytes(), o.addr, method, "d111111abcdef8.cloudfront.net", stem, strconv.Itoa(o.status),
		orDash(string(o.referrer)), headerText(o.agent), query, cookie, "Miss", "Id" + strconv.FormatInt(o.at.Unix(), 36) + "==", shopHost, "https", "120", o.took,
		forwarded, "TLSv1.3", "TLS_AES_128_GCM_SHA256", "Miss", orDash(o.proto),
	}, "\t")...)
}

// headerText percent-encodes as CloudFront does in what clients send.
func headerText(s string) string {
	if s == "-" {
		return s
	}
	return strings.NewReplacer("%", "%25", " ", "%20", "\t", "%09", `"`, "%22", `\`, "%5C").Replace(s)
}

func (o *other) nginx(b []byte) []byte {
	forwarded := "-"
	if o.planted != "" {
		forwarded = o.planted
	}
	return append(b, o.addr+" - "+o.user+" ["+o.at.Format(time.RFC3339)+`] "`+o.line("")+`" `+strconv.Itoa(o.status)+" "+o.bytes()+
		` "`+orDash(string(o.referrer))+`" "`+o.agent+`" `+o.took+` "`+forwarded+`"`...)
}

func (o *other) json(b []byte) []byte {
	member := func(name, text string) {
		b = append(strconv.AppendQuote(b, name), ':')
		b = append(jsonText(b, text), ',')
	}
	b = append(b, '{')
	member("time", o.at.Format(time.RFC3339))
	b = append(b, `"client":{"ip":`...)
	b = append(jsonText(b, o.addr), "},"...)
	member("user", o.user)
	b = append(b, `"request":{`...)
	if o.method == "" {
		member("line", o.raw)
	} else {
		member("method", o.method)
		member("url", string(o.target))
		member("protocol", o.proto)
	}
	b = append(b[:len(b)-1], "},"...)
	b = append(b, `"status":`...)
	b = append(strconv.AppendInt(b, int64(o.status), 10), ',')
	if o.size >= 0 {
		b = append(b, `"bytes":`...)
		b = append(strconv.AppendInt(b, o.size, 10), ',')
	}
	b = append(b, `"headers":{`...)
	member("referer", orDash(string(o.referrer)))
	b = append(b, `"agent":`...)
	b = append(jsonText(b, o.agent), "},"...)
	if o.planted != "" { // members that the mapping does not name
		b = append(b, `"account":{"of":[`...)
		b = append(jsonText(b, o.planted), "]},"...)
		member(o.planted, "name")
	}
	b = append(b, `"took":`...)
	return append(append(b, o.took...), '}')
}

// jsonText appends a string of JSON; the farm's texts are ASCII.
func jsonText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

// FormatNames lists the layouts.
func FormatNames() string {
	var names []string
	for _, f := range formats {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}
