package sessions_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"millrace/transforms/sessions"
)

var benchTouches = [][]byte{touch("(direct)", "(none)"), touch("google", "organic"), touch("newsletter", "email"), touch("facebook", "referral")}

// traffic draws events as a log holds them: Zipf visitors and pages, 2,000
// events a second, nearly in order.
func traffic(n int) (visitors []sessions.Visitor, of []int32, events []sessions.Event) {
	r := rand.New(rand.NewPCG(1, 2))
	who := rand.NewZipf(r, 1.2, 50, 99_999)
	page := rand.NewZipf(r, 1.1, 10, 4_999)
	for i := range 100_000 {
		visitors = append(visitors, sessions.VisitorOf(fmt.Sprintf("tok_visitor_k1_%032x", uint64(i)*0x9e3779b97f4a7c15)))
	}
	paths := make([][]byte, 5_000)
	for i := range paths {
		paths[i] = fmt.Appendf(nil, "/product/%d", i)
	}
	for i := range n {
		of = append(of, int32(who.Uint64()))
		events = append(events, sessions.Event{
			Time: firstMidnight + 6*hour + int64(i)/2 - r.Int64N(2_000), Source: "0123456789abcdef0123456789abcdef", Position: int64(i) * 200,
			Page: r.IntN(10) > 0, Path: paths[page.Uint64()],
		})
		if i%5 == 0 { // for Options.Attribution
			events[i].Touch, events[i].Direct = benchTouches[i/5%len(benchTouches)], i/5%len(benchTouches) == 0
		}
	}
	return visitors, of, events
}

var detailed = sessions.Options{MaxDuration: 4 * time.Hour, CampaignCut: true}

func BenchmarkCollector(b *testing.B) {
	visitors, of, events := traffic(1 << 18)
	for name, opt := range map[string]sessions.Options{"default": {}, "detail": detailed, "attribution": {Attribution: true}} {
		for _, flush := range []int{1 << 12, 1 << 16, 1 << 18} {
			b.Run(fmt.Sprintf("%s/flush=%d", name, flush), func(b *testing.B) {
				c, err := sessions.NewCollector(opt)
				if err != nil {
					b.Fatal(err)
				}
				fragments, size := 0, 0
				b.ReportAllocs()
				b.ResetTimer()
				for i := range b.N {
					k := i & (len(events) - 1)
					c.Add(visitors[of[k]], &events[k])
					if i%flush == flush-1 {
						fragments += c.Fragments()
						for _, p := range c.Flush(64) {
							size += len(p.Blob)
						}
					}
				}
				if fragments > 0 {
					b.ReportMetric(float64(size)/float64(fragments), "B/fragment")
					b.ReportMetric(float64(b.N)/float64(fragments), "events/fragment")
				}
			})
		}
	}
}

func BenchmarkCollectorAdd(b *testing.B) {
	visitors, of, events := traffic(1 << 18)
	c, err := sessions.NewCollector(sessions.Options{})
	if err != nil {
		b.Fatal(err)
	}
	add := func(n int) {
		for i := range n {
			k := i & (len(events) - 1)
			c.Add(visitors[of[k]], &events[k])
		}
	}
	add(len(events))
	b.ReportAllocs()
	b.ResetTimer()
	add(b.N)
}

// processor is the time that processors have spent on this process: unlike the
// clock's, it does not grow when others keep the machine busy.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkSessionizer(b *testing.B) {
	visitors, of, events := traffic(1 << 18)
	for name, opt := range map[string]sessions.Options{"default": {}, "detail": detailed, "attribution": {Attribution: true}, "index": {Index: true}} {
		b.Run(name, func(b *testing.B) {
			c, err := sessions.NewCollector(opt)
			if err != nil {
				b.Fatal(err)
			}
			shards := make([][][]byte, 64)
			fragments := 0
			for i := range events {
				c.Add(visitors[of[i]], &events[i])
				if i&(1<<15-1) == 1<<15-1 {
					fragments += c.Fragments()
					for _, p := range c.Flush(len(shards)) {
						shards[p.Shard] = append(shards[p.Shard], p.Blob)
					}
				}
			}
			s, err := sessions.NewSessionizer(opt, nil)
			if err != nil {
				b.Fatal(err)
			}
			found := 0
			b.ReportAllocs()
			b.ResetTimer()
			from := processor(b)
			for range b.N {
				for _, blobs := range shards {
					s.Reset()
					for _, blob := range blobs {
						if err := s.Add(blob); err != nil {
							b.Fatal(err)
						}
					}
					found += len(s.Sessions())
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(events))/(processor(b)-from).Seconds(), "events/core-s")
			perSecond := float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(perSecond*float64(len(events)), "events/s")
			b.ReportMetric(perSecond*float64(fragments), "fragments/s")
			b.ReportMetric(float64(found)/float64(b.N), "sessions")
		})
	}
}
