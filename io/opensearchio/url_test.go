package opensearchio

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/raw"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

func TestTheParametersOfASinkAreThoseItReads(t *testing.T) {
	var names []string
	for _, p := range Parameters() {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	_, err := parse("opensearch://h/i?zzz=1", weblog.Events)
	if want := "(known: " + strings.Join(names, ", ") + ")"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

func TestURLsThatCannotBe(t *testing.T) {
	t.Setenv("LOGIN", "user:secret-word")
	t.Setenv("HALF", "secret-word")
	for url, part := range map[string]string{
		"http://h/i":                                        "scheme http",
		"opensearch:///i":                                   "host is missing",
		"opensearch://h":                                    "name of the index is missing",
		"opensearch://h/a/b":                                "no path",
		"opensearch://h/Logs":                               "lower case",
		"opensearch://h/_logs":                              "do not begin",
		"opensearch://h/lo*gs":                              "have none of",
		"opensearch://h/{day}":                              "beside {day}",
		"opensearch://h/a-{day}-{day}":                      "once",
		"opensearch://h/a-{month}":                          "{day}, once",
		"opensearch://h/" + long("a", 256):                  "255 bytes",
		"opensearch://h/a?alias=a":                          "the name of the index",
		"opensearch://h/a?alias=B":                          "lower case",
		"opensearch://h/a?alias=b&mode=append":              "no effect",
		"opensearch://h/a?alias=b&template=skip":            "no effect",
		"opensearch://h/a-{day}?mode=append":                "leave {day} out",
		"opensearch://h/a?mode=insert":                      "one of upsert, append",
		"opensearch://h/a?id=event_idd":                     "did you mean event_id?",
		"opensearch://h/a?rows=0":                           "at least 1",
		"opensearch://h/a?calls=16":                         "lower calls",
		"opensearch://h/a?bytes=1GiB":                       "64MiB",
		"opensearch://h/a?ca=x.pem":                         "without TLS",
		"opensearch://h/a?region=eu-west-1":                 "without sigv4",
		"opensearch://h/a?login_env=LOGIN":                  "as it stands",
		"opensearch+https://h/a?login_env=a:b":              "not the name",
		"opensearch+https://h/a?login_env=HALF":             "does not hold user:password",
		"opensearch+https://h/a?login_env=LOGIN&sigv4=true": "exclude",
		"opensearch://user:secret-word@h/a":                 "credential",
		"opensearch://h/a?password=secret-word":             "credential",
	} {
		_, err := parse(url, weblog.Events)
		if !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: %v, want %q", url, err, part)
		}
	}
	if _, err := parse("opensearch://h/a?mode=append", weblog.Sessions); err == nil || !strings.Contains(err.Error(), "overwrite each other") {
		t.Errorf("rows with versions in a data stream: %v", err)
	}
}

func long(s string, n int) string { return strings.Repeat(s, n) }

func TestWhatURLsMean(t *testing.T) {
	t.Setenv("LOGIN", "user:pass:word")
	for url, want := range map[string]config{
		"opensearch://h/logs":                                     {base: "http://h:9200"},
		"opensearch://h:1/logs-{day}":                             {base: "http://h:1", alias: "logs"},
		"opensearch://[::1]/logs":                                 {base: "http://[::1]:9200"},
		"opensearch://127.0.0.1/x-{day}-y?login_env=LOGIN":        {base: "http://127.0.0.1:9200", alias: "x--y", user: "user", password: "pass:word"},
		"opensearch+https://h/logs?login_env=LOGIN&alias=readers": {base: "https://h", alias: "readers", user: "user", password: "pass:word"},
		"opensearch+https://h:9/logs?template=skip":               {base: "https://h:9"},
	} {
		c, err := parse(url, weblog.Events)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if c.base != want.base || c.alias != want.alias || c.user != want.user || c.password != want.password || c.memory() > maxMemory {
			t.Errorf("%s is %+v", url, c)
		}
	}
	if c, err := parse("opensearch://h/logs", weblog.Sessions); err != nil || c.alias != "logs-current" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestIndexesOfDays(t *testing.T) {
	n, err := parseIndex("logs-{day}.v1")
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[int64]string{0: "logs-1970-01-01.v1", firstDay: "logs-1900-01-01.v1", lastDay: "logs-2099-12-31.v1"} {
		if got := string(n.append(nil, day)); got != want {
			t.Errorf("day %d has the index %s, want %s", day, got, want)
		}
	}
	if d := cmp.Diff([]string{"logs-19*.v1", "logs-20*.v1"}, n.patterns()); d != "" {
		t.Error(d)
	}
	var refused []driver.RefusedRow
	s := open(t, "opensearch://127.0.0.1:1/l-{day}?template=skip", letters, collect(&refused))
	b := table.NewBatch(letters)
	b.Append(letter{At: table.Millis((lastDay + 1) * 86_400_000)})
	if err := s.Write(t.Context(), table.Rows{Batch: b}); err != nil || len(refused) != 1 || refused[0].Reason != driver.RefusedInvalid {
		t.Errorf("a row of the year 2100: %v, refused %+v", err, refused)
	}
}

func TestVersionsThatAreNoneAreRefused(t *testing.T) {
	var refused []driver.RefusedRow
	s := open(t, "opensearch://127.0.0.1:1/l?template=skip", weblog.Sessions, collect(&refused))
	b := table.NewBatch(weblog.Sessions)
	b.Append(weblog.Session{Version: -1})
	b.Append(weblog.Session{Version: maxVersion + 1})
	if err := s.Write(t.Context(), table.Rows{Batch: b}); err != nil || len(refused) != 2 {
		t.Errorf("%v, refused %+v", err, refused)
	}
	if v := externalVersion(maxVersion, table.Sealed); v < 0 {
		t.Errorf("the greatest version becomes %d", v)
	}
}

func TestColumnsAreIndexedByTheirKind(t *testing.T) {
	types := func(s *table.Schema, url string) map[string]string {
		c, err := parse(url, s)
		if err != nil {
			t.Fatal(err)
		}
		body, digest, err := c.indexTemplate()
		if err != nil || len(digest) != 32 || !json.Valid(body) {
			t.Fatalf("%s, %v", body, err)
		}
		list := map[string]string{}
		for name, field := range c.mapping()["properties"].(object) {
			list[name] = field.(object)["type"].(string)
			if _, words := field.(object)["fields"]; words {
				list[name] += "+text"
			}
		}
		return list
	}
	want := map[string]string{
		"event_id": "keyword", "event_time": "date", "visitor_id": "keyword", "client_ip": "ip", "method": "keyword", "path": "keyword+text", "query": "keyword+text",
		"protocol": "keyword", "status": "integer", "bytes": "long", "referrer": "keyword+text", "user_agent": "keyword+text", "bot": "boolean", "late": "boolean",
		"bot_name": "keyword", "page_view": "boolean", "user": "keyword", "host": "keyword", "request": "keyword+text", "source": "keyword", "position": "long", "sequence": "keyword",
		"duration_ms": "double", "bytes_received": "long", "target_status": "integer", "edge": "keyword+text", "edge_result": "keyword+text",
		"tls_version": "keyword+text", "tls_cipher": "keyword+text", "request_id": "keyword+text",
		"asn": "long", "bot_reason": "keyword", "codes": "keyword+text", "browser": "keyword+text", "browser_version": "keyword+text", "city": "keyword", "country": "keyword",
		"device": "keyword+text", "device_class": "keyword", "enrichment": "keyword", "network": "keyword", "os": "keyword+text", "os_version": "keyword+text", "region": "keyword",
	}
	if d := cmp.Diff(want, types(weblog.Events, "opensearch://h/i")); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	want = map[string]string{"day": "date", "visitors": "long", "visitors_without_bots": "long", "exact": "boolean", "version": "long", "sealed": "boolean", "withdrawn": "boolean"}
	if d := cmp.Diff(want, types(weblog.Visitors, "opensearch://h/i")); d != "" {
		t.Errorf("visitors (-want +got):\n%s", d)
	}
	if got := types(raw.Rows, "opensearch://h/i?mode=append"); got["payload"] != "binary" || got[timestamp] != "date" {
		t.Errorf("raw: %v", got)
	}
}
