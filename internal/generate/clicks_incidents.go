package generate

import (
	"strconv"
	"time"
)

// The kinds of ClickIncident.
const (
	// CheckoutBroken is a time in which no checkout that is begun ends in a purchase.
	CheckoutBroken = "checkout_broken"
	// BulkOrders is one in which orders in euros are of many times as many units.
	BulkOrders = "bulk_orders"
	// CardTesting is a visitor who tries cards: one payment after the other, few of
	// which become a purchase.
	CardTesting = "card_testing"
	// CardTestingNetwork is the same from one network, as a new visitor each time.
	CardTestingNetwork = "card_testing_network"
)

var clickIncidents = []string{CheckoutBroken, BulkOrders, CardTesting, CardTestingNetwork}

// ClickIncident is something that an operator of a shop wants to be told of.
type ClickIncident struct {
	Kind      string    `json:"kind"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
	Purchases int64     `json:"purchases"` // lost while the checkout is broken, else made by those it is about
	Attempts  int64     `json:"attempts,omitempty"`
	Currency  string    `json:"currency,omitempty"`
	ClientID  string    `json:"client_id,omitempty"`
	Network   string    `json:"network,omitempty"`
}

const (
	bulk = 40 // times as many units

	testerNetwork = "198.51.100."
)

// planClickIncidents spreads incidents over the second half of the days, so that there is
// something to compare them with, each of them alone in its time.
func planClickIncidents(cfg *ClickConfig) (plan []ClickIncident) {
	n := cfg.Incidents * len(clickIncidents)
	if n == 0 {
		return nil
	}
	r := newRNG(cfg.Seed, 0x1c1de)
	half := time.Duration(cfg.Days) * 12 * time.Hour
	slot := half / time.Duration(n)
	for i := range n {
		in := ClickIncident{Kind: clickIncidents[i%len(clickIncidents)], Start: cfg.Start.Add(half + time.Duration(i)*slot + time.Duration(r.n(30))*time.Minute)}
		switch in.Kind {
		case CheckoutBroken:
			in.End = in.Start.Add(time.Duration(r.between(60, 90)) * time.Minute)
		case BulkOrders:
			in.End, in.Currency = in.Start.Add(time.Duration(r.between(20, 40))*time.Minute), "EUR"
		}
		plan = append(plan, in)
	}
	return plan
}

// on is the incident of a kind that is on, nil for none.
func (s *Shop) on(kind string, at int64) *ClickIncident {
	for i := range s.truth.Incidents {
		if in := &s.truth.Incidents[i]; in.Kind == kind && in.Start.UnixMilli() <= at && at < in.End.UnixMilli() {
			return in
		}
	}
	return nil
}

// attack lets those who try cards begin when it is time.
func (s *Shop) attack(at int64) {
	for i := range s.truth.Incidents {
		in := &s.truth.Incidents[i]
		if !in.End.IsZero() || in.Start.UnixMilli() > at {
			continue
		}
		in.Start = time.UnixMilli(at).UTC()
		t := s.tester(at)
		every := 15_000 // ms
		if in.Kind == CardTestingNetwork {
			every = 5_000
		}
		for range 600_000 / every {
			t.at += int64(s.rng.between(every/2, every*3/2))
			in.Attempts++
			item := s.cheapest()
			t.send("add_payment_info", item, 1, s.price(item))
			if s.rng.oneIn(12) {
				in.Purchases++
				t.at += 1_000
				t.send("purchase", item, 1, s.price(item))
			}
			if in.Kind == CardTestingNetwork {
				t = s.tester(t.at)
			}
		}
		in.End = time.UnixMilli(t.at + 1).UTC()
		if in.Network = testerNetwork + "0/24"; in.Kind == CardTesting {
			in.ClientID = clientID(t.visitor)
		}
	}
}

// tester is somebody whom nobody knows, and who agrees to everything.
func (s *Shop) tester(at int64) walk {
	for {
		v := s.cfg.Visitors + s.testers
		s.testers++
		if analytics(v) && known(v) == "" {
			return walk{shop: s, visitor: v, at: at, first: true, tester: true}
		}
	}
}

func (s *Shop) cheapest() (item int) {
	for i := range s.families() * family {
		if s.price(i) < s.price(item) {
			item = i
		}
	}
	return item
}

func clientID(visitor int) string {
	return "visitor-" + strconv.FormatUint(mix(uint64(visitor)^0xc11e), 36)
}
