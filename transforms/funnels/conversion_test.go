package funnels_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/table"
	"millrace/transforms/funnels"
)

func TestConversionsAreThoseOfTheReference(t *testing.T) {
	var file struct {
		Cases []struct {
			ID      string
			Steps   []string
			Window  string
			Users   map[string][][2]string
			Counts  []int64
			Average []*float64 `json:"average_seconds"`
			Median  []*float64 `json:"median_seconds"`
		}
	}
	read(t, "funnel_conversion.json", &file)
	if len(file.Cases) < 2 {
		t.Fatalf("%d cases", len(file.Cases))
	}
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			text := fmt.Sprintf("funnels:\n  - name: f\n    within: %s\n    steps:\n", c.Window)
			for _, s := range c.Steps {
				text += fmt.Sprintf("      - {name: %q, where: 'name == %q'}\n", s, s)
			}
			defs, err := definitionsOf(t, text)
			if err != nil {
				t.Fatal(err)
			}
			var visits []visit
			for user, events := range c.Users {
				for i, e := range events {
					at, err := time.Parse(time.RFC3339, e[0])
					if err != nil {
						t.Fatal(err)
					}
					visits = append(visits, visit{Visitor: user, Time: table.Millis(at.UnixMilli()), Position: int64(i), Name: e[1]})
				}
			}
			s := compile(t, defs, funnels.Options{})
			got := funnels.NewConversion(len(c.Steps))
			for _, r := range funnels.Best(rowsOf(t, s, collect(rand.New(rand.NewPCG(1, 1)), s, visits))) {
				got.Add(&r)
			}
			if diff := cmp.Diff(c.Counts, got.Visitors); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			for i := range c.Steps {
				for what, one := range map[string]struct {
					want *float64
					get  func(int) (float64, bool)
				}{"average": {c.Average[i], got.Average}, "median": {c.Median[i], got.Median}} {
					v, ok := one.get(i)
					if ok != (one.want != nil) || ok && v != *one.want*1000 {
						t.Errorf("step %d: %s %v, %t", i, what, v, ok)
					}
				}
			}
		})
	}
}

// clicks are the events of the shop of 1999, which cannot be part of this
// repository.
func clicks(t *testing.T, name string) (visits []visit) {
	t.Helper()
	f, err := os.Open(filepath.Join("../../../shared/data/clickstream", name+".csv.gz"))
	if os.IsNotExist(err) {
		t.Skipf("the shop's log is not here, it has no licence to be shipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Scan() // the names
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ";")
		at, err := time.Parse("2006-01-02 15:04:05", fields[1]+" "+fields[2])
		if err != nil {
			t.Fatal(err)
		}
		order, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		visits = append(visits, visit{Visitor: fields[0], Time: table.Millis(at.UnixMilli()), Position: order, Name: fields[4]})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return visits
}

func TestAShopsVisitorsReachTheLevelsThatWereCountedIndependently(t *testing.T) {
	var golden struct {
		Shops map[string]struct {
			Visitors, Events int
			Funnels          []struct {
				Steps  []string
				Window int64 `json:"window_s"`
				Modes  []string
				Levels []int `json:"visitors_by_level"`
			}
		} `json:"clickstream"`
	}
	read(t, "golden_real.json", &golden)
	if len(golden.Shops) == 0 {
		t.Fatal("no shops")
	}
	for name, shop := range golden.Shops {
		visits := clicks(t, name)
		byVisitor := map[string][]visit{}
		for _, v := range visits {
			byVisitor[v.Visitor] = append(byVisitor[v.Visitor], v)
		}
		if len(visits) != shop.Events || len(byVisitor) != shop.Visitors {
			t.Fatalf("%d events of %d visitors", len(visits), len(byVisitor))
		}
		for _, f := range shop.Funnels {
			t.Run(fmt.Sprint(name, "/", f.Window, f.Modes), func(t *testing.T) {
				levels := make([]int, len(f.Steps)+1)
				for _, list := range byVisitor {
					var hits []funnels.Hit
					for _, v := range list {
						h := funnels.Hit{Time: int64(v.Time)}
						for i, s := range f.Steps {
							if v.Name == s {
								h.Steps |= 1 << i
							}
						}
						hits = append(hits, h)
					}
					levels[funnels.WindowFunnel(hits, len(f.Steps), f.Window*second, modesOf(t, f.Modes))]++
				}
				if diff := cmp.Diff(f.Levels, levels); diff != "" {
					t.Errorf("visitors by level (-want +got):\n%s", diff)
				}
			})
			if len(f.Modes) > 0 {
				continue
			}
			t.Run(fmt.Sprint(name, "/", f.Window, "/live"), func(t *testing.T) {
				d := funnels.Definition{Name: "shop", Within: time.Duration(f.Window) * time.Second}
				for _, s := range f.Steps {
					d.Steps = append(d.Steps, funnels.Step{Name: s, Where: fmt.Sprintf("name == %q", s)})
				}
				s := compile(t, []funnels.Definition{d}, funnels.Options{})
				e, r := s.NewEvaluator(nil), rand.New(rand.NewPCG(7, 7))
				var state []byte
				var sealed []funnels.Row
				rest := arrivals(r, visits, 5*minute)
				for len(rest) > 0 {
					n := min(500, len(rest))
					watermark := int64(math.MaxInt64)
					for _, v := range rest[n:] {
						watermark = min(watermark, int64(v.Time))
					}
					u, err := e.Advance(state, collect(r, s, rest[:n]), watermark)
					if err != nil {
						t.Fatal(err)
					}
					state, sealed, rest = u.State, append(sealed, u.Sealed...), rest[n:]
				}
				sortRows(sealed)
				levels := make([]int, len(f.Steps)+1)
				levels[0] = shop.Visitors
				for _, row := range funnels.Best(sealed) {
					levels[0]--
					levels[row.Level]++
				}
				if diff := cmp.Diff(f.Levels, levels); diff != "" {
					t.Errorf("visitors by level (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// farm is requests to a shop: visitors who go as far as their number says.
func TestPathsOfASiteMakeAFunnel(t *testing.T) {
	defs, err := definitionsOf(t, weblogFunnels)
	if err != nil {
		t.Fatal(err)
	}
	s, events := weblogSet(t, defs), weblogEvents(t, 40)
	c := s.NewCollector(weblogColumns)
	c.Add(events, 0)
	e := s.NewEvaluator(nil)
	for _, p := range c.Flush(1) {
		if err := e.Add(p.Blob); err != nil {
			t.Fatal(err)
		}
	}
	tally := s.NewTally()
	for _, r := range funnels.BestOfDays(e.Rows()) {
		tally.Add(&r)
	}
	var got []string
	for _, r := range tally.Rows(nil) {
		median, _ := r.Conversion.Median(r.Step)
		got = append(got, fmt.Sprint(s.Name(r.Funnel), " ", r.Breakdown, " ", r.Name, " ", r.Conversion.Visitors[r.Step], " ", median/1000, " ", r.Version))
	}
	// Of 40 visitors, visitor n goes n%4+1 steps, a minute times the step apart, and
	// comes by one of two hosts.
	want := []string{
		"purchase a.example home 20 0 40", "purchase a.example product 10 60 40", "purchase a.example cart 10 120 40", "purchase a.example paid 0 0 40",
		"purchase b.example home 20 0 40", "purchase b.example product 20 60 40", "purchase b.example cart 10 120 40", "purchase b.example paid 10 180 40",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}
