package shop

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"millrace/transforms/clickevents"
	"millrace/transforms/internal/wire"
)

// Kind is what an event means for carts and visits.
type Kind uint8

// The kinds.
const (
	None     Kind = iota // nothing
	View                 // view_item
	Put                  // add_to_cart
	Remove               // remove_from_cart
	Checkout             // begin_checkout and what follows up to the purchase
	Purchase             // purchase
)

var kinds = map[string]Kind{
	"view_item": View, "add_to_cart": Put, "remove_from_cart": Remove,
	"begin_checkout": Checkout, "add_shipping_info": Checkout, "add_payment_info": Checkout, "purchase": Purchase,
}

// KindOf is the kind of an event by its name.
func KindOf(name string) Kind { return kinds[name] }

// Step is an event of a visitor.
type Step struct {
	Time     int64  // Unix ms
	Source   string // with Position the origin: orders events of one time
	Position int64
	Kind     Kind
	Currency string
	Items    []clickevents.ItemOf
}

// Visitor is the steps of one, in order of time and origin.
type Visitor struct {
	ID    string
	Steps []Step
}

// Collector folds steps into blobs by visitor shard. It belongs to one goroutine.
type Collector struct {
	visitors map[string][]Step
	steps    int
}

// NewCollector returns an empty collector.
func NewCollector() *Collector { return &Collector{visitors: map[string][]Step{}} }

// Len is the number of steps since the last Flush. Callers flush by it.
func (c *Collector) Len() int { return c.steps }

// Add takes a step, whose items it keeps.
func (c *Collector) Add(visitor string, s Step) {
	c.visitors[visitor] = append(c.visitors[visitor], s)
	c.steps++
}

// Part is the steps of the visitors of a shard.
type Part struct {
	Shard int
	Blob  []byte
}

// Flush gives the steps by shard and empties the collector.
func (c *Collector) Flush(shards int) []Part {
	byShard := make([][]string, shards)
	for id := range c.visitors {
		s := int(xxhash.Sum64String(id) % uint64(shards))
		byShard[s] = append(byShard[s], id)
	}
	var parts []Part
	for shard, ids := range byShard {
		if len(ids) == 0 {
			continue
		}
		slices.Sort(ids)
		blob := []byte{encodingVersion}
		for _, id := range ids {
			blob = appendVisitor(blob, id, c.visitors[id])
		}
		parts = append(parts, Part{shard, blob})
	}
	clear(c.visitors)
	c.steps = 0
	return parts
}

func appendVisitor(b []byte, id string, steps []Step) []byte {
	slices.SortFunc(steps, compareSteps)
	b = binary.AppendUvarint(wire.AppendText(b, id), uint64(len(steps)))
	for i := range steps {
		s := &steps[i]
		b = wire.AppendText(binary.AppendVarint(append(b, byte(s.Kind)), s.Time), s.Source)
		b = wire.AppendText(binary.AppendVarint(b, s.Position), s.Currency)
		b = binary.AppendUvarint(b, uint64(len(s.Items)))
		for j := range s.Items {
			it := &s.Items[j]
			b = binary.AppendVarint(wire.AppendText(b, it.ID), it.Quantity)
			if it.Price == nil {
				b = append(b, 0)
			} else {
				b = binary.AppendVarint(append(b, 1), *it.Price)
			}
		}
	}
	return b
}

func compareSteps(a, b Step) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), strings.Compare(a.Source, b.Source), cmp.Compare(a.Position, b.Position))
}

// ofCart tells whether a step of the kind is one of a cart.
func (k Kind) ofCart() bool { return k != View && k != None }

// Visits puts the blobs of a shard together.
type Visits struct{ visitors map[string][]Step }

// Add takes a blob that Flush gave.
func (v *Visits) Add(blob []byte) error {
	if v.visitors == nil {
		v.visitors = map[string][]Step{}
	}
	in := wire.NewReader(blob)
	if n := in.Byte(); n != encodingVersion {
		in.Fail("version %d, this program reads %d", n, encodingVersion)
	}
	for in.Rest() > 0 && in.Err() == nil {
		id := string(in.Text())
		steps := v.visitors[id]
		for range in.Count(6) {
			s := Step{Kind: Kind(in.Byte()), Time: in.Varint(), Source: string(in.Text()), Position: in.Varint(), Currency: string(in.Text())}
			for range in.Count(3) {
				it := clickevents.ItemOf{ID: string(in.Text()), Quantity: in.Varint()}
				if in.Byte() == 1 {
					price := in.Varint()
					it.Price = &price
				}
				s.Items = append(s.Items, it)
			}
			steps = append(steps, s)
		}
		v.visitors[id] = steps
	}
	if err := in.Close(); err != nil {
		return fmt.Errorf("reading the steps of visitors: %w", err)
	}
	return nil
}

// Visitors gives every visitor, by id.
func (v *Visits) Visitors() []Visitor {
	var out []Visitor
	for id, steps := range v.visitors {
		slices.SortFunc(steps, compareSteps)
		out = append(out, Visitor{id, steps})
	}
	slices.SortFunc(out, func(a, b Visitor) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Earliest is the time of the first step; 0 when there is none.
func (v *Visits) Earliest() (first int64) {
	found := false
	for _, steps := range v.visitors {
		for i := range steps {
			if !found || steps[i].Time < first {
				first, found = steps[i].Time, true
			}
		}
	}
	return first
}

// Advance is the live form, for carts: it takes out the steps that nothing can follow
// within the timeout (ms) when no step before the watermark comes any more, as visitors
// by id; the steps before a pause of that length. Looking on is no step of a cart, and
// does not prolong it: such steps are gone. What is left is the state for the next time, in
// the form of Flush, nil for nothing, and can next be taken out at the watermark next.
func (v *Visits) Advance(timeout, watermark int64) (rested []Visitor, state []byte, next int64) {
	for _, visitor := range v.Visitors() {
		from := 0
		steps := slices.DeleteFunc(visitor.Steps, func(s Step) bool { return !s.Kind.ofCart() })
		for i := range steps {
			ends := steps[i].Time+timeout <= watermark
			if i+1 < len(steps) {
				ends = ends && steps[i+1].Time-steps[i].Time >= timeout
			}
			if ends {
				from = i + 1
			}
		}
		if from > 0 {
			rested = append(rested, Visitor{visitor.ID, steps[:from]})
		}
		if steps = steps[from:]; len(steps) == 0 {
			continue
		}
		if state == nil {
			state = []byte{encodingVersion}
		}
		state = appendVisitor(state, visitor.ID, steps)
		// The first pause that is long enough ends it, or the end of what is known.
		for i := range steps {
			if i+1 < len(steps) && steps[i+1].Time-steps[i].Time < timeout {
				continue
			}
			if at := steps[i].Time + timeout; next == 0 || at < next {
				next = at
			}
			break
		}
	}
	return rested, state, next
}
