package ledger_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
)

// parts cuts the account of a roll of so many records at random; one part, not
// always the last, knows the end.
func parts(rng *rand.Rand, records int) (whole ledger.Part, list []ledger.Part) {
	name := record.RollOf(shardA, seq(5))
	end := &record.Close{Records: int64(records), First: seq(5), Last: seq(9)}
	list = make([]ledger.Part, 1+rng.IntN(6))
	whole = ledger.Part{Roll: name, Close: end}
	for i := range list {
		list[i].Roll = name
	}
	for range records {
		for _, l := range []*ledger.Ledger{&whole.Ledger, &list[rng.IntN(len(list))].Ledger} {
			l.In++
		}
	}
	for i := range list {
		list[i].Vault, list[i].Read = rng.Int64N(3), rng.Int64N(3)
		whole.Vault += list[i].Vault
		whole.Read += list[i].Read
		for n := list[i].Ledger.In; n > 0; n-- {
			for _, l := range []*ledger.Ledger{&whole.Ledger, &list[i].Ledger} {
				switch n % 4 {
				case 0:
					l.AddBad(badrow.Format)
				case 1:
					l.Events++
					l.Late++
				default:
					l.Events++
				}
			}
		}
	}
	list[rng.IntN(len(list))].Close = end
	return whole, list
}

func TestThePartsOfARollAddUpInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for range 500 {
		want, list := parts(rng, rng.IntN(40))
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		sum := ledger.Part{Roll: want.Roll}
		for i, p := range list {
			data, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			var back ledger.Part
			if err := json.Unmarshal(data, &back); err != nil {
				t.Fatal(err)
			}
			if err := sum.Add(back); err != nil {
				t.Fatal(err)
			}
			if missing := want.Ledger.In - sum.Ledger.In; sum.Whole() != (missing == 0 && sum.Close != nil) {
				t.Fatalf("after %d of %d parts, %d records missing, the roll is whole: %t", i+1, len(list), missing, sum.Whole())
			}
		}
		if diff := cmp.Diff(want, sum); diff != "" {
			t.Fatalf("sum (-want +got):\n%s", diff)
		}
		if err := sum.Check(); err != nil || !sum.Whole() {
			t.Fatalf("whole %t: %v", sum.Whole(), err)
		}
	}
}

func TestARollThatDoesNotAddUpSaysSo(t *testing.T) {
	for want, spoil := range map[string]func(*ledger.Part){
		"1 lost":                               func(p *ledger.Part) { p.Ledger.In++ },
		"reasons":                              func(p *ledger.Part) { p.Ledger.Reasons = nil },
		"20 records came of the 21":            func(p *ledger.Part) { p.Close.Records++ },
		"20 records came of the 19":            func(p *ledger.Part) { p.Close.Records-- },
		record.RollOf(shardA, seq(5)) + ": in": func(p *ledger.Part) { p.Ledger.Duplicate++ },
	} {
		p, _ := parts(rand.New(rand.NewPCG(1, 1)), 20)
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		if spoil(&p); p.Check() == nil || !strings.Contains(p.Check().Error(), want) {
			t.Errorf("want %q, got %v", want, p.Check())
		}
	}
}

func TestPartsThatDoNotBelongTogetherAreNotAdded(t *testing.T) {
	whole, _ := parts(rand.New(rand.NewPCG(1, 1)), 20)
	other := ledger.Part{Roll: record.RollOf(shardB, seq(5)), Ledger: ledger.Ledger{In: 3}}
	longer := *whole.Close
	longer.Records++
	for name, p := range map[string]ledger.Part{"another roll": other, "closed otherwise": {Roll: whole.Roll, Close: &longer}} {
		sum := whole
		if err := sum.Add(p); err == nil || !strings.Contains(err.Error(), "roll "+p.Roll) {
			t.Errorf("%s: %v", name, err)
		}
	}
	same := *whole.Close
	if err := whole.Add(ledger.Part{Roll: whole.Roll, Close: &same}); err != nil || !whole.Whole() {
		t.Errorf("told of its end once more: %v", err)
	}
}

func TestAPartIsJSON(t *testing.T) {
	data, err := json.Marshal(ledger.Part{Roll: "r/1", Ledger: ledger.Ledger{In: 1, Events: 1}, Close: &record.Close{Records: 1, First: "1", Last: "2"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"roll":"r/1","ledger":{"in":1,"events":1,"bad":0,"late":0,"duplicate":0,"skipped":0},"close":{"Records":1,"First":"1","Last":"2","FirstArrival":0,"LastArrival":0}}`
	if string(data) != want {
		t.Errorf("got  %s\nwant %s: it is stored in lakes", data, want)
	}
}
