package generate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// ClickConfig describes a simulated shop. Zero values are defaults.
type ClickConfig struct {
	Seed       uint64
	Events     int64     // about; 100,000 when zero
	Days       int       // 3 when zero
	Visitors   int       // who may come; Events / 20 when zero
	Items      int       // of the catalogue; 400 when zero
	Start      time.Time // first day, 2026-03-01 when zero
	Duplicates float64   // share of events that are sent twice
	Malformed  float64   // share of further lines that are broken
	Canaries   int       // values of each type of personal data to plant
	Incidents  int       // of each kind, in the second half of the days; none of an OpenShop
	Gzip       bool
}

// Validate reports everything that cannot work.
func (c *ClickConfig) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf("generate clickstream: "+format, args...))
		}
	}
	check(c.Events >= 0 && c.Days >= 0 && c.Visitors >= 0 && c.Items >= 0, "events, days, visitors and items are not negative")
	check(c.Items == 0 || c.Items >= 2*family, "a catalogue has at least %d items", 2*family)
	check(c.Duplicates >= 0 && c.Duplicates <= 0.5 && c.Malformed >= 0 && c.Malformed <= 0.5, "duplicates and malformed are shares up to 0.5")
	check(c.Canaries >= 0 && c.Canaries <= maxCanaries, "at most %d canaries of each type", maxCanaries)
	d := c.withDefaults()
	check(d.Incidents >= 0 && d.Incidents <= d.Days, "at most one incident of each kind a day")
	check(int64(d.Canaries)*linesPerCanary*int64(len(clickCanaries)) <= d.Events, "for %d canaries of each type make %d events or more", d.Canaries, int64(d.Canaries)*linesPerCanary*int64(len(clickCanaries)))
	return errors.Join(faults...)
}

func (c *ClickConfig) withDefaults() ClickConfig {
	d := *c
	if d.Events == 0 {
		d.Events = 100_000
	}
	if d.Days == 0 {
		d.Days = 3
	}
	if d.Visitors == 0 {
		d.Visitors = int(max(50, d.Events/20))
	}
	if d.Items == 0 {
		d.Items = 400
	}
	if d.Start.IsZero() {
		d.Start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	}
	return d
}

const (
	// family is how many items go together: who looks at one looks at others of it.
	family = 8
	// rest is how long a visitor stays away at least, ms: longer than carts and sessions
	// last by default, so that visits are what was simulated.
	rest = 65 * 60_000
	// visitEvents is the mean number of events of a visit.
	visitEvents = 7
)

// Shop simulates one. It gives events in order of when they are received.
type Shop struct {
	cfg      ClickConfig
	rng      rng
	truth    ClickTruth
	free     []int64 // by visitor: when the next visit may begin, Unix ms
	pending  []click // of visits that began, not given yet
	number   int64   // of events, for their ids
	canaries clickPlanter
	testers  int // of cards, so far
	line     []byte
	open     bool // always: see OpenShop; what is given counts for the truth, and visits do not
}

// click is an event on its way.
type click struct {
	time, sent, received int64 // true time of the event; when it was sent and received
	original             int64 // when it was received first
	number               int64
	visitor              int
	name                 string
	item, quantity       int // item -1 for none
	value                int64
	copied               bool // of an event that was sent before
	server               bool
	canary               int // number of the planted value plus 1
	first                bool
	tagged               bool // of a visit that a campaign brought
	tester               bool // of cards
}

// NewShop makes one; the configuration must be valid.
func NewShop(c ClickConfig) *Shop {
	cfg := c.withDefaults()
	s := &Shop{cfg: cfg, rng: newRNG(cfg.Seed, 0x5109), free: make([]int64, cfg.Visitors)}
	s.canaries = newClickPlanter(&cfg)
	s.truth.Names, s.truth.Bad = map[string]int64{}, map[string]int64{}
	s.truth.Gross, s.truth.Refunded = map[string]int64{}, map[string]int64{}
	s.truth.Incidents = planClickIncidents(&cfg)
	return s
}

// Lines gives every line, with its line end. It is valid until the next.
func (s *Shop) Lines(yield func([]byte) bool) {
	visits := max(1, s.cfg.Events/visitEvents)
	length := int64(s.cfg.Days) * 86_400_000
	begin := s.cfg.Start.UnixMilli()
	// The last hour has no new visits, so that all end on the last day.
	step := float64(length-2*3_600_000) / float64(visits)
	for v := range visits {
		at := begin + int64(float64(v)*step) + int64(s.rng.n(1000))
		if !s.give(at, yield) {
			return
		}
		s.attack(at)
		s.visit(at)
	}
	s.give(begin+2*length, yield)
}

// give writes what was received before a time.
func (s *Shop) give(before int64, yield func([]byte) bool) bool {
	if len(s.pending) == 0 || len(s.pending) < 4096 && before < s.cfg.Start.UnixMilli()+int64(s.cfg.Days)*86_400_000 {
		return true
	}
	slices.SortFunc(s.pending, func(a, b click) int { return a.compare(&b) })
	n := 0
	for n < len(s.pending) && s.pending[n].received < before {
		if !yield(s.append(&s.pending[n])) {
			return false
		}
		if s.rng.hit(shareOf(s.cfg.Malformed)) && !yield(s.broken(&s.pending[n])) {
			return false
		}
		n++
	}
	s.pending = append(s.pending[:0], s.pending[n:]...)
	return true
}

// compare orders events by when they are received, a copy after its original.
func (c *click) compare(other *click) int {
	switch {
	case c.received != other.received:
		return int(c.received - other.received)
	case c.number != other.number:
		return int(c.number - other.number)
	case c.copied:
		return 1
	}
	return -1
}

// someone finds a visitor who is not there; -1 when there is none.
func (s *Shop) someone(at int64) int {
	for range 20 {
		if v := s.rng.n(s.cfg.Visitors); s.free[v] <= at {
			return v
		}
	}
	return -1
}

// visit simulates one.
func (s *Shop) visit(at int64) {
	v := s.someone(at)
	if v < 0 {
		return
	}
	w := walk{shop: s, visitor: v, at: at, first: true, tagged: s.rng.oneIn(3)}
	w.event("page_view", -1, 0, 0)
	of := s.taste(v)
	if s.rng.oneIn(6) {
		w.event("search", -1, 0, 0)
	}
	for range 1 + s.rng.n(5) {
		item := s.item(of)
		if s.rng.oneIn(2) { // others are shown in a window of the page
			w.event("page_view", -1, 0, 0)
		}
		w.event("view_item", item, 1, s.price(item))
		if s.rng.n(100) < 18 {
			n := 1 + s.rng.n(2)
			w.event("add_to_cart", item, n, s.price(item)*int64(n))
			w.cart, w.units = item, n
		}
	}
	bought := false
	if w.units > 0 && s.rng.n(100) < 60 {
		w.event("begin_checkout", -1, 0, 0)
		broken, many := s.on(CheckoutBroken, w.at), s.on(BulkOrders, w.at)
		switch buys := s.rng.n(100) < 65; {
		case buys && broken != nil:
			broken.Purchases++
		case buys:
			if many != nil && currency(v) == many.Currency {
				many.Purchases++
				w.units *= bulk
			}
			w.event("purchase", w.cart, w.units, s.price(w.cart)*int64(w.units))
			bought = true
		}
	}
	s.free[v] = w.at + rest
	if analytics(v) && !s.open {
		s.truth.Sessions++
		if w.units > 0 && !bought {
			s.truth.AbandonedCarts++
		}
	}
	if bought && s.rng.oneIn(15) {
		w.at += int64(s.rng.between(1, 40)) * 60_000
		w.server = true
		w.event("refund", w.cart, w.units, s.price(w.cart)*int64(w.units))
	}
}

// walk is a visit under way.
type walk struct {
	shop          *Shop
	visitor       int
	at            int64
	cart, units   int
	first, server bool
	tagged        bool
	tester        bool
}

func (w *walk) event(name string, item, quantity int, value int64) {
	s := w.shop
	if !s.open || !w.first { // in a shop that is open a visit begins at once
		w.at += int64(s.rng.wait(15_000, 240_000))
	}
	w.send(name, item, quantity, value)
}

// send is event without a pause before it.
func (w *walk) send(name string, item, quantity int, value int64) {
	s := w.shop
	c := click{time: w.at, sent: w.at + int64(s.rng.n(3_000)), number: s.number, visitor: w.visitor, name: name, item: item, quantity: quantity, value: value, first: w.first, server: w.server, tagged: w.tagged && !w.server, tester: w.tester}
	c.received, c.original = c.sent, c.sent
	s.number++
	if w.first && w.tester {
		s.truth.Sessions++
	}
	w.first = false
	if !s.open {
		c.canary = s.canaries.next(&c)
		s.truth.count(s, &c)
	}
	s.pending = append(s.pending, c)
	if s.rng.hit(shareOf(s.cfg.Duplicates)) {
		c.copied = true
		c.sent += int64(s.rng.between(1_000, 600_000))
		c.received = c.sent
		s.pending = append(s.pending, c)
		if !s.open {
			s.truth.Duplicates++
		}
	}
}

// What belongs to a visitor or an item follows from its number.

func (s *Shop) families() int { return s.cfg.Items / family }

// taste is the family of a visit: mostly one of the visitor's two.
func (s *Shop) taste(visitor int) int {
	if s.rng.n(100) < 70 {
		return int(mix(uint64(visitor)<<1|uint64(s.rng.n(2))) % uint64(s.families()))
	}
	return s.rng.logUniform(4, s.families())
}

// item is one of the family, or, now and then, any.
func (s *Shop) item(of int) int {
	if s.rng.n(100) < 85 {
		return of*family + s.rng.n(family)
	}
	return s.rng.n(s.families() * family)
}

func (s *Shop) price(item int) int64 { return int64(mix(uint64(item)^0x91)%195+5) * 100 }

func analytics(visitor int) bool { return mix(uint64(visitor)^0xa1)%100 < 85 }
func ads(visitor int) bool       { return mix(uint64(visitor)^0xad)%100 < 60 }

// skew is how much a visitor's clock is ahead, ms: one in ten is wrong.
func skew(visitor int) int64 {
	if h := mix(uint64(visitor) ^ 0x5c); h%10 == 0 {
		return int64(h>>8%14_400_000) - 7_200_000
	}
	return 0
}

func currency(visitor int) string {
	switch h := mix(uint64(visitor)^0xc0) % 10; {
	case h < 7:
		return "EUR"
	case h < 9:
		return "USD"
	}
	return "JPY"
}

// known is a visitor's login, "" for one in two.
func known(visitor int) string {
	if h := mix(uint64(visitor) ^ 0x10); h%2 == 0 {
		return "customer-" + strconv.FormatUint(h>>32, 36) + strconv.Itoa(visitor) + "@example.com"
	}
	return ""
}
