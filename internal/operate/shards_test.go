package operate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/operate"
)

// figures are metrics of a subtask of the stage that reads.
type figures struct {
	subtask int
	values  map[string]int64
}

// add has the stage that reads tell of these, too. The form of a name is the recorded
// one's.
func add(t *testing.T, a map[string]json.RawMessage, all ...figures) {
	t.Helper()
	type metric struct{ ID, Value string }
	var list []map[string]string
	if err := json.Unmarshal(a[source], &list); err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		for name, value := range f.values {
			m := metric{fmt.Sprintf("%d.[8]{endpoint_Follow__weblogs__endpoint_WriteLive}.%s", f.subtask, name), fmt.Sprint(value)}
			list = append(list, map[string]string{"id": m.ID, "value": m.Value})
		}
	}
	a[source], _ = json.Marshal(list)
}

// ago is so long before the answers were recorded.
func ago(d time.Duration) int64 { return at.Add(-d).UnixMilli() }

func TestShardsThatAreReadAreTold(t *testing.T) {
	_, client := record(t, "healthy.json", func(a map[string]json.RawMessage) {
		add(t, a, figures{0, map[string]int64{
			"shard_shardId-000000000000_upto": ago(2 * time.Second), "shard_shardId-000000000000_age": 1500, "shard_shardId-000000000000_watermark": ago(7 * time.Minute),
			// Its throttling is over.
			"shard_shardId-000000000000_fault-ProvisionedThroughputExceededException": 0,
			// It began a moment ago.
			"shard_shardId-000000000003_upto": 0, "shard_shardId-000000000003_age": 0, "shard_shardId-000000000003_watermark": -1 << 63,
			// It is closed.
			"shard_shardId-000000000001_upto": -1, "shard_shardId-000000000001_age": 99, "shard_shardId-000000000001_watermark": ago(time.Hour),
			// It went to another subtask.
			"shard_shardId-000000000002_upto":         -1,
			"millrace_read-retries":                   7,
			"millrace_read-throttled":                 5,
			"millrace_lake-retries":                   3,
			"millrace_rows-bad_rows":                  2,
			"millrace_rows-events":                    100,
			"millrace_sent-top_pages":                 40,
			"millrace_refused-top_pages":              3,
			"millrace_retries-top_pages":              2,
			"millrace_sent-events":                    9,
			"shard_without":                           5,
			"shard_shardId-000000000000_of-a-version": 1, // that is yet to come
		}}, figures{1, map[string]int64{
			"shard_shardId-000000000002_upto": ago(20 * time.Minute), "shard_shardId-000000000002_age": 600000, "shard_shardId-000000000002_watermark": ago(30 * time.Minute),
			"millrace_rows-events": 1,
		}})
	})
	s := look(t, operate.Reader{Client: client}, healthyID)
	golden(t, "shards.json", marshal(t, s.Shards))
	if s.Read.Retries != 7 || s.Read.Throttled != 5 || s.Wrote.Retries != 3 || s.Wrote.Rows["events"] != 101 || s.Wrote.Rows["bad_rows"] != 2 {
		t.Errorf("read %+v, wrote %+v", s.Read, s.Wrote)
	}
	sinks := map[string]operate.Sending{"top_pages": {Sent: 40, Refused: 3, Retries: 2}, "events": {Sent: 9}}
	if diff := cmp.Diff(sinks, s.Wrote.Sinks); diff != "" {
		t.Errorf("sinks (-want +told):\n%s", diff)
	}
	if s.Healthy || !slices.ContainsFunc(s.Findings, func(f operate.Finding) bool {
		return f.Problem && strings.Contains(f.Text, "the sink of top_pages refuses rows: 3 of 40")
	}) {
		t.Errorf("findings %+v", s.Findings)
	}
	if s.Stages[2].Retries != 12 || s.Stages[3].Retries != 0 {
		t.Errorf("stages %+v", s.Stages)
	}
	var b bytes.Buffer
	if err := s.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "shards.txt", b.Bytes())
	b.Reset()
	if err := operate.WritePrometheus(&b, &s); err != nil {
		t.Fatal(err)
	}
	var samples strings.Builder
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, "millrace_shard_") || strings.Contains(line, "retries") || strings.Contains(line, "throttled") || strings.Contains(line, "written") {
			samples.WriteString(line)
		}
	}
	golden(t, "shards.prom", []byte(samples.String()))
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

func TestAShardWhoseReadsAreRefusedIsAProblemOnceThatLasts(t *testing.T) {
	for name, c := range map[string]struct {
		since   time.Duration
		code    string
		problem bool
		want    string
		cure    string
	}{
		"a moment": {time.Minute, "ProvisionedThroughputExceededException", false, "the stream refuses the reads of shardId-000000000001 since 2026-11-21 07:17:07Z, 60 s: " +
			"the service is asked for more than the shard gives (ProvisionedThroughputExceededException); it lags by 62 s, and 1 more fails", "more shards"},
		"for long": {4 * time.Minute, "AccessDeniedException", true, "since 2026-11-21 07:14:07Z, 4 min: the credentials of the workers may not (AccessDeniedException); it lags by 4 min, and 1 more fails", "kinesis:GetRecords"},
		"strange":  {4 * time.Minute, "KMSDisabledException", true, "4 min: KMSDisabledException; it lags by 4 min", "logs"},
	} {
		t.Run(name, func(t *testing.T) {
			_, client := record(t, "healthy.json", func(a map[string]json.RawMessage) {
				add(t, a, figures{0, map[string]int64{
					"shard_shardId-000000000000_upto":                  ago(time.Second),
					"shard_shardId-000000000001_upto":                  ago(c.since + 2*time.Second),
					"shard_shardId-000000000001_fault-" + c.code:       ago(c.since),
					"shard_shardId-000000000001_fault-Unavailable":     0,
					"shard_shardId-000000000002_upto":                  ago(30 * time.Second),
					"shard_shardId-000000000002_fault-InternalFailure": ago(20 * time.Second),
				}})
			})
			s := look(t, operate.Reader{Client: client}, healthyID)
			if s.Healthy == c.problem || len(s.Findings) != 1 || !strings.Contains(s.Findings[0].Text, c.want) || !strings.Contains(s.Findings[0].Cure, c.cure) {
				t.Errorf("healthy %t, findings %+v; want %q and %q", s.Healthy, s.Findings, c.want, c.cure)
			}
			// What status says and what /healthz answers are one.
			code := ask(t, operate.Reader{Client: client}.Handler(""), "/healthz").Code
			if want := map[bool]int{false: 200, true: 503}[c.problem]; code != want {
				t.Errorf("/healthz answers %d, want %d", code, want)
			}
		})
	}
}

func TestAStreamThatIsNotAskedIsAProblem(t *testing.T) {
	for name, c := range map[string]struct {
		other  map[string]int64
		stands bool
	}{
		"all":                 {map[string]int64{"upto": ago(4 * time.Minute)}, true},
		"one is asked":        {map[string]int64{"upto": ago(10 * time.Second)}, false},
		"one works a backlog": {map[string]int64{"upto": ago(10 * time.Minute), "age": (10*time.Minute - 5*time.Second).Milliseconds()}, false},
		"one is refused":      {map[string]int64{"upto": ago(20 * time.Second), "fault-Throttled": ago(10 * time.Second)}, true},
		"one is not begun":    {map[string]int64{"upto": 0}, true},
	} {
		t.Run(name, func(t *testing.T) {
			_, client := record(t, "healthy.json", func(a map[string]json.RawMessage) {
				values := map[string]int64{"shard_shardId-000000000000_upto": ago(6 * time.Minute), "shard_shardId-000000000000_age": time.Minute.Milliseconds()}
				for figure, value := range c.other {
					values["shard_shardId-000000000001_"+figure] = value
				}
				add(t, a, figures{0, values})
			})
			s := look(t, operate.Reader{Client: client}, healthyID)
			said := strings.Contains(fmt.Sprint(s.Findings), "the stream was not asked for records for")
			if said != c.stands || s.Healthy == c.stands {
				t.Errorf("healthy %t, findings %+v", s.Healthy, s.Findings)
			}
		})
	}
}

func TestAFarWatermarkNamesItsShard(t *testing.T) {
	for want, watermark := range map[string]int64{
		"there is no watermark yet, so nothing is sealed: shardId-000000000001 has given no time yet":               -1 << 63,
		"there is no watermark yet, so nothing is sealed: shardId-000000000001 holds it, with 2026-11-21 05:18:07Z": ago(2 * time.Hour),
	} {
		_, client := record(t, "healthy.json", func(a map[string]json.RawMessage) {
			for path := range a {
				if strings.HasSuffix(path, "/metrics") {
					for _, mark := range []string{"1795245475000", "1795245477000"} {
						a[path] = json.RawMessage(strings.ReplaceAll(string(a[path]), mark, "-9223372036854775808"))
					}
				}
			}
			add(t, a, figures{0, map[string]int64{
				"shard_shardId-000000000000_upto": ago(0), "shard_shardId-000000000000_watermark": ago(time.Minute),
				"shard_shardId-000000000001_upto": ago(0), "shard_shardId-000000000001_watermark": watermark,
				"shard_shardId-000000000002_upto": 0, "shard_shardId-000000000002_watermark": -1 << 63, // it waits for its parent
			}})
		})
		if s := look(t, operate.Reader{Client: client}, healthyID); len(s.Findings) != 1 || !strings.Contains(s.Findings[0].Text, want) {
			t.Errorf("findings %+v, want %q", s.Findings, want)
		}
	}
}

// TestManyShardsAreBounded also holds that they are asked for in parts: Flink takes no
// longer requests.
func TestManyShardsAreBounded(t *testing.T) {
	values := map[string]int64{}
	for i := range 1000 {
		values[fmt.Sprintf("shard_shardId-%012d_upto", i)] = ago(time.Duration(i) * time.Second)
	}
	r, client := record(t, "healthy.json", func(a map[string]json.RawMessage) { add(t, a, figures{0, values}) })
	s := look(t, operate.Reader{Client: client}, healthyID)
	if len(s.Shards) != 1000 || s.Shards[0].Shard != "shardId-000000000999" {
		t.Errorf("%d shards, the worst %+v", len(s.Shards), s.Shards[0])
	}
	if r.longest > 4096 {
		t.Errorf("a request has %d bytes", r.longest)
	}
	var b bytes.Buffer
	if err := operate.WritePrometheus(&b, &s); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\nmillrace_shard_lag_seconds{"); n != 200 {
		t.Errorf("%d series", n)
	}
	b.Reset()
	if err := s.WriteText(&b); err != nil || !strings.Contains(b.String(), "and 992 shards more") {
		t.Errorf("%v: %s", err, b.String())
	}
	if len(s.Findings) != 1 || s.Findings[0].Problem || !strings.Contains(s.Findings[0].Text, "shardId-000000000999 lags by 16 min, and 98 more lag") {
		t.Errorf("findings %+v", s.Findings)
	}
}

func TestFailuresSayWhoRefusesAndSinceWhen(t *testing.T) {
	trace := func(after time.Duration, cause string) string {
		text, _ := json.Marshal("org.apache.beam: failed\nCaused by: java.lang.RuntimeException: Error received from SDK harness for instruction 7: process bundle failed for instruction 7 using plan 5-9 : while executing Process for Plan[5-9]:\nfinish bundle failed:\n\tcaused by:\n" + cause)
		return fmt.Sprintf(`{"timestamp":%d,"taskName":"{weblogs, endpoint.WriteLive} (1/1)","stacktrace":%s}`, ago(after), text)
	}
	const slow = "writing roll r7: the lake refuses: put s3://lake/web/_live/x: HTTP 503 SlowDown: Please reduce your request rate; S3 asked to slow down until the retries were used up"
	for name, c := range map[string]struct {
		entries   []string
		of, words string
		times     int
	}{
		"the lake, again and again": {
			[]string{trace(time.Minute, slow), trace(3*time.Minute, slow), trace(5*time.Minute, slow), trace(6*time.Minute, "panic: x"), trace(7*time.Minute, slow)},
			"the lake",
			"it failed 60 s ago: 3 times since 2026-11-21 07:13:07Z (5 min), at last: the lake refuses: writing roll r7: put s3://lake/web/_live/x: HTTP 503 SlowDown", 3,
		},
		"long ago is another time": {[]string{trace(time.Minute, slow), trace(time.Hour, slow)}, "the lake", "it failed 60 s ago: the lake refuses: writing roll r7: put s3://lake", 1},
		"the sink":                 {[]string{trace(time.Minute, "the sink refuses: write to kinesis://out: HTTP 500 InternalFailure")}, "the sink", "it failed 60 s ago: the sink refuses: write to kinesis://out: HTTP 500", 1},
		"the stream":               {[]string{trace(time.Minute, "list the shards of kinesis://web: HTTP 500 InternalFailure")}, "the stream", "it failed 60 s ago: list the shards of kinesis://web: HTTP 500", 1},
		"none of them":             {[]string{trace(time.Minute, "this program does not know the job x")}, "", "it failed 60 s ago: this program does not know the job x", 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, client := record(t, "healthy.json", func(a map[string]json.RawMessage) {
				a[healthy+"/exceptions?maxExceptions=16"] = json.RawMessage(`{"exceptionHistory":{"entries":[` + strings.Join(c.entries, ",") + `]}}`)
			})
			s := look(t, operate.Reader{Client: client}, healthyID)
			if s.Failure == nil || s.Failure.Of != c.of || s.Failure.Times != c.times {
				t.Fatalf("the failure is %+v, want %d of %q", s.Failure, c.times, c.of)
			}
			if s.Healthy || !strings.Contains(s.Findings[0].Text, c.words) {
				t.Errorf("findings %+v, want %q", s.Findings, c.words)
			}
		})
	}
}
