package decode_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

// confText is a configuration of nginx.
const confText = `
http { # log_format nothing 'of comments';
    include "mime.types";
    log_format main  '$remote_addr - $remote_user [$time_local] "$request" '
                     '$status $body_bytes_sent';
    log_format timed escape=default "$msec \"$request\" " '${status} $request_time';
    log_format structured escape=json '{"t":"$msec"}';
    server { access_log /var/log/nginx/access.log main; }
}
`

func TestFormatsAreGivenByNameTextOrFile(t *testing.T) {
	files := map[string]string{
		"conf": confText, "one": "log_format x $msec ' $uri';", "text": "$msec $uri $status\n", "none": "events {}\n", "two": "a\nb", "open": "log_format x '$msec",
		"good.yaml": "# of our proxy\nurl.path: u\n'@timestamp': t\n", "bad.yaml": "'@timestamp': t\nurl.pth: u\n", "semicolon": "'@timestamp': t;\nurl.path: u",
	}
	read := func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, errors.New("no file " + name)
	}
	for text, want := range map[string]string{
		"combined":                        "combined",
		"cloudfront":                      "cloudfront",
		"  alb ":                          "alb",
		"json@good.yaml":                  "json @timestamp = t; url.path = u",
		"json @timestamp=t ; url.path: u": "json @timestamp=t ; url.path: u",
		"nginx $msec $uri":                "nginx $msec $uri",
		"nginx $msec@$uri":                "nginx $msec@$uri",
		"nginx@conf#main":                 `nginx $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent`,
		"nginx@conf#timed":                `nginx $msec "$request" ${status} $request_time`,
		"nginx@one":                       "nginx $msec $uri",
		"nginx@text":                      "nginx $msec $uri $status",
	} {
		if spec, err := decode.Given(text, read); err != nil || spec.String() != want {
			t.Errorf("%q is %q, %v; want %q", text, spec, err, want)
		}
	}
	for text, want := range map[string]string{
		"combinde":              "did you mean combined?",
		"":                      "want one of",
		"alb x":                 "takes nothing",
		"alb@x":                 "only json and nginx take a file",
		"json":                  "json@mapping.yaml",
		"nginx":                 "nginx@/etc/nginx/nginx.conf",
		"json@missing":          "no file missing",
		"json@bad.yaml":         `bad.yaml:2: unknown field "url.pth"; did you mean url.path?`,
		"json@semicolon":        "semicolon:1: @timestamp: a member whose name has a semicolon",
		"nginx@missing":         "no file missing",
		"nginx@conf":            "there are log_formats main, timed, structured; name one: nginx@conf#main",
		"nginx@conf#min":        "no log_format min; there are main, timed, structured",
		"nginx@conf#structured": "conf:7: log_format structured writes JSON",
		"nginx@none":            "nginx", // events {} has no variable
		"nginx@two":             "no log_format",
		"nginx@open":            "open:1: log_format x never ends",
		"cloudfront a b":        "no time",
	} {
		if spec, err := decode.Given(text, read); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %q, %v; want an error with %q", text, spec, err, want)
		}
	}
}

func TestFilesAreInspected(t *testing.T) {
	const combined = `192.0.2.7 - - [02/Mar/2026:12:00:00 +0100] "GET / HTTP/1.1" 200 5 "-" "x"` + "\n"
	const flow = "2 123456789010 eni-1 192.0.2.12 198.51.100.7 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK\n"
	cloudFront := "#Version: 1.0\n#Fields: " + cfHeader + "\n" + cfLine + "\n"
	mapped := "json @timestamp = t; url.path = u"
	for _, c := range []struct{ given, head, spec, near, note, fault string }{
		{"", combined, "combined", "1772449200000", "", ""},
		{"", cloudFront, "cloudfront " + cfHeader, "1575493351000", "", ""},
		{"", "rubbish\n", "", "0", "", ""},
		{"", `{"a":{"b":[1]}}` + "\n", "", "0", "its lines are JSON objects", ""},
		{"", `{"a":` + "\n", "", "0", "", ""},
		{"", "rubbish [02/Mar/2026:12:00:00 +0100] \"\n", "", "1772449200000", "", ""},
		{"", flow, "", "", "", "network flows"},
		{"vpcflow", flow, "vpcflow", "1418530010000", "", ""},
		{"vpcflow", "srcaddr start end\n1.2.3.4 1418530010 1418530070\n", "vpcflow srcaddr start end", "1418530010000", "", ""},
		{"cloudfront", cloudFront, "cloudfront " + cfHeader, "1575493351000", "", ""},
		{"cloudfront", "#Version: 1.0\n", "cloudfront", "0", "", ""},
		{"common", combined, "common", "1772449200000", "", ""},
		{"alb", combined, "", "", "", "first 1 lines is in format alb, and they look like combined"},
		{"combined", cloudFront, "", "", "", "look like cloudfront"},
		{mapped, gwLine + "\n", "", "", "", "look like apigateway"},
		{mapped, `{"t":"2026-03-02T11:00:00Z","u":"/"}` + "\n", mapped, "1772449200000", "", ""},
		{mapped, `{"t":"yesterday","u":"/"}` + "\n{\n", mapped, "0", "none of the first 2 lines can be read in format json (timestamp: 1, truncated: 1)", ""},
		{"", "#Fields: a b c\n", "", "", "", "no time"},
	} {
		given := decode.Spec{}
		if c.given != "" {
			given, _ = decode.ParseSpec(c.given)
		}
		got, err := decode.Inspect([]byte(c.head), given)
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%q as %q: %v, want %q", c.head, c.given, err, c.fault)
			}
			continue
		}
		if err != nil || got.Spec.String() != c.spec || fmt.Sprint(got.Near) != c.near || !strings.HasPrefix(got.Note, c.note) || c.note == "" && got.Note != "" {
			t.Errorf("%q as %q: %+v, %v", c.head, c.given, got, err)
		}
	}
}

// TestTheMappingThatIsShippedHasEveryField, some of them in comments, as a mapping has
// no use for all.
func TestTheMappingThatIsShippedHasEveryField(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "jobs", "weblogs", "mapping.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := decode.ParseMapping("mapping.yaml", content)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range decode.MappingNames() {
		if commented := strings.Contains(string(content), "\n# "+name+": "); (m[name] != "") == commented {
			t.Errorf("%s is there %v, in a comment %v", name, m[name] != "", commented)
		}
	}
	d := open(t, "json "+m.String())
	var log decode.AccessLog
	skip, reason := d.Decode([]byte(`{"time":1772449200,"client":{"ip":"192.0.2.1:77"},"user":{"id":"ann"},"request":{"method":"GET","url":"/a?b","headers":{"user_agent":"x"}},"response":{"status":200,"bytes":5},"took":0.25,"edge":{"location":"FRA","result":"Hit"},"upstream":{"status":201},"tls":{"protocol":"TLSv1.3"}}`), &log)
	if skip || reason != badrow.None {
		t.Fatalf("skip %v, %s", skip, reason)
	}
	want := event{Client: "192.0.2.1", Addr: "192.0.2.1", User: "ann", Time: at2026, Method: "GET", Target: "/a?b", Status: 200, Bytes: 5, UserAgent: "x"}
	if diff := cmp.Diff(want, show(&log)); diff != "" || d.Detail().Took != 250_000 || d.Detail().Target != 201 {
		t.Errorf("%+v\n%s", d.Detail(), diff)
	}
}
