package sessions_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/vectors"
	"millrace/transforms/sessions"
)

const testdata = "../../testdata"

func read(t *testing.T, name string, into any) {
	t.Helper()
	if err := vectors.Read(name, into); err != nil {
		t.Fatal(err)
	}
}

func ownedOf(v vectors.SessionEvent) owned {
	return owned{visitor: v.User, Event: sessions.Event{
		Time: v.T, Source: v.ID, Page: v.Type == "page", Path: []byte(v.Page), Campaign: []byte(v.Campaign),
	}}
}

func ownedEvents(vs []vectors.SessionEvent) (out []owned) {
	for _, v := range vs {
		out = append(out, ownedOf(v))
	}
	return out
}

func vectorOf(s sessions.Session) vectors.Session {
	v := vectors.Session{
		ID: s.ID, Start: s.Start, End: s.End, Duration: s.Duration(),
		Events: s.Events, Pages: s.Pages, Bounce: s.Bounce,
	}
	if s.Pages > 0 {
		v.Entry, v.Exit = &s.Entry, &s.Exit
	}
	return v
}

type vectorOptions struct {
	Gap         int64  `json:"gap_ms"`
	MaxDuration *int64 `json:"max_duration_ms"`
	DayCut      bool   `json:"cut_at_utc_day"`
	CampaignCut bool   `json:"cut_on_campaign"`
}

func (v vectorOptions) options() sessions.Options {
	o := sessions.Options{Gap: time.Duration(v.Gap) * time.Millisecond, CampaignCut: v.CampaignCut}
	if v.MaxDuration != nil {
		o.MaxDuration = time.Duration(*v.MaxDuration) * time.Millisecond
	}
	if v.DayCut {
		o.DayCutZone = "UTC"
	}
	return o
}

type sessionCase struct {
	ID       string
	Options  vectorOptions
	Events   []vectors.SessionEvent
	Sessions []vectors.Session
}

func TestVectors(t *testing.T) {
	var all struct{ Cases []sessionCase }
	read(t, "sessions.json", &all)
	if len(all.Cases) < 8 {
		t.Fatalf("%d cases", len(all.Cases))
	}
	for _, c := range all.Cases {
		t.Run(c.ID, func(t *testing.T) {
			opt, events := c.Options.options(), ownedEvents(c.Events)
			var split []vectors.Session
			names, of := byVisitor(events)
			for _, v := range names {
				list, err := sessions.Split(v, of[v], opt, nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range list {
					split = append(split, vectorOf(s))
				}
			}
			if diff := cmp.Diff(c.Sessions, split); diff != "" {
				t.Errorf("Split (-want +got):\n%s", diff)
			}
			var merged []vectors.Session
			r := rand.New(rand.NewPCG(1, 1))
			for _, s := range sessionizer(t, opt, collect(t, r, opt, events)).Sessions() {
				merged = append(merged, vectorOf(s))
			}
			if diff := cmp.Diff(c.Sessions, merged); diff != "" {
				t.Errorf("Sessionizer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVectorsOfLateEvents(t *testing.T) {
	cases, err := vectors.LateMerges()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			opt := vectorOptions{Gap: c.Gap}.options()
			s, err := sessions.NewSessionizer(opt, nil)
			if err != nil {
				t.Fatal(err)
			}
			var state []byte
			for _, b := range c.Batches {
				r := rand.New(rand.NewPCG(1, 1))
				u, err := s.Advance(state, collect(t, r, opt, ownedEvents(b.Events)), math.MinInt64)
				if err != nil {
					t.Fatal(err)
				}
				state = u.State
				var got []vectors.Session
				for _, w := range u.Withdrawn {
					got = append(got, vectors.Session{Op: vectors.Delete, ID: w.ID})
				}
				for _, p := range u.Provisional {
					v := vectorOf(p)
					v.Op = vectors.Upsert
					got = append(got, v)
				}
				if diff := cmp.Diff(b.Emit, got); diff != "" {
					t.Errorf("emitted (-want +got):\n%s", diff)
				}
			}
		})
	}
}

var combined = regexp.MustCompile(`^(\S+) \S+ .*?\[([^\]]+)\] "(?:[^"\\]|\\.)*" \d{3} \S+ "(?:[^"\\]|\\.)*" "((?:[^"\\]|\\.)*)"`)

// readLog reads a log in combined format; visitors are client and user agent.
func readLog(t testing.TB, name string) []owned {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(testdata, "access-logs", name+".log.gz"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var out []owned
	lines := bufio.NewScanner(z)
	for lines.Scan() {
		m := combined.FindStringSubmatch(lines.Text())
		if m == nil {
			t.Fatalf("%s: not a combined line: %s", name, lines.Text())
		}
		at, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[2])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, owned{
			visitor: m[1] + "\x00" + m[3],
			Event:   sessions.Event{Time: at.UnixMilli(), Source: name, Position: int64(len(out))},
		})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// logCounts are the figures of golden_real.json that sessions decide.
type logCounts struct {
	Keys        int   `json:"keys_host_useragent"`
	Sessions    int   `json:"sessions_gap_1800s"`
	Single      int   `json:"single_event_sessions"`
	SumDuration int64 `json:"sum_duration_s"`
	MaxEvents   int64 `json:"max_events_in_session"`
}

func TestCountsOfRealLogsEqualTheIndependentOnes(t *testing.T) {
	var golden struct {
		Logs map[string]logCounts `json:"access_logs"`
	}
	read(t, "golden_real.json", &golden)
	if len(golden.Logs) < 2 {
		t.Fatalf("%d logs", len(golden.Logs))
	}
	for name, want := range golden.Logs {
		t.Run(name, func(t *testing.T) {
			var got logCounts
			keys := map[string]bool{}
			r := rand.New(rand.NewPCG(1, 1))
			for _, s := range sessionizer(t, sessions.Options{}, collect(t, r, sessions.Options{}, readLog(t, name))).Sessions() {
				keys[s.Visitor] = true
				got.Sessions++
				if s.Events == 1 {
					got.Single++
				}
				got.SumDuration += s.Duration() / second
				got.MaxEvents = max(got.MaxEvents, s.Events)
			}
			got.Keys = len(keys)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}
