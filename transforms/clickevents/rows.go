package clickevents

import (
	"strconv"
	"strings"

	"millrace/schemas/badrow"
	"millrace/schemas/clickstream"
	"millrace/schemas/pii"
	"millrace/schemas/table"
	"millrace/transforms/attribution"
	"millrace/transforms/dedup"
	"millrace/transforms/intake"
	"millrace/transforms/mask"
)

// Rows makes masked rows, of clickstream.Events, of lines. It is an intake.Handler and
// belongs to one goroutine.
type Rows struct {
	decoder *Decoder
	masker  *mask.Masker
	policy  []mask.Treatment        // by column of events
	from    *attribution.Attributor // nil to leave out where visits come from
	events  *table.Batch
	event   Event
	scratch []byte
	seen    []memo // what texts became that repeat, by column
	words   []word // by column
	things  memo   // texts of items
	origins map[from]*origin
	batches uint32 // that were begun, so that codes of another are told
	needs   Needs
	ids     []dedup.ID // of the rows, where Needs asks for them
}

var columns = len(clickstream.Events.Columns)

// word is the last word that was put in a column, with its code in a batch.
type word struct {
	text  string
	code  uint32
	batch uint32
}

// NewRows makes one that masks with a masker of its own, and single fields as the policy
// says, if there is one.
func NewRows(o Options, masker *mask.Masker, policy *mask.Policy, from *attribution.Attributor) *Rows {
	return &Rows{
		decoder: NewDecoder(o), masker: masker, policy: policy.Treatments(clickstream.Events, Fields()), from: from,
		events: table.NewBatch(clickstream.Events), needs: AllNeeds(), seen: make([]memo, columns), words: make([]word, columns), batches: 1,
	}
}

// Need leaves out what is not needed of the rows that follow.
func (r *Rows) Need(n Needs) { r.needs = n }

// Read implements intake.Handler.
func (r *Rows) Read(line pii.Text, at *intake.Place) (ms int64, skip bool, reason badrow.Reason) {
	skip, reason = r.decoder.Decode(pii.Reveal(line), &r.event)
	if reason == badrow.None && at.Arrival == 0 {
		at.Arrival = r.event.Received
	}
	return r.event.Time, skip, reason
}

// Rows implements intake.Handler, as does Rewind.
func (r *Rows) Rows() int { return r.events.Len() }

// Rewind takes rows back.
func (r *Rows) Rewind(rows int) {
	r.events.Rewind(rows)
	r.ids = r.ids[:min(len(r.ids), rows)]
}

// Size estimates the memory of the rows in bytes.
func (r *Rows) Size() int { return r.events.Size() }

// Take hands over the rows.
func (r *Rows) Take() *table.Batch {
	b := r.Look()
	r.events, r.ids = b.Fresh(), nil
	r.batches++
	return b
}

// Look shows the rows, which stay until Drop.
func (r *Rows) Look() *table.Batch {
	for col := range r.needs.columns {
		if !r.needs.columns[col] {
			r.events.PadNulls(col, col)
		}
	}
	return r.events
}

// Drop empties the rows that Look showed, whose memory is used again.
func (r *Rows) Drop() {
	r.events.Reset()
	r.ids = r.ids[:0]
	r.batches++
}

// IDs are the ids of the rows, by their number, where Needs asks
// for them. That of an event without one is zero.
func (r *Rows) IDs() []dedup.ID { return r.ids }

// Forget empties the memory of texts, and frees that of rows.
func (r *Rows) Forget() {
	if r.events.Len() == 0 {
		r.events, r.ids = table.NewBatch(clickstream.Events), nil
		r.batches++
	}
	clear(r.seen)
	r.things, r.origins = memo{}, nil
}

// Put implements intake.Handler.
func (r *Rows) Put(at *intake.Place) {
	b, e := r.events, &r.event
	b.PutUUID(clickstream.EventID, at.EventID())
	b.PutInt(clickstream.EventTime, e.Time)
	r.word(clickstream.EventName, e.Name)
	r.persons()
	r.token(clickstream.EventClientEventID, "event", e.EventID)
	if r.needs.IDs {
		r.id()
	}
	putTime(b, clickstream.EventArrivalTime, at.Arrival)
	if r.needs.columns[clickstream.EventDeviceTime] {
		putTime(b, clickstream.EventDeviceTime, e.DeviceTime)
	}
	b.PutBool(clickstream.EventLate, at.Behind > 0)
	putInt(b, clickstream.EventLateByMs, at.Behind, at.Behind > 0)
	b.PutInt(clickstream.EventVersion, int64(e.Version))
	r.word(clickstream.EventPlatform, e.Platform)
	r.word(clickstream.EventDevice, e.Device)
	r.text(clickstream.EventOS, e.OS, mask.FreeText)
	r.text(clickstream.EventBrowser, e.Browser, mask.FreeText)
	r.text(clickstream.EventLanguage, e.Language, mask.FreeText)
	if r.needs.columns[clickstream.EventClientIP] {
		r.addr(e.Addr)
	}
	r.text(clickstream.EventPageHost, e.Host, mask.FreeText)
	r.text(clickstream.EventPagePath, e.Path, mask.Path)
	r.text(clickstream.EventPageQuery, e.Query, mask.Query)
	r.text(clickstream.EventReferrer, e.Referrer, mask.Referrer)
	r.text(clickstream.EventSearchTerm, e.Search, mask.FreeText)
	r.text(clickstream.EventList, e.List, mask.FreeText)
	r.traffic()
	b.PutBool(clickstream.EventAnalytics, e.Analytics)
	b.PutBool(clickstream.EventAds, e.Ads)
	r.money()
	b.PutBool(clickstream.EventPageView, e.PageView())
	r.word(clickstream.EventSource, at.Source)
	b.PutInt(clickstream.EventPosition, at.Position)
	putString(b, clickstream.EventSequence, at.Sequence)
	b.EndRow()
}

// id notes by which id the event is known, of which the token says as much.
func (r *Rows) id() {
	var id dedup.ID
	if r.event.EventID != "" {
		r.scratch = append(r.scratch[:0], r.event.EventID...)
		id = dedup.IDOf(r.scratch)
	}
	r.ids = append(r.ids, id)
}

// persons puts who it was. A visitor is a browser or an installed app; where there is
// none, as on a server, the user.
func (r *Rows) persons() {
	e := &r.event
	switch {
	case e.ClientID != "":
		r.token(clickstream.EventVisitorID, "visitor", e.ClientID)
	default:
		r.token(clickstream.EventVisitorID, "user", e.UserID)
	}
	r.token(clickstream.EventUserID, "user", e.UserID)
}

// traffic puts where the visit comes from, of events that tell of one: by their member
// campaign, else by the page's link and referrer. That somebody came directly only the
// view of a page can tell.
func (r *Rows) traffic() {
	b, e := r.events, &r.event
	if !r.needs.traffic() {
		return
	}
	if r.from != nil && e.Analytics && (e.Host != "" || e.Referrer != "" || e.Campaign != "") {
		query := e.Query
		if e.Campaign != "" {
			query = e.Campaign
		}
		// Of a field that a policy masks otherwise than by its findings nothing is told here.
		referrer := e.Referrer
		if r.policy[clickstream.EventReferrer].Set() {
			referrer = ""
		}
		if r.policy[clickstream.EventPageQuery].Set() {
			query = ""
		}
		t := r.origin(query, referrer, e.Host)
		said := t.kind == attribution.Tagged || t.kind == attribution.Clicked
		if t.kind != attribution.Internal && (e.Ads || !said) && (e.PageView() || t.kind != attribution.Direct) {
			r.text(clickstream.EventTrafficSource, t.source, mask.FreeText)
			r.text(clickstream.EventTrafficMedium, t.medium, mask.FreeText)
			r.text(clickstream.EventTrafficCampaign, t.campaign, mask.FreeText)
			r.word(clickstream.EventTrafficChannel, t.channel)
			return
		}
	}
	for col := clickstream.EventTrafficSource; col <= clickstream.EventTrafficChannel; col++ {
		b.PutNull(col)
	}
}

// from is what tells where somebody comes from, and origin is what it says.
type from struct{ query, referrer, host string }

type origin struct {
	kind                              attribution.Kind
	source, medium, campaign, channel string
}

// origin asks the attributor, once for those that repeat.
func (r *Rows) origin(query, referrer, host string) *origin {
	key := from{query, referrer, host}
	if known := r.origins[key]; known != nil {
		return known
	}
	if r.origins == nil || len(r.origins) == maxPages {
		r.origins = map[from]*origin{}
	}
	t := r.from.Touch(attribution.Request{Query: []byte(query), Referrer: []byte(referrer), Host: []byte(host)})
	found := &origin{t.Kind, string(pii.Reveal(t.Source)), string(pii.Reveal(t.Medium)), string(pii.Reveal(t.Campaign)), strings.Clone(t.Channel)}
	r.origins[from{strings.Clone(query), strings.Clone(referrer), strings.Clone(host)}] = found
	return found
}

func (r *Rows) money() {
	b, e := r.events, &r.event
	r.word(clickstream.EventCurrency, e.Currency)
	r.amount(clickstream.EventValue, e.Value)
	r.amount(clickstream.EventTax, e.Tax)
	r.amount(clickstream.EventShipping, e.Shipping)
	r.text(clickstream.EventCoupon, e.Coupon, mask.FreeText)
	r.token(clickstream.EventTransactionID, "order", e.TransactionID)
	switch p := r.policy[clickstream.EventItems]; {
	case !r.needs.columns[clickstream.EventItems]:
	case len(e.Items) == 0:
		b.PutNull(clickstream.EventItems)
	case p.Set():
		treat := func(text string) []byte { return r.masker.AppendTreated(nil, p, pii.Of([]byte(text))) }
		r.scratch = appendItems(r.scratch[:0], e.Items, treat, r.needs.ItemTexts)
		b.PutText(clickstream.EventItems, r.scratch)
	default:
		r.scratch = appendItems(r.scratch[:0], e.Items, r.masked, r.needs.ItemTexts)
		b.PutText(clickstream.EventItems, r.scratch)
	}
	b.PutInt(clickstream.EventItemCount, int64(len(e.Items)))
}

func (r *Rows) token(col int, typ, value string) {
	switch {
	case !r.needs.columns[col]:
	case value == "":
		r.events.PutNull(col)
	case r.policy[col].Set():
		r.treated(col, r.policy[col], value)
	case typ == "user":
		r.known(col, value, func(dst []byte, text pii.Text) []byte { return r.masker.AppendUser(dst, text) })
	case typ == "visitor":
		r.known(col, value, func(dst []byte, text pii.Text) []byte { return r.masker.AppendToken(dst, "visitor", text) })
	default: // comes once
		r.scratch = r.masker.AppendToken(r.scratch[:0], typ, pii.Of([]byte(value)))
		r.events.PutText(col, r.scratch)
	}
}

func (r *Rows) text(col int, value string, where mask.Where) {
	switch {
	case !r.needs.columns[col]:
	case value == "":
		r.events.PutNull(col)
	case r.policy[col].Set():
		r.treated(col, r.policy[col], value)
	default:
		r.known(col, value, func(dst []byte, text pii.Text) []byte { return r.masker.AppendMasked(dst, text, where) })
	}
}

// known puts a text as mask makes it, once for those that repeat.
func (r *Rows) known(col int, value string, mask func(dst []byte, text pii.Text) []byte) {
	m := &r.seen[col]
	k := m.find(value)
	if k == nil {
		r.scratch = mask(r.scratch[:0], pii.Of([]byte(value)))
		if k = m.keep(value, r.scratch); k == nil {
			r.events.PutText(col, r.scratch)
			return
		}
	}
	if k.batch != r.batches {
		k.code, k.batch = r.events.Intern(col, m.became(k)), r.batches
	}
	r.events.PutCode(col, k.code)
}

// masked is a text of an item, of which there are few.
func (r *Rows) masked(text string) []byte {
	if k := r.things.find(text); k != nil {
		return r.things.became(k)
	}
	masked := r.masker.AppendMasked(nil, pii.Of([]byte(text)), mask.FreeText)
	r.things.keep(text, masked)
	return masked
}

// word puts one of few words of ours, null for none, which stays as it is but for a
// policy.
func (r *Rows) word(col int, text string) {
	switch w := &r.words[col]; {
	case !r.needs.columns[col]:
	case text == "":
		r.events.PutNull(col)
	case r.policy[col].Set():
		r.treated(col, r.policy[col], text)
	case w.batch == r.batches && w.text == text:
		r.events.PutCode(col, w.code)
	default:
		*w = word{strings.Clone(text), r.events.Intern(col, []byte(text)), r.batches}
		r.events.PutCode(col, w.code)
	}
}

func (r *Rows) amount(col int, a Amount) {
	if r.needs.columns[col] {
		putInt(r.events, col, a.Minor, a.Known)
	}
}

func putString(b *table.Batch, col int, s string) {
	if s == "" {
		b.PutNull(col)
		return
	}
	b.PutString(col, s)
}

func putInt(b *table.Batch, col int, v int64, known bool) {
	if known {
		b.PutInt(col, v)
	} else {
		b.PutNull(col)
	}
}

func putTime(b *table.Batch, col int, ms int64) { putInt(b, col, ms, ms != 0) }

// appendItems writes items as the column items has them: a list of objects in JSON.
// Each text goes through masked. Those that describe an item are left out, unless they are wanted.
func appendItems(dst []byte, items []Item, masked func(string) []byte, texts bool) []byte {
	dst = append(dst, '[')
	for i := range items {
		it := &items[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendMember(append(dst, '{'), "id", masked(it.ID))
		for _, m := range []struct{ name, text string }{{"name", it.Name}, {"category", it.Category}, {"brand", it.Brand}, {"variant", it.Variant}} {
			if texts && m.text != "" {
				dst = appendMember(append(dst, ','), m.name, masked(m.text))
			}
		}
		if it.Price.Known {
			dst = strconv.AppendInt(append(dst, `,"price":`...), it.Price.Minor, 10)
		}
		dst = append(strconv.AppendInt(append(dst, `,"quantity":`...), it.Quantity, 10), '}')
	}
	return append(dst, ']')
}
