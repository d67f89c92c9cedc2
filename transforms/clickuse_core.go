package transforms

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"millrace/schemas/clickstream"
	"millrace/schemas/late"
	"millrace/schemas/table"
	"millrace/transforms/clickevents"
	"millrace/transforms/funnels"
	"millrace/transforms/sessions"
	"millrace/transforms/shop"
)

// clickUse pre-aggregates rows of events that are no duplicates. It belongs to one
// goroutine.
type clickUse struct {
	config   ClickUseConfig
	packer   packer
	sessions *sessions.Collector // nil where nobody asks for what it collects, as the others
	funnels  *funnels.Collector
	steps    *shop.Collector
	rollups  *shopRollups
	timed    map[int64]*shopRollups // by end of a minute: tables that sinks take; nil where none does
	early    bool                   // these are early
	rows     int                    // since the last flush
	touch    []byte

	// of the batch in hand
	batch   *table.Batch
	texts   *texts
	numbers []int32                // of visitors among sessions, by code; none for not yet
	items   [][]clickevents.ItemOf // by code
	parsed  []bool                 // by code of items
}

func newClickUse(cfg ClickUseConfig) (u *clickUse, err error) {
	c := cfg.Common
	u = &clickUse{config: cfg, packer: packer{dir: c.Spill}}
	u.rollups = newShopRollups(cfg.Shop, func(output string) bool { return c.Makes(output) && !c.Live.wants(output) })
	if c.Live.wants(shopOutputs...) {
		u.timed = map[int64]*shopRollups{}
	}
	if c.Makes("abandoned_carts", "recommendations") {
		u.steps = shop.NewCollector()
	}
	if c.Makes("sessions") {
		if u.sessions, err = sessions.NewCollector(cfg.Sessions); err != nil {
			return nil, err
		}
	}
	if len(cfg.Funnels) == 0 || !c.Makes("funnels", "funnel_steps") {
		return u, nil
	}
	set, err := funnelSet{cfg.Funnels, clickstream.Events.ID()}.compile()
	if err != nil {
		return nil, err
	}
	u.funnels = set.NewCollector(funnels.Columns{
		Visitor: clickstream.EventVisitorID, Time: clickstream.EventTime, Source: clickstream.EventSource, Position: clickstream.EventPosition, Late: clickstream.EventLate,
	})
	return u, nil
}

// free frees the memory that what follows would use again.
func (u *clickUse) free() {
	if u.sessions != nil {
		u.sessions.Forget()
	}
	if u.funnels != nil {
		u.funnels.Forget()
	}
	u.packer.forget()
	u.batch, u.texts, u.numbers, u.items, u.parsed = nil, nil, nil, nil, nil
}

// newEarlyClickUse makes one for the tables that sinks take, and nothing else.
func newEarlyClickUse(cfg ClickUseConfig) *clickUse {
	return &clickUse{config: cfg, packer: packer{dir: cfg.Common.Spill}, rollups: &shopRollups{}, timed: map[int64]*shopRollups{}, early: true}
}

// addEarly pre-aggregates a batch for those tables.
func (u *clickUse) addEarly(b *table.Batch) error {
	u.begin(b)
	for row := range b.Len() {
		if u.config.Common.within(b.DayOf(row)) && !b.Bool(clickstream.EventLate, row) {
			if err := u.count(row, true); err != nil {
				return err
			}
		}
	}
	u.rows += b.Len()
	return nil
}

// add pre-aggregates a batch, and gives the rows of the days to write.
func (u *clickUse) add(b *table.Batch, out *output) error {
	u.begin(b)
	var inside []uint32
	for row := range b.Len() {
		within := u.config.Common.within(b.DayOf(row))
		if within {
			inside = append(inside, uint32(row))
		}
		if !b.Bool(clickstream.EventLate, row) {
			if err := u.count(row, within); err != nil {
				return err
			}
		}
	}
	if u.funnels != nil {
		u.funnels.Add(b, 0)
	}
	u.rows += b.Len()
	if len(inside) == 0 {
		return nil
	}
	if len(inside) < b.Len() {
		some := table.NewBatch(b.Schema())
		some.Gather(b, inside)
		b = some
	}
	if u.config.Common.Makes("events") {
		out.events = b
	}
	out.late = table.NewBatch(late.Rows)
	putLateClicks(out.late, b)
	return nil
}

func (u *clickUse) begin(b *table.Batch) {
	u.batch, u.texts = b, newTexts(b)
	_, n := b.Codes(clickstream.EventVisitorID)
	u.forget(n)
	_, n = b.Codes(clickstream.EventItems)
	u.items, u.parsed = make([][]clickevents.ItemOf, n), make([]bool, n)
}

// forget forgets the numbers of n visitors.
func (u *clickUse) forget(n int) {
	u.numbers = u.numbers[:0]
	for range n {
		u.numbers = append(u.numbers, -1)
	}
}

// itemsOf are the items of a row, which share their memory with those of other rows.
func (u *clickUse) itemsOf(row int) ([]clickevents.ItemOf, error) {
	codes, _ := u.batch.Codes(clickstream.EventItems)
	code := codes[row]
	if table.IsNullCode(code) {
		return nil, nil
	}
	if !u.parsed[code] {
		var err error
		if u.items[code], err = clickevents.ParseItems(u.batch.DictValue(clickstream.EventItems, code), nil); err != nil {
			return nil, err
		}
		u.parsed[code] = true
	}
	return u.items[code], nil
}

// count adds an event that came in time to what it belongs to.
func (u *clickUse) count(row int, within bool) (err error) {
	b, t := u.batch, u.texts
	e := shopEvent{
		time: b.Int(clickstream.EventTime, row), name: t.of(clickstream.EventName, row),
		currency: t.of(clickstream.EventCurrency, row), channel: t.of(clickstream.EventTrafficChannel, row),
		visitor: t.of(clickstream.EventVisitorID, row), user: t.of(clickstream.EventUserID, row),
	}
	if !b.Null(clickstream.EventValue, row) {
		e.value = b.Int(clickstream.EventValue, row)
	}
	if e.items, err = u.itemsOf(row); err != nil {
		return err
	}
	if e.visitor != "" {
		u.visit(row, &e)
	}
	if within {
		u.rollups.add(&e)
		if u.timed != nil {
			u.tablesOf(e.time).add(&e)
		}
	}
	return nil
}

// tablesOf are the tables of the minute of an event that sinks take.
func (u *clickUse) tablesOf(time int64) *shopRollups {
	until := ceil(time+1, tick)
	r := u.timed[until]
	if r == nil {
		c := u.config.Common
		r = newShopRollups(u.config.Shop, func(output string) bool { return c.Makes(output) && c.Live.wants(output) })
		u.timed[until] = r
	}
	return r
}

// visit adds an event of a visitor to his visits. Days further away than a day before
// and after do not matter to sessions, but do to what goes together.
func (u *clickUse) visit(row int, e *shopEvent) {
	if u.sessions == nil && u.steps == nil {
		return
	}
	b, t := u.batch, u.texts
	source, position := t.of(clickstream.EventSource, row), b.Int(clickstream.EventPosition, row)
	if !b.Null(clickstream.EventSequence, row) {
		source += "/" + t.of(clickstream.EventSequence, row)
	}
	if u.steps != nil {
		if kind := shop.KindOf(e.name); kind != shop.None {
			u.steps.Add(e.visitor, shop.Step{Time: e.time, Source: source, Position: position, Kind: kind, Currency: e.currency, Items: e.items})
		}
	}
	if u.sessions == nil || !u.config.Common.near(table.FloorDay(e.time), 1, 1) || isServer(b, row) {
		return
	}
	u.touch = u.touch[:0]
	if e.channel != "" {
		u.touch = sessions.AppendTouch(u.touch, b.Text(clickstream.EventTrafficSource, row), b.Text(clickstream.EventTrafficMedium, row), b.Text(clickstream.EventTrafficCampaign, row), []byte(e.channel))
	}
	codes, _ := b.Codes(clickstream.EventVisitorID)
	number := &u.numbers[codes[row]]
	if *number < 0 {
		*number = u.sessions.Number(sessions.VisitorOf(e.visitor))
	}
	u.sessions.AddTo(*number, &sessions.Event{
		Time: e.time, Source: source, Position: position, Page: b.Bool(clickstream.EventPageView, row), Path: b.Text(clickstream.EventPagePath, row),
		Campaign: b.Text(clickstream.EventTrafficCampaign, row), Touch: u.touch, Direct: e.channel == "Direct", Conversion: e.name == "purchase",
	})
}

// isServer tells whether a server sent the event: it is part of no visit.
func isServer(b *table.Batch, row int) bool {
	return string(b.Text(clickstream.EventPlatform, row)) == "server"
}

// flush gives what the rows came to since the last time.
func (u *clickUse) flush(out *output) (err error) {
	u.rows = 0
	u.forget(len(u.numbers))
	send := func(to *[]keyed, key string, blob []byte) {
		if err != nil {
			return
		}
		var packed []byte
		if packed, err = u.packer.pack(blob); err == nil {
			*to = append(*to, keyed{key, packed})
		}
	}
	if u.sessions != nil {
		for _, p := range u.sessions.Flush(u.config.Common.shards()) {
			send(&out.fragments, strconv.Itoa(p.Shard), p.Blob)
		}
	}
	if u.funnels != nil {
		for _, p := range u.funnels.Flush(u.config.Common.shards()) {
			send(&out.funnels, strconv.Itoa(p.Shard), p.Blob)
		}
	}
	if u.steps != nil {
		for _, p := range u.steps.Flush(u.config.Common.shards()) {
			send(&out.steps, strconv.Itoa(p.Shard), p.Blob)
		}
	}
	u.rollups.take(func(key string, blob []byte) { send(&out.partials, key, blob) })
	if u.timed != nil && err == nil {
		err = u.flushTimed(out)
	}
	return err
}

// flushTimed gives what the tables that sinks take came to.
func (u *clickUse) flushTimed(out *output) (err error) {
	defer clear(u.timed)
	if u.early && len(u.timed) >= longFlush {
		return nil
	}
	for _, until := range slices.Sorted(maps.Keys(u.timed)) {
		u.timed[until].take(func(key string, blob []byte) {
			packed, failed := u.packer.pack(blob)
			err = errors.Join(err, failed)
			out.partials = append(out.partials, keyed{key, timedPart{u.early, until, packed}.encode()})
		})
	}
	return err
}

// clickNeeds are the columns of events that somebody reads.
func clickNeeds(cfg ClickUseConfig) (clickevents.Needs, error) {
	c := cfg.Common
	if c.Makes("events") || c.reversible() && c.Makes("vault") {
		return clickevents.AllNeeds(), nil
	}
	var columns []int
	need := func(outputs []string, cols ...int) {
		if c.Makes(outputs...) {
			columns = append(columns, cols...)
		}
	}
	need([]string{"sessions"}, clickstream.EventVisitorID, clickstream.EventPlatform, clickstream.EventPagePath,
		clickstream.EventTrafficSource, clickstream.EventTrafficMedium, clickstream.EventTrafficCampaign, clickstream.EventTrafficChannel)
	need([]string{"products"}, clickstream.EventCurrency, clickstream.EventItems)
	need([]string{"revenue"}, clickstream.EventCurrency, clickstream.EventValue, clickstream.EventTrafficChannel)
	need([]string{"visitors", "identities"}, clickstream.EventVisitorID, clickstream.EventUserID)
	need([]string{"abandoned_carts", "recommendations"}, clickstream.EventVisitorID, clickstream.EventCurrency, clickstream.EventItems)
	if len(cfg.Funnels) > 0 && c.Makes("funnels", "funnel_steps") {
		set, err := funnelSet{cfg.Funnels, clickstream.Events.ID()}.compile()
		if err != nil {
			return clickevents.Needs{}, err
		}
		columns = append(append(columns, clickstream.EventVisitorID), set.Reads()...)
	}
	return clickevents.OnlyNeeds(columns...), nil
}
