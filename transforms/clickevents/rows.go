package clickevents

import (
	"strconv"

	"millrace/schemas/badrow"
	"millrace/schemas/clickstream"
	"millrace/schemas/pii"
	"millrace/schemas/table"
	"millrace/transforms/attribution"
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
	seen    map[string]string // masked texts that repeat
}

// maxSeen bounds the memory of texts; a full one starts anew.
const maxSeen = 1 << 16

// NewRows makes one that masks with a masker of its own, and single fields as the policy
// says, if there is one.
func NewRows(o Options, masker *mask.Masker, policy *mask.Policy, from *attribution.Attributor) *Rows {
	return &Rows{decoder: NewDecoder(o), masker: masker, policy: policy.Treatments(clickstream.Events, Fields()), from: from, events: table.NewBatch(clickstream.Events), seen: map[string]string{}}
}

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
func (r *Rows) Rewind(rows int) { r.events.Rewind(rows) }

// Size estimates the memory of the rows in bytes.
func (r *Rows) Size() int { return r.events.Size() }

// Take hands over the rows.
func (r *Rows) Take() *table.Batch {
	b := r.events
	r.events = table.NewBatch(clickstream.Events)
	return b
}

// Forget empties the memory of texts.
func (r *Rows) Forget() { clear(r.seen) }

// Put implements intake.Handler.
func (r *Rows) Put(at *intake.Place) {
	b, e := r.events, &r.event
	b.PutUUID(clickstream.EventID, at.EventID())
	b.PutInt(clickstream.EventTime, e.Time)
	b.PutString(clickstream.EventName, e.Name)
	r.people()
	r.token(clickstream.EventClientEventID, "event", e.EventID)
	putTime(b, clickstream.EventArrivalTime, at.Arrival)
	putTime(b, clickstream.EventDeviceTime, e.DeviceTime)
	b.PutBool(clickstream.EventLate, at.Behind > 0)
	putInt(b, clickstream.EventLateByMs, at.Behind, at.Behind > 0)
	b.PutInt(clickstream.EventVersion, int64(e.Version))
	r.word(clickstream.EventPlatform, e.Platform)
	r.word(clickstream.EventDevice, e.Device)
	r.text(clickstream.EventOS, e.OS, mask.FreeText)
	r.text(clickstream.EventBrowser, e.Browser, mask.FreeText)
	r.text(clickstream.EventLanguage, e.Language, mask.FreeText)
	r.addr(e.Addr)
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
	b.PutString(clickstream.EventSource, at.Source)
	b.PutInt(clickstream.EventPosition, at.Position)
	putString(b, clickstream.EventSequence, at.Sequence)
	b.EndRow()
}

// people puts who it was. A visitor is a browser or an installed app; where there is
// none, as on a server, the user.
func (r *Rows) people() {
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
		t := r.from.Touch(attribution.Request{Query: []byte(query), Referrer: []byte(referrer), Host: []byte(e.Host)})
		said := t.Kind == attribution.Tagged || t.Kind == attribution.Clicked
		if t.Kind != attribution.Internal && (e.Ads || !said) && (e.PageView() || t.Kind != attribution.Direct) {
			r.text(clickstream.EventTrafficSource, string(pii.Reveal(t.Source)), mask.FreeText)
			r.text(clickstream.EventTrafficMedium, string(pii.Reveal(t.Medium)), mask.FreeText)
			r.text(clickstream.EventTrafficCampaign, string(pii.Reveal(t.Campaign)), mask.FreeText)
			putString(b, clickstream.EventTrafficChannel, t.Channel)
			return
		}
	}
	for col := clickstream.EventTrafficSource; col <= clickstream.EventTrafficChannel; col++ {
		b.PutNull(col)
	}
}

func (r *Rows) money() {
	b, e := r.events, &r.event
	putString(b, clickstream.EventCurrency, e.Currency)
	putInt(b, clickstream.EventValue, e.Value.Minor, e.Value.Known)
	putInt(b, clickstream.EventTax, e.Tax.Minor, e.Tax.Known)
	putInt(b, clickstream.EventShipping, e.Shipping.Minor, e.Shipping.Known)
	r.text(clickstream.EventCoupon, e.Coupon, mask.FreeText)
	r.token(clickstream.EventTransactionID, "order", e.TransactionID)
	switch p := r.policy[clickstream.EventItems]; {
	case len(e.Items) == 0:
		b.PutNull(clickstream.EventItems)
	case p.Set():
		r.scratch = AppendItems(r.scratch[:0], e.Items, func(text string) string { return string(r.masker.AppendTreated(nil, p, pii.Of([]byte(text)))) })
		b.PutText(clickstream.EventItems, r.scratch)
	default:
		r.scratch = AppendItems(r.scratch[:0], e.Items, r.masked)
		b.PutText(clickstream.EventItems, r.scratch)
	}
	b.PutInt(clickstream.EventItemCount, int64(len(e.Items)))
}

func (r *Rows) token(col int, typ, value string) {
	if value == "" {
		r.events.PutNull(col)
		return
	}
	if p := r.policy[col]; p.Set() {
		r.treated(col, p, value)
		return
	}
	if typ == "user" {
		r.scratch = r.masker.AppendUser(r.scratch[:0], pii.Of([]byte(value)))
	} else {
		r.scratch = r.masker.AppendToken(r.scratch[:0], typ, pii.Of([]byte(value)))
	}
	r.events.PutText(col, r.scratch)
}

func (r *Rows) text(col int, value string, where mask.Where) {
	if value == "" {
		r.events.PutNull(col)
		return
	}
	if p := r.policy[col]; p.Set() {
		r.treated(col, p, value)
		return
	}
	r.scratch = r.masker.AppendMasked(r.scratch[:0], pii.Of([]byte(value)), where)
	r.events.PutText(col, r.scratch)
}

// masked is a text of an item, of which there are few.
func (r *Rows) masked(text string) string {
	if m, ok := r.seen[text]; ok {
		return m
	}
	if len(r.seen) >= maxSeen {
		clear(r.seen)
	}
	m := string(r.masker.AppendMasked(nil, pii.Of([]byte(text)), mask.FreeText))
	r.seen[text] = m
	return m
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

// AppendItems writes items as the column items has them: a list of objects in JSON.
// Each text goes through masked.
func AppendItems(dst []byte, items []Item, masked func(string) string) []byte {
	dst = append(dst, '[')
	for i := range items {
		it := &items[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendMember(append(dst, '{'), "id", masked(it.ID))
		for _, m := range []struct{ name, text string }{{"name", it.Name}, {"category", it.Category}, {"brand", it.Brand}, {"variant", it.Variant}} {
			if m.text != "" {
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
