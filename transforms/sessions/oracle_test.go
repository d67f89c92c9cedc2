package sessions_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"time"

	"millrace/transforms/sessions"
)

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// oracle cuts one visitor's events by the letter of the rules: every question is
// answered by looking at all events again.
func oracle(visitor string, events []sessions.Event, o sessions.Options, revision sessions.Revision) []sessions.Session {
	gap, limit := o.Gap.Milliseconds(), o.MaxEvents
	if gap == 0 {
		gap = 30 * minute
	}
	if limit == 0 {
		limit = 50_000
	}
	sorted := append([]sessions.Event(nil), events...)
	sort.SliceStable(sorted, func(i, j int) bool {
		a, b := sorted[i], sorted[j]
		if a.Time != b.Time {
			return a.Time < b.Time
		}
		if a.Source != b.Source {
			return a.Source < b.Source
		}
		return a.Position < b.Position
	})
	var out []sessions.Session
	for from := 0; from < len(sorted); {
		to := from + 1
		for to < len(sorted) && sorted[to].Time-sorted[to-1].Time < gap && !(!o.NoMidnightBound && midnightCuts(sorted, to, gap)) {
			to++
		}
		out = append(out, oracleChain(visitor, sorted[from:to], o, limit, revision)...)
		from = to
	}
	if o.Index {
		for i := range out {
			out[i].Index = 1
			for k := range i {
				if out[k].Start/day == out[i].Start/day {
					out[i].Index++
					out[i].Previous = out[k].ID
				}
			}
		}
	}
	return out
}

// oracleTouches looks through the events of a session for each of its touches.
func oracleTouches(s *sessions.Session, part []sessions.Event) {
	for _, e := range part {
		if touch := sessions.Touch(e.Touch); touch != "" {
			if s.FirstTouch == "" {
				s.FirstTouch = touch
			}
			if !e.Direct {
				s.LastTouch = touch
				if s.Touch == "" {
					s.Touch = touch
				}
			}
		}
	}
	if s.Touch == "" {
		s.Touch, s.LastTouch = s.FirstTouch, s.FirstTouch
	}
}

// midnightCuts tells whether a midnight lies between event i-1 and event i over
// whose 24 hours before there is no pause.
func midnightCuts(sorted []sessions.Event, i int, gap int64) bool {
	t := sorted[i].Time
	midnight := t - t%day // test times are after 1970
	if sorted[i-1].Time >= midnight {
		return false
	}
	last := midnight - day
	for _, e := range sorted[:i] {
		if e.Time < midnight-day {
			continue
		}
		if e.Time-last >= gap {
			return false
		}
		last = e.Time
	}
	return t-last < gap
}

func oracleChain(visitor string, chain []sessions.Event, o sessions.Options, limit int, revision sessions.Revision) []sessions.Session {
	zone, err := time.LoadLocation(o.DayCutZone)
	if err != nil {
		panic(err)
	}
	starts := []int{0}
	campaign := string(chain[0].Campaign)
	for i := 1; i < len(chain); i++ {
		start := chain[starts[len(starts)-1]].Time
		c := string(chain[i].Campaign)
		cut := i < limit && o.MaxDuration > 0 && chain[i].Time-start >= o.MaxDuration.Milliseconds()
		cut = cut || o.DayCutZone != "" && date(chain[i-1].Time, zone) != date(chain[i].Time, zone)
		cut = cut || i < limit && o.CampaignCut && c != "" && c != campaign && chain[i].Time > start
		if cut {
			starts = append(starts, i)
			campaign = c
		} else if c != "" {
			campaign = c
		}
	}
	var out []sessions.Session
	for k, from := range starts {
		to := len(chain)
		if k+1 < len(starts) {
			to = starts[k+1]
		}
		part := chain[from:to]
		s := sessions.Session{
			Visitor: visitor, Start: part[0].Time, End: part[len(part)-1].Time, Events: int64(len(part)),
			Truncated: to > limit, Version: int64(len(chain)),
		}
		if revision != nil {
			s.Version += int64(revision(s.Start/day)) << 32
		}
		conversion := false
		for _, e := range part {
			s.Bot = s.Bot || e.Bot
			conversion = conversion || e.Conversion
			if e.Page {
				if s.Pages == 0 {
					s.Entry = string(e.Path)
				}
				s.Exit = string(e.Path)
				s.Pages++
			}
		}
		if o.Attribution {
			oracleTouches(&s, part)
		}
		s.Bounce = s.Pages < 2
		s.Engaged = s.End-s.Start >= 10_000 || s.Pages >= 2 || conversion
		at := binary.BigEndian.AppendUint64(nil, uint64(s.Start))
		s.ID = fmt.Sprintf("%x", sha256.Sum256([]byte("session\x00"+visitor+"\x00"+string(at))))[:32]
		out = append(out, s)
	}
	return out
}

func date(ms int64, zone *time.Location) string {
	return time.UnixMilli(ms).In(zone).Format(time.DateOnly)
}

// owned is an event and whose it is.
type owned struct {
	visitor string
	sessions.Event
}

// allOptions is every combination of the options.
func allOptions() []sessions.Options {
	var out []sessions.Options
	for _, gap := range []time.Duration{0, 2 * time.Hour, 24 * time.Hour} {
		for _, longest := range []time.Duration{0, 5 * time.Hour} {
			for _, zone := range []string{"", "UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"} {
				for _, campaign := range []bool{false, true} {
					for _, unbounded := range []bool{false, true} {
						for _, limit := range []int{0, 5} {
							out = append(out, sessions.Options{
								Gap: gap, MaxDuration: longest, DayCutZone: zone,
								CampaignCut: campaign, NoMidnightBound: unbounded, MaxEvents: limit,
								Attribution: len(out)%3 == 1, Index: len(out)%7 < 3, // by numbers that no loop here divides
							})
						}
					}
				}
			}
		}
	}
	return out
}

// firstMidnight is 00:00 UTC of a day before a change of the clocks in Berlin.
var firstMidnight = time.Date(2025, 3, 28, 0, 0, 0, 0, time.UTC).UnixMilli()

// randomEvents draws visitors of several habits over about four days: short
// visits, pauses about as long as the gap, and some who hardly ever rest.
func randomEvents(r *rand.Rand, gap int64) []owned {
	if gap == 0 {
		gap = 30 * minute
	}
	var out []owned
	for v := range 1 + r.IntN(3) {
		restless := r.IntN(2) == 0
		t := firstMidnight + r.Int64N(day)/minute*minute
		if restless {
			t = firstMidnight + []int64{0, gap / 2, gap - 1, gap}[r.IntN(4)]
		}
		for range 1 + r.IntN(75) {
			out = append(out, owned{visitor: fmt.Sprintf("tok_visitor_k1_%d", v), Event: randomEvent(r, t)})
			switch k := r.IntN(12); {
			case k < 2: // at the same time
			case k == 2:
				t += gap - 1
			case k == 3 && !restless:
				t += gap
			case k == 4 && !restless:
				t += gap + r.Int64N(2*gap)
			case k == 5:
				t += day - t%day // at midnight
				if !restless || r.IntN(3) > 0 {
					t -= r.Int64N(minute)
				}
			case restless:
				t += gap/2 + r.Int64N(gap/2)
			default:
				t += r.Int64N(gap)
			}
		}
	}
	return out
}

func randomEvent(r *rand.Rand, t int64) sessions.Event {
	e := sessions.Event{
		Time: t, Source: strings.Repeat(string(rune('a'+r.IntN(3))), 4), Position: r.Int64N(1 << 20),
		Page: r.IntN(3) > 0, Path: []byte("/" + string(rune('a'+r.IntN(9)))),
		Conversion: r.IntN(30) == 0, Bot: r.IntN(40) == 0,
	}
	if r.IntN(6) == 0 {
		e.Campaign = []byte([]string{"mail", "ads"}[r.IntN(2)])
	}
	if k := r.IntN(12); k < 5 {
		e.Touch = sessions.AppendTouch(nil, []byte([]string{"(direct)", "google", "x", "mail", ""}[k]), []byte("m"))
		e.Direct = k == 0
	}
	return e
}

// byVisitor groups events, and names the visitors in order.
func byVisitor(events []owned) (names []string, of map[string][]sessions.Event) {
	of = map[string][]sessions.Event{}
	for _, e := range events {
		if of[e.visitor] == nil {
			names = append(names, e.visitor)
		}
		of[e.visitor] = append(of[e.visitor], e.Event)
	}
	sort.Strings(names)
	return names, of
}

func oracleAll(events []owned, o sessions.Options, revision sessions.Revision) []sessions.Session {
	var out []sessions.Session
	names, of := byVisitor(events)
	for _, v := range names {
		out = append(out, oracle(v, of[v], o, revision)...)
	}
	return out
}
