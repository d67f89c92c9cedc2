package operate

import (
	"strings"
	"testing"
	"time"

	"millrace/schemas/ledger"
	"millrace/schemas/record"
)

var shard = record.ShardIdentity("stream", "shardId-000000000000")

// roll is one of the shard with a hundred records, of which the last arrived at
// the minute last.
func roll(after, first, last string, minute int) ledger.Part {
	seq := func(s string) string {
		if s == "" {
			return ""
		}
		return record.Sequence(s)
	}
	arrived := time.Date(2026, 11, 21, 7, minute, 0, 0, time.UTC).UnixMilli()
	return ledger.Part{
		Roll:   record.RollOf(shard, seq(first)),
		Ledger: ledger.Ledger{In: 100, Events: 98, Duplicate: 2},
		Close:  &record.Close{Records: 100, After: seq(after), First: seq(first), Last: seq(last), FirstArrival: arrived - 1000, LastArrival: arrived},
	}
}

func TestTheLakesAccount(t *testing.T) {
	now := time.Date(2026, 11, 21, 7, 10, 0, 0, time.UTC)
	whole := []ledger.Part{roll("", "10", "19", 1), roll("19", "20", "29", 2), roll("29", "30", "39", 3)}
	l, err := account("lake", whole, now)
	if err != nil {
		t.Fatal(err)
	}
	if l.Rolls != 3 || !l.Balanced || len(l.Breaks) != 0 || l.Ledger.In != 300 || l.Ledger.Events != 294 {
		t.Errorf("the account is %+v", l)
	}
	if len(l.Shards) != 1 || l.Shards[0].Records != 300 || l.Shards[0].Age != 7*60 || l.Shards[0].Identity != shard.String() {
		t.Errorf("its shards are %+v", l.Shards)
	}
	for name, c := range map[string]struct {
		parts []ledger.Part
		text  string
	}{
		"a roll is missing":  {[]ledger.Part{whole[0], whole[2]}, "the lake misses records"},
		"a roll is twofold":  {append([]ledger.Part{roll("19", "25", "29", 2)}, whole...), "records are in the lake twice"},
		"a roll has a loss":  {[]ledger.Part{whole[0], lossy(roll("19", "25", "29", 2))}, "the stream dropped records"},
		"a roll is off":      {[]ledger.Part{off(whole[0])}, "the lake's ledger"},
		"nothing is amiss":   {whole, ""},
		"nothing is there":   {nil, ""},
		"the first is older": {whole[1:], ""}, // it began before this lake
	} {
		l, err := account("lake", c.parts, now)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		l.judge(func(cure, format string, a ...any) {
			if cure == "" {
				t.Errorf("%s: no cure for %s", name, format)
			}
			said = append(said, format)
		}, func(string, string, ...any) {})
		if got := strings.Join(said, "\n"); !strings.Contains(got, c.text) || c.text == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.text)
		}
	}
}

func lossy(p ledger.Part) ledger.Part {
	c := *p.Close
	c.Lost = true
	p.Close = &c
	return p
}

// off has an event too many.
func off(p ledger.Part) ledger.Part {
	p.Ledger.Events++
	return p
}

func TestSpansForPeople(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", 1499 * time.Millisecond: "1 s", 119 * time.Second: "119 s", 2 * time.Minute: "2 min", 59*time.Minute + 59*time.Second: "59 min",
		time.Hour: "1 h 0 min", 23*time.Hour + 59*time.Minute: "23 h 59 min", 24 * time.Hour: "1 d 0 h", 100*24*time.Hour + 5*time.Hour: "100 d 5 h",
	} {
		if got := span(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

func TestOneLineIsOneLineOfWholeCharacters(t *testing.T) {
	if got := oneLine("a\n\tb  c\r\n"); got != "a b c" {
		t.Errorf("it is %q", got)
	}
	if got, want := oneLine("x"+strings.Repeat("é", 300)+"end"), "x"+strings.Repeat("é", 59)+" ... "+strings.Repeat("é", 138)+"end"; got != want {
		t.Errorf("it is %q, want %q", got, want)
	}
}
