package shop

import (
	"millrace/transforms/rollup"
)

// Cart is one that its visitor left.
type Cart struct {
	Visitor     string
	Start, Last int64 // Unix ms, of the first and the last event
	Adds        int64 // events that put items in
	Items       int64 // units in it at the end
	Currency    string
	Value       int64 // minor units; 0 without a currency
	Checkout    bool
	Version     int64
}

// Carts gives the carts that a visitor left, in order. A cart begins when an item is put
// in and there is none. What is put in, taken out, or done to check out goes on with
// it; a purchase ends it, and so does taking out the last item. When nothing of
// these happens for the timeout (ms), to the millisecond, it is abandoned: what
// follows begins another one.
//
// until is up to when events are known (Unix ms): a cart that could still go on then is
// not given.
func (v *Visitor) Carts(timeout, until int64, revision rollup.Revision) []Cart {
	var out []Cart
	var c *cart
	leave := func() {
		if c != nil {
			out = append(out, c.row(v.ID, revision))
		}
		c = nil
	}
	for i := range v.Steps {
		s := &v.Steps[i]
		if !s.Kind.ofCart() {
			continue
		}
		if c != nil && s.Time-c.last >= timeout {
			leave()
		}
		if c == nil {
			if s.Kind != Put || len(s.Items) == 0 {
				continue
			}
			c = &cart{start: s.Time, units: map[string]int64{}, prices: map[string]int64{}}
		}
		c.add(s)
		if s.Kind == Purchase || len(c.units) == 0 {
			c = nil
		}
	}
	if c != nil && until-c.last >= timeout {
		leave()
	}
	return out
}

type cart struct {
	start, last  int64
	events, adds int64
	units        map[string]int64
	prices       map[string]int64 // of those that have one, the last
	currency     string
	mixed        bool // several currencies, or items without a price
	checkout     bool
}

func (c *cart) add(s *Step) {
	c.last = s.Time
	c.events++
	switch s.Kind {
	case Put:
		c.adds++
		for i := range s.Items {
			it := &s.Items[i]
			c.units[it.ID] += it.Quantity
			if it.Price == nil || c.currency != "" && c.currency != s.Currency {
				c.mixed = true
				continue
			}
			c.prices[it.ID], c.currency = *it.Price, s.Currency
		}
	case Remove:
		for i := range s.Items {
			it := &s.Items[i]
			if c.units[it.ID] -= it.Quantity; c.units[it.ID] <= 0 {
				delete(c.units, it.ID)
			}
		}
	case Checkout:
		c.checkout = true
	default:
	}
}

func (c *cart) row(visitor string, revision rollup.Revision) Cart {
	out := Cart{Visitor: visitor, Start: c.start, Last: c.last, Adds: c.adds, Checkout: c.checkout, Version: version(revision, c.start, c.events)}
	var value int64
	for id, n := range c.units {
		out.Items += n
		value += n * c.prices[id]
	}
	if !c.mixed && c.currency != "" {
		out.Currency, out.Value = c.currency, value
	}
	return out
}
