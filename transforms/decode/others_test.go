package decode_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	"millrace/schemas/pii"
	"millrace/transforms/decode"
)

const cfHeader = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query"

func open(t testing.TB, spec string) decode.Decoder {
	t.Helper()
	s, err := decode.ParseSpec(spec)
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const (
	albLine = `h2 2018-07-02T22:23:00.186641Z app/my-lb/50dc 192.0.2.39:2817 10.0.0.1:80 0.1 0.25 0.000001 200 200 34 366 "GET https://www.example.com:443/a?b=c d HTTP/2.0" "curl/7 \x22q\x22" TLS_AES TLSv1.2 arn:x "Root=1-5" "-" "-" 0 2018-07-02T22:22:48.364000Z "forward,redirect" "-" "-" "extra" more`
	cfLine  = "2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.112\tGET\td1.cloudfront.net\t/index.html\t200\t-\tMozilla/5.0%20(Windows%20NT%2010.0)\tq=1&r=%2520"
	ngLine  = `192.0.2.7 - ann [02/Mar/2026:12:00:00 +0100] "POST /a?b HTTP/1.1" 201 17 "https://x.example/" "UA \x22x\x22" rt=0.042 xff="198.51.100.1, 10.0.0.1"`
	ngSpec  = `nginx $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" rt=$request_time xff="$http_x_forwarded_for"`
	gwLine  = `{ "requestId":"id-1","ip": "192.0.2.9", "caller":"-", "user":"ann","requestTime":"09/Apr/2026:12:34:56 +0000", "httpMethod":"GET","resourcePath":"/pets/{id}", "status":"200","protocol":"HTTP/1.1", "responseLength":"1234", "more": {"a":[1,"]}",{}]} }`
	at2018  = 1530570180186
	at2019  = 1575493351000
	at2026  = 1772449200000
	gw2026  = 1775738096000
)

func TestOtherLogsBecomeEvents(t *testing.T) {
	for _, c := range []struct {
		name, spec, line string
		want             event
		took             int64
		forwarded        string
	}{
		{"a load balancer's", "alb", albLine, event{VHost: "www.example.com", Client: "192.0.2.39", Addr: "192.0.2.39", Time: at2018, Method: "GET", Target: "/a?b=c d", Protocol: "HTTP/2.0", Status: 200, Bytes: 366, UserAgent: `curl/7 "q"`}, 350001, ""},
		{"a load balancer's without target", "alb", `http 2022-05-12T06:41:29Z app/x/1 2001:db8::1:41542 - -1 -1 -1 460 - 0 0 "- http://x.example:80- " "-" - - - "-"`, event{Client: "2001:db8::1", Addr: "2001:db8::1", Time: 1652337689000, Request: "- http://x.example:80- ", Status: 460, Bytes: 0}, -1, ""},
		{
			"a classic load balancer's", "alb", `2015-05-13T23:39:43.945958Z my-lb 192.0.2.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -`,
			event{VHost: "www.example.com", Client: "192.0.2.39", Addr: "192.0.2.39", Time: 1431560383945, Method: "GET", Target: "/", Protocol: "HTTP/1.1", Status: 200, Bytes: 29, UserAgent: "curl/7.38.0"},
			1178, "",
		},
		{"CloudFront's", "cloudfront", cfLine, event{Client: "192.0.2.112", Addr: "192.0.2.112", Time: at2019, Method: "GET", Target: "/index.html?q=1&r=%2520", Status: 200, Bytes: 392, UserAgent: "Mozilla/5.0 (Windows NT 10.0)"}, -1, ""},
		{"CloudFront's, encoded twice", "cloudfront", strings.ReplaceAll(strings.ReplaceAll(cfLine, "%20", "%2520"), "=%2520", "=%252520"), event{Client: "192.0.2.112", Addr: "192.0.2.112", Time: at2019, Method: "GET", Target: "/index.html?q=1&r=%252520", Status: 200, Bytes: 392, UserAgent: "Mozilla/5.0 (Windows NT 10.0)"}, -1, ""},
		{"CloudFront's of today", "cloudfront", cfLine + "\t-\tHit\tid==\twww.example.com\thttps\t23\t0.001\t198.51.100.1,%20x\tTLSv1.2\tECDHE\tHit\tHTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-\tnew", event{VHost: "www.example.com", Client: "192.0.2.112", Addr: "192.0.2.112", Time: at2019, Method: "GET", Target: "/index.html?q=1&r=%2520", Protocol: "HTTP/2.0", Status: 200, Bytes: 392, UserAgent: "Mozilla/5.0 (Windows NT 10.0)"}, 1000, "198.51.100.1, x"},
		{"CloudFront's in an order of its own", "cloudfront sc-status cs-uri-stem time date", "404\t/x\t21:02:31\t2019-12-04", event{Time: at2019, Target: "/x", Status: 404, Bytes: -1}, -1, ""},
		{"nginx's", ngSpec, ngLine, event{Client: "192.0.2.7", Addr: "192.0.2.7", User: "ann", Time: at2026, Method: "POST", Target: "/a?b", Protocol: "HTTP/1.1", Status: 201, Bytes: 17, Referrer: "https://x.example/", UserAgent: `UA "x"`}, 42000, "198.51.100.1, 10.0.0.1"},
		{"nginx's with other variables", `nginx ${msec} $host $request_method $uri $args $server_protocol $status`, `1772449200.123 x.example GET /a b=c HTTP/2.0 304`, event{VHost: "x.example", Time: at2026 + 123, Method: "GET", Target: "/a?b=c", Protocol: "HTTP/2.0", Status: 304, Bytes: -1}, -1, ""},
		{"API Gateway's", "apigateway", gwLine, event{Client: "192.0.2.9", Addr: "192.0.2.9", User: "ann", Time: gw2026, Method: "GET", Target: "/pets/{id}", Protocol: "HTTP/1.1", Status: 200, Bytes: 1234}, -1, ""},
		{
			"JSON by a mapping", `json @timestamp = t; url.original = req.url; client.address = req.ip; user_agent.original = req.h.ua; event.duration_millis = ms`, `{"t":1772449200123,"req":{"ip":"192.0.2.1","url":"https://x.example:8443/\u00e4?\"q","h":{"ua":"\ud83d\ude00 a\\b\n"}},"ms":1.5,"req2":null}`,
			event{VHost: "x.example", Client: "192.0.2.1", Addr: "192.0.2.1", Time: at2026 + 123, Target: `/ä?"q`, Bytes: -1, UserAgent: `😀 a\b\x0a`},
			1500, "",
		},
		{"JSON behind a byte order mark", `json @timestamp = t; url.path = p`, "\xef\xbb\xbf" + `{"t":1772449200123,"p":"/a"}`, event{Time: at2026 + 123, Target: "/a", Bytes: -1}, -1, ""},
		{"one of Apache's", "common", `192.0.2.7 - - [02/Mar/2026:12:00:00 +0100] "GET / HTTP/1.1" 200 5`, event{Client: "192.0.2.7", Addr: "192.0.2.7", Time: at2026, Method: "GET", Target: "/", Protocol: "HTTP/1.1", Status: 200, Bytes: 5}, -1, ""},
		{"network flows", "vpcflow", "2 123456789010 eni-1 192.0.2.12 198.51.100.7 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK", event{Client: "192.0.2.12", Addr: "192.0.2.12", Time: 1418530010000, Protocol: "TCP", Bytes: 4249}, 60_000_000, ""},
	} {
		d := open(t, c.spec)
		var log decode.AccessLog
		for range 2 { // the second time from what is remembered
			skip, reason := d.Decode([]byte(c.line), &log)
			if skip || reason != badrow.None {
				t.Errorf("%s: skip %v, reason %q", c.name, skip, reason)
				break
			}
			if diff := cmp.Diff(c.want, show(&log)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
			if ms, ok := d.EventTime([]byte(c.line)); !ok || ms != log.Time {
				t.Errorf("%s: event time %d, %v", c.name, ms, ok)
			}
			if got := d.Detail(); got.Took != c.took || string(pii.Reveal(got.Forwarded)) != c.forwarded {
				t.Errorf("%s: took %d, forwarded %q", c.name, got.Took, pii.Reveal(got.Forwarded))
			}
		}
	}
}

func TestDetailsOfOtherLogs(t *testing.T) {
	for name, c := range map[string]struct{ spec, line, want string }{
		"a load balancer's":         {"alb", albLine, "received 34, target 200: app/my-lb/50dc forward,redirect Root=1-5 TLSv1.2 TLS_AES"},
		"a trace with more in it":   {"alb", strings.Replace(albLine, "Root=1-5", "Self=1-2;Root=1-67891233-abcdef;By=ann", 1), "received 34, target 200: app/my-lb/50dc forward,redirect Root=1-67891233-abcdef TLSv1.2 TLS_AES"},
		"a trace without a root":    {"alb", strings.Replace(albLine, "Root=1-5", "ann", 1), "received 34, target 200: app/my-lb/50dc forward,redirect  TLSv1.2 TLS_AES"},
		"CloudFront's":              {"cloudfront", cfLine + "\t-\tHit\tid==\twww.example.com\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE", "received 23, target 0: LAX1 Hit id== TLSv1.2 ECDHE"},
		"nginx's, of two upstreams": {`nginx $msec $uri $request_length "$upstream_status" $request_id`, `1772449200.1 / 77 "502, 200" 5f`, "received 77, target 200:   5f  "},
		"a network flow's":          {"vpcflow", "2 1 eni-1 192.0.2.12 198.51.100.7 1 2 6 20 4249 1418530010 1418530070 REJECT OK", "received -1, target 0: eni-1 REJECT   "},
	} {
		d := open(t, c.spec)
		var log decode.AccessLog
		if _, reason := d.Decode([]byte(c.line), &log); reason != badrow.None {
			t.Errorf("%s: %s", name, reason)
		}
		of := d.Detail()
		got := fmt.Sprintf("received %d, target %d: %s %s %s %s %s", of.Received, of.Target, pii.Reveal(of.Place), pii.Reveal(of.Result), pii.Reveal(of.RequestID), pii.Reveal(of.TLSVersion), pii.Reveal(of.TLSCipher))
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestOtherLogsRefuseByReason(t *testing.T) {
	for _, c := range []struct {
		name, spec, line string
		skip             bool
		want             badrow.Reason
	}{
		{"an empty line", "alb", "", true, ""},
		{"a balancer's trial of its bucket", "alb", "Enable AccessLog for ELB: app/my-lb/50dc at 2018-07-02T22:22:48.364Z", true, ""},
		{"another log", "alb", "hello world", false, badrow.Format},
		{"a request that never closes", "alb", albLine[:150], false, badrow.Truncated},
		{"a line that ends early", "alb", albLine[:90], false, badrow.Truncated},
		{"an extra field that never closes", "alb", albLine + ` "x`, false, badrow.Truncated},
		{"a time that is none", "alb", strings.Replace(albLine, "07-02", "13-02", 1), false, badrow.Timestamp},
		{"a time before logs", "alb", strings.Replace(albLine, "2018", "1988", 1), false, badrow.TimeBounds},
		{"a status that is none", "alb", strings.Replace(albLine, " 200 200 ", " 2x0 200 ", 1), false, badrow.Number},
		{"a size that is none", "alb", strings.Replace(albLine, "34 366", "34 36f", 1), false, badrow.Number},
		{"a client that is none", "alb", strings.Replace(albLine, "192.0.2.39:2817", "a;b", 1), false, badrow.Format},
		{"a header", "cloudfront", "#Version: 1.0", true, ""},
		{"the header of an older generation", "cloudfront", "#Fields: " + cfHeader, true, ""},
		{"the header of another order", "cloudfront", "#Fields: time date", false, badrow.Format},
		{"no tabs", "cloudfront", "2019-12-04 21:02:31", false, badrow.Format},
		{"a row that ends before its status", "cloudfront", "2019-12-04\t21:02:31\tLAX1\t392", false, badrow.Truncated},
		{"a date that is none", "cloudfront", strings.Replace(cfLine, "12-04", "02-30", 1), false, badrow.Timestamp},
		{"a line that begins otherwise", "nginx [$time_local] $request", "x", false, badrow.Format},
		{"a quote that never closes", ngSpec, ngLine[:60], false, badrow.Truncated},
		{"a line that ends before the format", ngSpec, ngLine[:30], false, badrow.Truncated},
		{"no object", "apigateway", "[]", false, badrow.Format},
		{"half an object", "apigateway", gwLine[:100], false, badrow.Truncated},
		{"more than an object", "apigateway", gwLine + "x", false, badrow.Format},
		{"an object without a time", "apigateway", `{"ip":"192.0.2.1"}`, false, badrow.Timestamp},
		{"a bad escape", "apigateway", `{"ip":"\q"}`, false, badrow.Format},
		{"levels without end", "apigateway", strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60), false, badrow.Format},
	} {
		var log decode.AccessLog
		d := open(t, c.spec)
		if ms, ok := d.EventTime([]byte(c.line)); ok && c.want != badrow.Number && c.want != badrow.Format {
			t.Errorf("%s: event time %d", c.name, ms)
		}
		skip, got := d.Decode([]byte(c.line), &log)
		if skip != c.skip || got != c.want {
			t.Errorf("%s: skip %v, %q; want %v, %q", c.name, skip, got, c.skip, c.want)
		}
	}
}

func TestFlows(t *testing.T) {
	v5 := "version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport dstport pkt-srcaddr pkt-dstaddr protocol bytes packets start end action tcp-flags log-status region az-id flow-direction traffic-path"
	for _, c := range []struct {
		name, fields, line string
		skip               bool
		want               badrow.Reason
		bytes, start       int64
		port, flags        int32
	}{
		{"version 2", "", "2 123456789010 eni-1 192.0.2.12 198.51.100.7 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK", false, "", 4249, 1418530010000, 3389, 0},
		{"version 5, fields in another order", v5, "5 vpc-1 subnet-1 i-1 eni-1 123 IPv4 2001:db8::1 198.51.100.7 49761 443 192.0.2.1 - 6 77 2 1616729292 1616729349 ACCEPT 19 OK us-east-1 use1-az1 egress 8", false, "", 77, 1616729292000, 443, 19},
		{"no data", "", "2 123 eni-1 - - - - - - - 1431280876 1431280934 - NODATA", true, "", -1, 1431280876000, -1, 0},
		{"skipped data", "", "2 123 eni-1 - - - - - - - 1431280876 1431280934 - SKIPDATA", true, "", -1, 1431280876000, -1, 0},
		{"its header", v5, v5, true, "", 0, 0, 0, 0},
		{"another header", "", v5, false, badrow.Format, 0, 0, 0, 0},
		{"a row cut short", "", "2 123 eni-1 192.0.2.12", false, badrow.Truncated, 0, 0, 0, 0},
		{"a port out of range", "", "2 123 eni-1 192.0.2.12 198.51.100.7 49761 70000 6 20 4249 1418530010 1418530070 REJECT OK", false, badrow.Number, 0, 0, 0, 0},
		{"an address that is none", "", "2 123 eni-1 192.0.2.300 198.51.100.7 1 2 6 20 4249 1418530010 1418530070 REJECT OK", false, badrow.Format, 0, 0, 0, 0},
		{"an end before the start", "", "2 123 eni-1 192.0.2.3 198.51.100.7 1 2 6 20 4249 1418530010 1418530000 REJECT OK", false, badrow.Timestamp, 0, 0, 0, 0},
		{"a single word", "", "2", false, badrow.Format, 0, 0, 0, 0},
		{"another version's extra fields", "", "2 123 eni-1 192.0.2.12 198.51.100.7 1 2 6 20 4249 1418530010 1418530070 REJECT OK more", false, "", 4249, 1418530010000, 2, 0},
	} {
		d, err := decode.NewFlowDecoder(c.fields)
		if err != nil {
			t.Fatal(err)
		}
		var f decode.Flow
		skip, got := d.Decode([]byte(c.line), &f)
		if skip != c.skip || got != c.want {
			t.Errorf("%s: skip %v, %q", c.name, skip, got)
		} else if got == "" && c.start != 0 && (f.Bytes != c.bytes || f.Start != c.start || f.DestPort != c.port || f.Flags != c.flags) {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
	if _, err := decode.NewFlowDecoder("srcaddr"); err == nil || !strings.Contains(err.Error(), "start") {
		t.Errorf("without times: %v", err)
	}
}

func TestFormatsThatCannotWorkAreRefused(t *testing.T) {
	for spec, want := range map[string]string{
		"nginx $remote_addr $request":     "no time",
		"nginx $time_local":               "no request",
		"nginx $time_local$request":       "between $time_local and $request",
		"nginx $ x":                       "no name",
		"nginx ${time_local $request":     "no name",
		"nginx $msec $uri $document_uri":  "says again",
		"cloudfront a b":                  "no time",
		"json x = y":                      "unknown field",
		"json @timestamp = t":             "url.original",
		"json @timestamp = t; url.path=t": "same place",
		"vpcflow srcaddr":                 "no field start",
	} {
		s, err := decode.ParseSpec(spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = s.Open(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", spec, err)
		}
	}
	if _, err := decode.ParseSpec("iis"); err == nil || !strings.Contains(err.Error(), "cloudfront") {
		t.Errorf("unknown format: %v", err)
	}
	_, err := decode.ParseMapping("m.yaml", []byte("\n# x\nclient.addres: a\nurl.path: a\nurl.path: b\nurl.query a\n"))
	for _, want := range []string{`m.yaml:3: unknown field "client.addres"; did you mean client.address?`, "m.yaml:5: url.path stands there", "m.yaml:6: no colon"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestFormatsAreDetected(t *testing.T) {
	for want, text := range map[string]string{
		"alb":                               albLine + "\n" + albLine + "\n",
		"alb ":                              "Enable AccessLog for ELB: my-lb at 2018-07-02T22:22:48.364Z",
		"cloudfront":                        cfLine + "\n",
		"cloudfront " + cfHeader:            "#Version: 1.0\n#Fields: " + cfHeader + "\n" + cfLine + "\n",
		"apigateway":                        gwLine + "\nrubbish\n",
		"vpcflow":                           "2 123 eni-1 - - - - - - - 1431280876 1431280934 - NODATA\n",
		"vpcflow version srcaddr start end": "version srcaddr start end\n",
		"combined":                          `192.0.2.7 - - [02/Mar/2026:12:00:00 +0100] "GET / HTTP/1.1" 200 5 "-" "x"` + "\n",
		"":                                  "rubbish\n\n",
	} {
		if got := decode.DetectSpec([]byte(text)).String(); got != strings.TrimSpace(want) {
			t.Errorf("%.40q is %q, want %q", text, got, want)
		}
	}
}

// awsLog reads a file that is not ours to ship.
func awsLog(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "aws-logs", name))
	if os.IsNotExist(err) {
		t.Skipf("the samples beside the repository are not there: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSampleLogsParseFully(t *testing.T) {
	for name, want := range map[string]int{"alb.log": 2, "cloudfront.log": 3, "vpcflow.log": 5} {
		t.Run(name, func(t *testing.T) {
			content := awsLog(t, name)
			spec := decode.DetectSpec(content)
			if want := strings.TrimSuffix(name, ".log"); spec.Name != want {
				t.Fatalf("detected as %s", spec)
			}
			events, skipped := 0, 0
			d := open(t, spec.String())
			read := func(line []byte) (bool, badrow.Reason) {
				var log decode.AccessLog
				return d.Decode(line, &log)
			}
			for lines := decode.NewLines(content, 0); ; {
				line, _, ok := lines.Next()
				if !ok {
					break
				}
				switch skip, reason := read(line); {
				case reason != badrow.None:
					t.Errorf("%q: %s", line, reason)
				case skip:
					skipped++
				default:
					events++
				}
			}
			if events != want {
				t.Errorf("%d events, %d skipped; want %d", events, skipped, want)
			}
		})
	}
}
