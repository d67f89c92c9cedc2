package shop

import "slices"

// Basket is the different items of one visit.
type Basket struct {
	Day    int64    // UTC day on which the visit began, days since the epoch
	Viewed []string // in order of id
	Bought []string // in order of id
}

// MaxBasket is how many different items of a visit count, of those seen and of those
// bought: the first ones. Robots see them all, and the pairs grow with the square.
const MaxBasket = 50

// Baskets gives the visits of a visitor with items that were seen or bought. A pause as
// long as gap (ms) ends a visit.
func (v *Visitor) Baskets(gap int64) []Basket {
	var out []Basket
	var b Basket
	begun, last := false, int64(0)
	end := func() {
		if len(b.Viewed)+len(b.Bought) > 0 {
			slices.Sort(b.Viewed)
			slices.Sort(b.Bought)
			out = append(out, b)
		}
	}
	for i := range v.Steps {
		s := &v.Steps[i]
		if !begun || s.Time-last >= gap {
			end()
			b, begun = Basket{Day: floor(s.Time, dayMs)}, true
		}
		last = s.Time
		switch s.Kind {
		case View:
			b.Viewed = withItems(b.Viewed, s)
		case Purchase:
			b.Bought = withItems(b.Bought, s)
		default:
		}
	}
	end()
	return out
}

func withItems(list []string, s *Step) []string {
	for i := range s.Items {
		if len(list) < MaxBasket && !slices.Contains(list, s.Items[i].ID) {
			list = append(list, s.Items[i].ID)
		}
	}
	return list
}
