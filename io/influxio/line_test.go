package influxio

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/influxdata/influxdb-client-go/v2/api/write"

	"millrace/internal/mutate"
	"millrace/io/driver"
	"millrace/io/timeseries"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// offline is a sink that sends nothing.
func offline(t testing.TB, parameters string, schema *table.Schema) *Sink {
	t.Helper()
	return open(t, "influx://127.0.0.1:1/rows?"+parameters, schema, driver.SinkOptions{})
}

func (s *Sink) lineOf(t testing.TB, kind table.RowKind, row any) string {
	t.Helper()
	b := table.NewBatch(s.config.shape.Schema)
	b.Append(row)
	line, slot := s.encoder.series(nil, b, 0)
	return string(s.encoder.appendFields(line, table.Rows{Batch: b, Kind: kind}, 0, s.encoder.time(s.config.shape.Millis(b, 0), slot)))
}

func TestLines(t *testing.T) {
	// Nothing is known of where the sessions below came from.
	const (
		origin  = `source="",medium="",campaign="",channel="",first_source="",first_medium="",first_campaign="",first_channel="",last_source="",last_medium="",last_campaign="",last_channel="",previous_session_id="",`
		unknown = `source,medium,campaign,channel,first_source,first_medium,first_campaign,first_channel,last_source,last_medium,last_campaign,last_channel,session_index,previous_session_id`
	)
	for _, c := range []struct {
		parameters string
		schema     *table.Schema
		kind       table.RowKind
		row        any
		want       string
	}{
		{"", weblog.TrafficRows, table.Sealed, weblog.Traffic{WindowStart: 1_741_003_200_000, WindowSeconds: 60, StatusClass: "2xx", Views: 7, Bytes: 9, Version: 1<<32 | 7}, "traffic,window_seconds=60,status_class=2xx views=7i,bytes=9i,version=4294967303i,sealed=true,withdrawn=false 1741003200000\n"},
		{"measurement=m.1", weblog.TrafficRows, table.Provisional, weblog.Traffic{WindowStart: -1, StatusClass: "a b"}, "m.1,window_seconds=0,status_class=a\\ b views=0i,bytes=0i,version=0i,sealed=false,withdrawn=false -1\n"},
		{"", weblog.Visitors, table.Sealed, weblog.Visitor{Day: 1, Visitors: 3, Exact: true, Version: 2}, "visitors visitors=3i,visitors_without_bots=0i,exact=true,version=2i,sealed=true,withdrawn=false 86400000\n"},
		{"", weblog.TopPages, table.Sealed, weblog.TopPage{Rank: 2, Path: `/a "b"\`, Views: 1}, `top_pages,rank=2 path="/a \"b\"\\",views=1i,window_seconds=0i,version=0i,sealed=true,withdrawn=false,nulls="visitors,bytes_p50,bytes_p95,bytes_p99,latency_ms_p50,latency_ms_p90,latency_ms_p99,exact,views_error" 0` + "\n"},
		{"ids=tag", weblog.Sessions, table.Withdrawn, weblog.Session{SessionID: "s", VisitorID: "v", StartTime: 5, EndTime: 9, Events: 4, DurationMs: 4, Version: 4, ExitPage: pointer("/")}, `sessions,visitor_id=v session_id="s",end_time=9i,events=0i,page_views=0i,entry_page="",exit_page="/",bounce=false,version=4i,duration_ms=0i,engaged=false,bot=false,truncated=false,` + strings.Replace(origin, `prev`, `session_index=0i,prev`, 1) + `sealed=true,withdrawn=true,nulls="entry_page,` + unknown + `" 5` + "\n"},
		// The digest is stored with every point: these never change.
		{"", weblog.Sessions, table.Sealed, weblog.Session{SessionID: "s", VisitorID: "v", StartTime: 5}, `sessions,part=3d session_id="s",end_time=0i,events=0i,page_views=0i,entry_page="",exit_page="",bounce=false,version=0i,duration_ms=0i,engaged=false,bot=false,truncated=false,` + origin + `visitor_id="v",sealed=true,withdrawn=false,nulls="entry_page,exit_page,` + unknown + `" 5495327` + "\n"},
		{"", letters, table.Sealed, letter{At: 3, Name: "", N: -1}, "letters,name=~ n=-1i 3\n"},
	} {
		if got := offline(t, c.parameters, c.schema).lineOf(t, c.kind, c.row); got != c.want {
			t.Errorf("%s is\n%s, want\n%s", c.schema.ID(), got, c.want)
		}
	}
}

func TestDigestsTellIDsApart(t *testing.T) {
	type pair struct {
		At table.Millis `col:"at,sort1,day" doc:"a time"`
		A  *string      `col:"a,null,sort2" mask:"token" doc:"an id"`
		B  *string      `col:"b,null,sort3" mask:"token" doc:"an id"`
		N  int32        `col:"n" doc:"a number"`
	}
	s := offline(t, "", table.MustOf[pair]("influxio.pairs", 1))
	texts := []*string{nil}
	for _, text := range []string{"", "a", "b", "ab", "null", " "} {
		texts = append(texts, &text)
	}
	b := table.NewBatch(s.config.shape.Schema)
	seen := map[uint64]int{}
	for _, x := range texts {
		for _, y := range texts {
			b.Append(pair{A: x, B: y})
			digest := s.encoder.digest(b, b.Len()-1)
			if other, taken := seen[digest]; taken {
				t.Errorf("rows %d and %d have one digest", other, b.Len()-1)
			}
			seen[digest] = b.Len() - 1
		}
	}
}

// FuzzLine: whatever the texts of a row, its line is that of the official client, where
// that can write it, and one line that reads back.
func FuzzLine(tf *testing.F) {
	f := mutate.Of(tf)
	for _, pair := range [][2]string{{"a", "b"}, {"a b", "c,d=e"}, {`"`, `\`}, {"é", "日本語"}, {"", ""}, {"~", "a=b"}, {"line\nfeed", "line\nfeed"}, {`a\,b`, `\"`}, {"x\\", "y\\"}} {
		f.Add(pair[0], pair[1], int64(5), int64(-7))
	}
	s := offline(f, "", letters)
	f.Fuzz(func(t *testing.T, name, pad string, n, at int64) {
		if !utf8.ValidString(name) || !utf8.ValidString(pad) || at < minMillis || at > maxMillis {
			return
		}
		got := s.lineOf(t, table.Sealed, letter{At: table.Millis(at), Name: name, N: n, Pad: &pad})
		tag, rest := unescapeTag(t, strings.TrimPrefix(got, "letters,name="))
		b := table.NewBatch(letters)
		b.Append(letter{Name: name})
		if want, _ := timeseries.AppendDimension(nil, b, 1, 0); tag != string(want) || strings.Contains(got[:len(got)-len(rest)], "\n") || !strings.HasSuffix(rest, "\n") {
			t.Errorf("%q is the tag %q in %q", name, tag, got)
		}
		if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '~' || r == '\\' || r == 0x7f }) || name == "" {
			return // has a text of its own in a tag; the client drops it or writes what reads as another
		}
		point := write.NewPointWithMeasurement("letters").AddTag("name", name).AddField("n", n).AddField("pad", pad).SetTime(time.UnixMilli(at))
		if want := write.PointToLineProtocol(point, time.Millisecond); got != want {
			t.Errorf("%q, the client has %q", got, want)
		}
	})
}

// unescapeTag reads a tag's value as InfluxDB does, to the space that ends it.
func unescapeTag(t *testing.T, text string) (value, rest string) {
	t.Helper()
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && strings.ContainsRune(",= ", rune(text[i+1])):
			i++
			out.WriteByte(text[i])
		case c == ' ':
			return out.String(), text[i:]
		default:
			out.WriteByte(c)
		}
	}
	t.Errorf("%q has no end", text)
	return "", ""
}
