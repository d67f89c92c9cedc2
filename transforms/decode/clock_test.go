package decode_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

func TestTimes(t *testing.T) {
	for _, c := range []struct{ name, stamp, want string }{
		{"UTC", "17/May/2015:10:05:03 +0000", "2015-05-17T10:05:03Z"},
		{"east", "25/Oct/2015:04:11:25 +0100", "2015-10-25T03:11:25Z"},
		{"half an hour east", "01/Jan/2020:00:10:00 +0530", "2019-12-31T18:40:00Z"},
		{"half an hour west", "31/Dec/2019:23:10:00 -0330", "2020-01-01T02:40:00Z"},
		{"three quarters", "01/Mar/2020:00:00:00 +1245", "2020-02-29T11:15:00Z"},
		{"a leap second is the second after it", "31/Dec/2016:23:59:60 +0000", "2017-01-01T00:00:00Z"},
		{"a leap second elsewhere", "01/Jan/2017:05:29:60 +0530", "2017-01-01T00:00:00Z"},
		{"a leap day", "29/Feb/2000:12:00:00 +0000", "2000-02-29T12:00:00Z"},
		{"the first moment allowed", "01/Jan/1995:00:00:00 +0000", "1995-01-01T00:00:00Z"},
		{"1995 begins in the east", "01/Jan/1995:01:00:00 +0100", "1995-01-01T00:00:00Z"},
		{"the last year", "31/Dec/9999:23:59:59 +0000", "9999-12-31T23:59:59Z"},
		{"small letters", "17/may/2015:10:05:03 +0000", "2015-05-17T10:05:03Z"},
		{"milliseconds", "17/May/2015:10:05:03.042 +0000", "2015-05-17T10:05:03.042Z"},
		{"nanoseconds are cut", "17/May/2015:10:05:03.999999999 +0200", "2015-05-17T08:05:03.999Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, err := time.Parse(time.RFC3339Nano, c.want)
			if err != nil {
				t.Fatal(err)
			}
			line := `203.0.113.7 - - [` + c.stamp + `] ` + get + tail
			e, reason := parse(line, decode.Combined)
			if reason != badrow.None || e.Time != want.UnixMilli() {
				t.Errorf("Parse: %d %q, want %d", e.Time, reason, want.UnixMilli())
			}
			if ms, ok := decode.EventTime([]byte(line)); !ok || ms != want.UnixMilli() {
				t.Errorf("EventTime: %d %v, want %d", ms, ok, want.UnixMilli())
			}
		})
	}
}

// One parser goes through dates and zones at random, so that a stale cache
// would show; package time is the oracle.
func TestTimesEqualThoseOfPackageTime(t *testing.T) {
	var (
		p   decode.Parser
		log decode.AccessLog
		r   = rand.New(rand.NewPCG(1, 2))
	)
	const first, last = 788_918_400, 253_402_300_799 // 1995 to 9999
	at := time.Unix(first, 0)
	for range 50_000 {
		switch r.IntN(4) {
		case 0:
			at = time.Unix(first+86_400+r.Int64N(last-first-2*86_400), 0)
		case 1:
			at = at.Add(time.Duration(r.IntN(86_400)) * time.Second)
		}
		if at.Unix() > last-86_400 {
			at = time.Unix(first+86_400, 0)
		}
		zone := time.FixedZone("", 60*(r.IntN(2*24*60-1)-(24*60-1)))
		stamp := at.In(zone).Format("02/Jan/2006:15:04:05 -0700")
		line := fmt.Appendf(nil, `203.0.113.7 - - [%s] "GET / HTTP/1.1" 200 1`, stamp)
		reason := p.Parse(line, decode.Common, &log)
		want := badrow.None
		if at.Unix() < first {
			want = badrow.TimeBounds
		}
		if reason != want || reason == badrow.None && log.Time != at.UnixMilli() {
			t.Fatalf("%s: %d %q, want %d", stamp, log.Time, reason, at.UnixMilli())
		}
		if ms, ok := decode.EventTime(line); !ok || ms != at.UnixMilli() {
			t.Fatalf("%s: EventTime %d %v, want %d", stamp, ms, ok, at.UnixMilli())
		}
	}
}

func TestABadTimeDoesNotSpoilTheNextOne(t *testing.T) {
	var (
		p   decode.Parser
		log decode.AccessLog
	)
	for _, c := range []struct {
		stamp  string
		reason badrow.Reason
	}{
		{"17/May/2015:10:05:03 +0000", badrow.None},
		{"17/May/2015:10:05:03 +9900", badrow.Timestamp},
		{"17/May/2015:10:05:03 +0000", badrow.None},
		{"17/Mai/2015:10:05:03 +0000", badrow.Timestamp},
		{"17/May/2015:99:05:03 +0000", badrow.Timestamp},
		{"17/May/2015:10:05:03 +0000", badrow.None},
	} {
		line := `203.0.113.7 - - [` + c.stamp + `] ` + get + tail
		if reason := p.Parse([]byte(line), decode.Combined, &log); reason != c.reason {
			t.Errorf("%s: %q, want %q", c.stamp, reason, c.reason)
		} else if reason == badrow.None && log.Time != usualTime {
			t.Errorf("%s: %d, want %d", c.stamp, log.Time, int64(usualTime))
		}
	}
}

func TestArrivalBoundsTheTimeFromAbove(t *testing.T) {
	const day = 86_400_000
	for _, c := range []struct {
		event, arrival int64
		want           badrow.Reason
	}{
		{usualTime, usualTime, badrow.None},
		{usualTime + day, usualTime, badrow.None},
		{usualTime + day + 1, usualTime, badrow.TimeBounds},
		{usualTime, 0, badrow.None},
	} {
		if got := decode.CheckArrival(c.event, c.arrival); got != c.want {
			t.Errorf("CheckArrival(%d, %d) = %q, want %q", c.event, c.arrival, got, c.want)
		}
	}
}
