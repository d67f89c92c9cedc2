package generate_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/generate"
	"millrace/schemas/badrow"
	"millrace/transforms/clickevents"
)

func shopLines(cfg generate.ClickConfig) ([]string, *generate.Shop) {
	s := generate.NewShop(cfg)
	var lines []string
	for line := range s.Lines {
		lines = append(lines, string(line))
	}
	return lines, s
}

var shopConfig = generate.ClickConfig{Seed: 3, Events: 20_000, Days: 2, Duplicates: 0.02, Malformed: 0.01, Canaries: 100}

func TestAShopIsTheSameForASeed(t *testing.T) {
	a, _ := shopLines(shopConfig)
	b, _ := shopLines(shopConfig)
	if !slices.Equal(a, b) {
		t.Error("two shops of one seed differ")
	}
	other := shopConfig
	other.Incidents = 2
	a, first := shopLines(other)
	b, second := shopLines(other)
	if !slices.Equal(a, b) || !cmp.Equal(first.Truth(), second.Truth()) {
		t.Error("two shops of one seed differ, with incidents")
	}
	other.Seed++
	if c, _ := shopLines(other); slices.Equal(a, c) {
		t.Error("another seed makes the same shop")
	}
}

// TestTheTruthOfAShopIsThatOfItsLines counts by the decoder, and sessions by pauses.
func TestTheTruthOfAShopIsThatOfItsLines(t *testing.T) {
	troubled := shopConfig
	troubled.Incidents = 1
	for name, cfg := range map[string]generate.ClickConfig{"shop": shopConfig, "shop with incidents": troubled} {
		t.Run(name, func(t *testing.T) { truthIsThatOfLines(t, cfg) })
	}
}

func truthIsThatOfLines(t *testing.T, cfg generate.ClickConfig) {
	lines, s := shopLines(cfg)
	truth := s.Truth()
	got := generate.ClickTruth{Lines: int64(len(lines)), Bad: map[string]int64{}, Names: map[string]int64{}, Gross: map[string]int64{}, Refunded: map[string]int64{}, Items: truth.Items, Family: truth.Family, Incidents: truth.Incidents}
	d := clickevents.NewDecoder(clickevents.Options{})
	seen := map[string]int64{}
	times := map[string][]int64{}
	carts := map[string][]string{} // what visitors did, by time
	last := int64(0)
	for _, line := range lines {
		var e clickevents.Event
		if _, reason := d.Decode([]byte(line), &e); reason != badrow.None {
			got.Bad[string(reason)]++
			continue
		}
		if e.Received < last {
			t.Fatalf("received out of order: %s", line)
		}
		last = e.Received
		if at, again := seen[e.EventID]; again {
			got.Duplicates++
			if at != e.Time {
				t.Errorf("a copy has another time: %s", line)
			}
			continue
		}
		seen[e.EventID] = e.Time
		got.Events++
		got.Names[e.Name]++
		switch e.Name {
		case "purchase":
			got.Gross[e.Currency] += e.Value.Minor
		case "refund":
			got.Refunded[e.Currency] += e.Value.Minor
		}
		if e.ClientID != "" {
			times[e.ClientID] = append(times[e.ClientID], e.Time)
			carts[e.ClientID] = append(carts[e.ClientID], fmt.Sprintf("%d %s", e.Time, e.Name))
		}
	}
	for id, ts := range times {
		slices.Sort(ts)
		slices.Sort(carts[id]) // times have the same number of digits
		inCart := false
		for i, at := range ts {
			if i == 0 || at-ts[i-1] >= 30*60_000 {
				got.Sessions++
			}
			switch name := carts[id][i][14:]; name {
			case "add_to_cart":
				inCart = true
			case "purchase":
				inCart = false
			}
			if inCart && (i+1 == len(ts) || ts[i+1]-at >= 60*60_000) {
				got.AbandonedCarts++
				inCart = false
			}
		}
	}
	if diff := cmp.Diff(truth, got); diff != "" {
		t.Errorf("(-truth +lines):\n%s", diff)
	}
	if truth.Duplicates < 200 || truth.AbandonedCarts < 100 || len(truth.Bad) < 7 || truth.Gross["JPY"] == 0 || truth.Refunded["EUR"] == 0 {
		t.Errorf("too little happens: %+v", truth)
	}
}

// TestIncidentsShowInTheLines: each in its time, and nowhere else.
func TestIncidentsShowInTheLines(t *testing.T) {
	cfg := generate.ClickConfig{Seed: 5, Events: 50_000, Days: 2, Incidents: 2}
	lines, s := shopLines(cfg)
	truth := s.Truth()
	kinds := map[string]int{}
	for i, in := range truth.Incidents {
		kinds[in.Kind]++
		if !in.Start.Before(in.End) || in.Purchases == 0 || i > 0 && in.Start.Sub(truth.Incidents[i-1].End) < time.Hour {
			t.Errorf("%+v is empty, or too near to the one before", in)
		}
	}
	if diff := cmp.Diff(map[string]int{generate.CheckoutBroken: 2, generate.BulkOrders: 2, generate.CardTesting: 2, generate.CardTestingNetwork: 2}, kinds); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	on := func(kind string, at int64) *generate.ClickIncident {
		for i := range truth.Incidents {
			if in := &truth.Incidents[i]; in.Kind == kind && in.Start.UnixMilli() <= at && at < in.End.UnixMilli() {
				return in
			}
		}
		return nil
	}
	d := clickevents.NewDecoder(clickevents.Options{})
	at := map[string]int64{}
	for _, line := range lines {
		var e clickevents.Event
		if _, reason := d.Decode([]byte(line), &e); reason != badrow.None {
			t.Fatalf("%s: %s", reason, line)
		}
		at[line] = e.Time
	}
	slices.SortFunc(lines, func(a, b string) int { return int(at[a] - at[b]) }) // they are in order of when they are received
	checkouts := map[string]int64{}                                             // time of the last one of a visitor
	bulk, attempts := map[*generate.ClickIncident]int64{}, map[*generate.ClickIncident]int64{}
	for _, line := range lines {
		var e clickevents.Event
		if _, reason := d.Decode([]byte(line), &e); reason != badrow.None {
			t.Fatalf("%s: %s", reason, line)
		}
		switch name := string(e.Name); {
		case name == "begin_checkout":
			checkouts[string(e.ClientID)] = e.Time
		case name == "add_payment_info":
			in := on(generate.CardTesting, e.Time)
			if in == nil || in.ClientID != string(e.ClientID) {
				in = on(generate.CardTestingNetwork, e.Time)
			}
			if in == nil || !strings.Contains(line, `"ip":"198.51.100.`) {
				t.Fatalf("nobody tries cards here: %s", line)
			}
			attempts[in]++
		case name == "purchase" && checkouts[string(e.ClientID)] != 0:
			at := checkouts[string(e.ClientID)]
			if on(generate.CheckoutBroken, at) != nil {
				t.Errorf("bought while nothing could be: %s", line)
			}
			if many := e.Value.Minor > 0 && strings.Contains(line, `"quantity":40}`) || strings.Contains(line, `"quantity":80}`); many {
				bulk[on(generate.BulkOrders, at)]++
			}
		}
	}
	for i := range truth.Incidents {
		in := &truth.Incidents[i]
		if in.Kind == generate.BulkOrders && bulk[in] != in.Purchases || attempts[in] != in.Attempts {
			t.Errorf("%+v: lines have %d purchases and %d attempts", in, bulk[in], attempts[in])
		}
	}
	if bulk[nil] > 0 {
		t.Errorf("%d bulk orders outside of an incident", bulk[nil])
	}
}

func TestEveryCanaryOfAShopStandsInItsLines(t *testing.T) {
	lines, s := shopLines(shopConfig)
	var all bytes.Buffer
	for _, l := range lines {
		all.WriteString(l)
	}
	types := map[string]int{}
	for c := range s.Canaries {
		types[c.Type]++
		if !bytes.Contains(all.Bytes(), []byte(c.Value)) {
			t.Errorf("%s %s is nowhere", c.Type, c.Value)
		}
	}
	if diff := cmp.Diff(map[string]int{"email": 100, "card_number": 100, "user": 100, "client_address": 100}, types); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
