package decode_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

// usual is the event of usualLine; cases say how theirs differs.
const (
	usualLine = `203.0.113.7 - - [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 1234 "http://example.org/" "Mozilla/5.0 (X11)"`
	usualTime = 1431857103000
)

func usual(change func(*event)) event {
	e := event{
		Client: "203.0.113.7", Addr: "203.0.113.7", Time: usualTime,
		Method: "GET", Target: "/a?b=c", Protocol: "HTTP/1.1",
		Status: 200, Bytes: 1234,
		Referrer: "http://example.org/", UserAgent: "Mozilla/5.0 (X11)",
	}
	change(&e)
	return e
}

const (
	stamp = `[17/May/2015:10:05:03 +0000]`
	head  = `203.0.113.7 - - ` + stamp + ` `
	tail  = ` 200 1234 "http://example.org/" "Mozilla/5.0 (X11)"`
	get   = `"GET /a?b=c HTTP/1.1"`
)

func TestParse(t *testing.T) {
	request := func(method, target, protocol string) func(*event) {
		return func(e *event) { e.Method, e.Target, e.Protocol = method, target, protocol }
	}
	whole := func(text string) func(*event) {
		return func(e *event) { e.Method, e.Target, e.Protocol, e.Request = "", "", "", text }
	}
	agent := func(text string) func(*event) { return func(e *event) { e.UserAgent = text } }
	client := func(text, addr string) func(*event) {
		return func(e *event) { e.Client, e.Addr = text, addr }
	}
	user := func(text string) func(*event) { return func(e *event) { e.User = text } }
	bare := func(e *event) { e.Referrer, e.UserAgent = "", "" }

	for _, c := range []struct {
		name, line string
		change     func(*event)
	}{
		{"the usual line", usualLine, func(*event) {}},

		{"a line without referrer and user agent", head + get + ` 200 1234`, bare},
		{"dashes are empty fields", head + get + ` 304 - "-" "-"`, func(e *event) {
			bare(e)
			e.Status, e.Bytes = 304, -1
		}},
		{"empty quoted fields", head + get + ` 200 1234 "" ""`, bare},
		{"the largest size", head + get + ` 200 999999999999999999 "-" "-"`, func(e *event) {
			bare(e)
			e.Bytes = 999_999_999_999_999_999
		}},
		{"a status outside the standard's", head + get + ` 000 0 "-" "-"`, func(e *event) {
			bare(e)
			e.Status, e.Bytes = 0, 0
		}},

		{"an IPv6 client", `2001:db8::7 - - ` + stamp + ` ` + get + tail, client("2001:db8::7", "2001:db8::7")},
		{"the IPv6 loopback", `::1 - - ` + stamp + ` ` + get + tail, client("::1", "::1")},
		{"an IPv4-mapped client is IPv4", `::ffff:203.0.113.7 - - ` + stamp + ` ` + get + tail, client("::ffff:203.0.113.7", "203.0.113.7")},
		{"a zone is not part of the address", `fe80::1%eth0 - - ` + stamp + ` ` + get + tail, client("fe80::1%eth0", "fe80::1")},
		{"an IPv4 client with port", `203.0.113.7:50123 - - ` + stamp + ` ` + get + tail, func(*event) {}},
		{"an IPv6 client with port", `[2001:db8::7]:50123 - - ` + stamp + ` ` + get + tail, client("2001:db8::7", "2001:db8::7")},
		{"a client in brackets", `[2001:db8::7] - - ` + stamp + ` ` + get + tail, client("2001:db8::7", "2001:db8::7")},
		{"a host name", `crawl-66.example.com - - ` + stamp + ` ` + get + tail, client("crawl-66.example.com", "")},
		{"a host name of digits", `203.0.113.256 - - ` + stamp + ` ` + get + tail, client("203.0.113.256", "")},
		{"a local socket", `unix: - - ` + stamp + ` ` + get + tail, client("unix:", "")},
		{"an unknown client", `- - - ` + stamp + ` ` + get + tail, client("", "")},

		{"a user", `203.0.113.7 - frank ` + stamp + ` ` + get + tail, user("frank")},
		{"an ident is not read", `203.0.113.7 inetd frank ` + stamp + ` ` + get + tail, user("frank")},
		{"a user with spaces", `203.0.113.7 - John Q. Public ` + stamp + ` ` + get + tail, user("John Q. Public")},
		{"a user with brackets", `203.0.113.7 - a [b] c ` + stamp + ` ` + get + tail, user("a [b] c")},
		{
			"a user who poses as the time", `203.0.113.7 - x [01/Jan/2001:00:00:00 +0000] \"GET ` + stamp + ` ` + get + tail,
			user(`x [01/Jan/2001:00:00:00 +0000] "GET`),
		},
		{"a user with escapes", `203.0.113.7 - J\xc3\xbcrgen\t ` + stamp + ` ` + get + tail, user(`Jürgen\x09`)},
		{"an empty user", `203.0.113.7 -  ` + stamp + ` ` + get + tail, func(*event) {}},
		{"an empty user in quotes", `203.0.113.7 - "" ` + stamp + ` ` + get + tail, func(*event) {}},

		{"no request came (408)", head + `"-"` + tail, whole("")},
		{"an empty request", head + `""` + tail, whole("")},
		{"HTTP/0.9", head + `"GET /x"` + tail, request("GET", "/x", "")},
		{"HTTP/2", head + `"GET /x HTTP/2"` + tail, request("GET", "/x", "HTTP/2")},
		{"HTTP/2.0", head + `"GET /x HTTP/2.0"` + tail, request("GET", "/x", "HTTP/2.0")},
		{"another protocol", head + `"OPTIONS sip:nm SIP/2.0"` + tail, request("OPTIONS", "sip:nm", "SIP/2.0")},
		{"an absolute target", head + `"GET http://example.org/x HTTP/1.0"` + tail, request("GET", "http://example.org/x", "HTTP/1.0")},
		{"a tunnel", head + `"CONNECT example.org:443 HTTP/1.1"` + tail, request("CONNECT", "example.org:443", "HTTP/1.1")},
		{"a target of one asterisk", head + `"OPTIONS * HTTP/1.0"` + tail, request("OPTIONS", "*", "HTTP/1.0")},
		{"a method with hyphen", head + `"VERSION-CONTROL /x HTTP/1.1"` + tail, request("VERSION-CONTROL", "/x", "HTTP/1.1")},
		{"a target with spaces", head + `"GET /a b c HTTP/1.1"` + tail, request("GET", "/a b c", "HTTP/1.1")},
		{"spaces around the target", head + `"GET  /a  HTTP/1.1"` + tail, request("GET", "/a", "HTTP/1.1")},
		{"percent-encoding stays", head + `"GET /%C3%A9%00 HTTP/1.1"` + tail, request("GET", "/%C3%A9%00", "HTTP/1.1")},
		{"an escaped quote in the target", head + `"GET /\"x\" HTTP/1.1"` + tail, request("GET", `/"x"`, "HTTP/1.1")},
		{"a bare quote in the target", head + `"GET /?q="x"&y HTTP/1.1"` + tail, request("GET", `/?q="x"&y`, "HTTP/1.1")},
		{"raw UTF-8 in the target", head + `"GET /é HTTP/1.1"` + tail, request("GET", "/é", "HTTP/1.1")},
		{"a single dash as target", head + `"GET - HTTP/1.1"` + tail, request("GET", "-", "HTTP/1.1")},
		{"a request without target", head + `"GET  HTTP/1.1"` + tail, whole("GET  HTTP/1.1")},
		{"a method alone", head + `"GET"` + tail, whole("GET")},
		{"a method in small letters", head + `"get /x HTTP/1.1"` + tail, whole("get /x HTTP/1.1")},
		{"a method too long for one", head + `"AAAAAAAAAAAAAAAAAAAAAAAAA /x HTTP/1.1"` + tail, whole("AAAAAAAAAAAAAAAAAAAAAAAAA /x HTTP/1.1")},
		{"a method that could be personal data", head + `"JANE@EXAMPLE.COM /x HTTP/1.1"` + tail, whole("JANE@EXAMPLE.COM /x HTTP/1.1")},
		{"prose is no request", head + `"HELLO world"` + tail, whole("HELLO world")},
		{"a TLS hello", head + `"\x16\x03\x01\x02"` + tail, whole(`\x16\x03\x01\x02`)},
		{"a TLS hello as nginx writes it", head + `"\x16\x03\x01\x02\x00\xC3\xA9"` + tail, whole(`\x16\x03\x01\x02\x00é`)},
		{"a raw binary request", head + "\"\x16\x03\x01\xff\x00\"" + tail, whole(`\x16\x03\x01\xff\x00`)},

		{"escapes in the user agent", head + get + ` 200 1234 "http://example.org/" "a \"b\" c\\d"`, agent(`a "b" c\d`)},
		{"a backslash before the closing quote", head + get + ` 200 1234 "http://example.org/" "a\\"`, agent(`a\`)},
		{"control escapes stay visible", head + get + ` 200 1234 "http://example.org/" "a\n\t\r\v\b\fb"`, agent(`a\x0a\x09\x0d\x0b\x08\x0cb`)},
		{"an escaped letter", head + get + ` 200 1234 "http://example.org/" "\x41\x7A"`, agent("Az")},
		{"unknown escapes stay", head + get + ` 200 1234 "http://example.org/" "\q \x4 \xzz \x"`, agent(`\q \x4 \xzz \x`)},
		{"escaped UTF-8", head + get + ` 200 1234 "http://example.org/" "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"`, agent("é€😀")},
		{"UTF-8 half escaped", head + get + ` 200 1234 "http://example.org/" "` + "\xc3" + `\xa9"`, agent("é")},
		{"escaped bytes that are no UTF-8", head + get + ` 200 1234 "http://example.org/" "\xc3\x28\xff\xed\xa0\x80"`, agent(`\xc3(\xff\xed\xa0\x80`)},
		{"invalid UTF-8", head + get + " 200 1234 \"http://example.org/\" \"a\xc3(\xffb\"", agent(`a\xc3(\xffb`)},
		{"NUL, DEL and C1 bytes", head + get + " 200 1234 \"http://example.org/\" \"a\x00b\x7fc\u0085d\"", agent(`a\x00b\x7fc\xc2\x85d`)},
		{"the replacement character is a character", head + get + ` 200 1234 "http://example.org/" "` + "\ufffd" + `"`, agent("\ufffd")},
		{"a bare quote in a word", head + get + ` 200 1234 "http://example.org/" "5"x"`, agent(`5"x`)},

		{"fields after the user agent", usualLine + ` 1043 "10.0.0.1:8080" rt=0.003`, func(*event) {}},
		{"a space after the user agent", usualLine + ` `, func(*event) {}},
		{"fields after the size", head + get + ` 200 1234 1043 rt=0.003`, bare},
		{"a byte order mark", "\xef\xbb\xbf" + usualLine, func(*event) {}},

		{"a server name", `example.com:443 ` + usualLine, func(e *event) { e.VHost = "example.com" }},
		{"a server name without port", `example.com ` + usualLine, func(e *event) { e.VHost = "example.com" }},
		{"a server address", `198.51.100.1:80 ` + usualLine, func(e *event) { e.VHost = "198.51.100.1" }},
		{"an IPv6 server address", `[2001:db8::1]:80 ` + usualLine, func(e *event) { e.VHost = "2001:db8::1" }},
		{"a server name and a host name", `example.com:443 crawler.example.net - - ` + stamp + ` ` + get + tail, func(e *event) {
			e.VHost, e.Client, e.Addr = "example.com", "crawler.example.net", ""
		}},
		{"a server name and a user", `example.com:443 203.0.113.7 - J Doe ` + stamp + ` ` + get + tail, func(e *event) {
			e.VHost, e.User = "example.com", "J Doe"
		}},
		{"a server name and no user agent", `example.com:443 ` + head + get + ` 200 1234`, func(e *event) {
			bare(e)
			e.VHost = "example.com"
		}},
		{"an unknown server", `- ` + usualLine, func(*event) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, f := range []decode.Format{decode.Unknown, decode.Common, decode.Combined, decode.VhostCombined} {
				got, reason := parse(c.line, f)
				if reason != badrow.None {
					t.Errorf("as %v: refused: %s", f, reason)
					continue
				}
				if diff := cmp.Diff(usual(c.change), got); diff != "" {
					t.Errorf("as %v (-want +got):\n%s", f, diff)
				}
			}
		})
	}
}

func TestTheFileFormatDecidesWhereBothReadingsArePossible(t *testing.T) {
	for _, c := range []struct {
		name, line string
		format     decode.Format
		want       func(*event)
		reason     badrow.Reason
	}{
		{
			"two words before the ident, in a file with servers", `intranet crawler - - ` + stamp + ` ` + get + tail, decode.VhostCombined,
			func(e *event) { e.VHost, e.Client, e.Addr = "intranet", "crawler", "" }, badrow.None,
		},
		{
			"two words before the ident, in a file without", `crawler ident J Doe ` + stamp + ` ` + get + tail, decode.Combined,
			func(e *event) { e.Client, e.Addr, e.User = "crawler", "", "J Doe" }, badrow.None,
		},
		{
			"two addresses, in a file with servers", `198.51.100.1 ` + usualLine, decode.VhostCombined,
			func(e *event) { e.VHost = "198.51.100.1" }, badrow.None,
		},
		{"two addresses, in a file without", `198.51.100.1 ` + usualLine, decode.Combined, nil, badrow.Format},
		{
			"one quoted field after the size, in a common file", head + get + ` 200 1234 "10.0.0.1"`, decode.Common,
			func(e *event) { e.Referrer, e.UserAgent = "", "" }, badrow.None,
		},
		{"one quoted field after the size, in a combined file", head + get + ` 200 1234 "10.0.0.1"`, decode.Combined, nil, badrow.Truncated},
		{
			"a space after the size, in a common file", head + get + ` 200 1234 `, decode.Common,
			func(e *event) { e.Referrer, e.UserAgent = "", "" }, badrow.None,
		},
		{"a space after the size, in a combined file", head + get + ` 200 1234 `, decode.Combined, nil, badrow.Truncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, reason := parse(c.line, c.format)
			if reason != c.reason {
				t.Fatalf("reason %q, want %q", reason, c.reason)
			}
			if c.want == nil {
				return
			}
			if diff := cmp.Diff(usual(c.want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
