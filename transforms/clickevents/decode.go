package clickevents

import (
	"bytes"
	"errors"
	"io"
	"net/netip"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

// Limits of an event. One that goes beyond them is a bad row (limit).
const (
	MaxItems = 200
	maxText  = 2048 // bytes of a text; of a page's location and referrer twice that
	maxID    = 256  // bytes of an id
	maxCount = 1_000_000
)

// line is an event as it comes.
type line struct {
	stamps
	Version jsontext.Value `json:"v"`
	EventID string         `json:"event_id"`
	Name    string         `json:"name"`

	ClientID string `json:"client_id"`
	UserID   string `json:"user_id"`
	IP       string `json:"ip"`
	Platform string `json:"platform"`
	Device   struct {
		Category string `json:"category"`
		OS       string `json:"os"`
		Browser  string `json:"browser"`
		Language string `json:"language"`
	} `json:"device"`
	Consent struct {
		Analytics *bool `json:"analytics"`
		Ads       *bool `json:"ads"`
	} `json:"consent"`
	Page struct {
		Location string `json:"location"`
		Referrer string `json:"referrer"`
		Screen   string `json:"screen"`
	} `json:"page"`
	Campaign struct {
		Source string `json:"source"`
		Medium string `json:"medium"`
		Name   string `json:"name"`
	} `json:"campaign"`
	Search string `json:"search_term"`
	List   string `json:"list"`

	Currency      string         `json:"currency"`
	Value         jsontext.Value `json:"value"`
	Tax           jsontext.Value `json:"tax"`
	Shipping      jsontext.Value `json:"shipping"`
	Coupon        string         `json:"coupon"`
	TransactionID string         `json:"transaction_id"`
	Items         []lineItem     `json:"items"`
}

type lineItem struct {
	ID       string         `json:"item_id"`
	Name     string         `json:"item_name"`
	Category string         `json:"item_category"`
	Brand    string         `json:"item_brand"`
	Variant  string         `json:"item_variant"`
	Price    jsontext.Value `json:"price"`
	Quantity *int64         `json:"quantity"`
}

// Options say what holds for events that do not say it themselves.
type Options struct {
	Analytics bool // consent to analytics
	Ads       bool // consent to advertising
}

// Event is a decoded event. Its texts are as they came, not masked; those that
// consent does not cover are empty. They may be views of the line, and hold as long as
// it does not change.
type Event struct {
	Time, DeviceTime int64 // Unix milliseconds; DeviceTime 0 where nothing was corrected
	Received         int64 // 0 when not said
	Version          int32
	Name             string
	EventID          string
	ClientID, UserID string
	Addr             netip.Addr // not valid when there is none
	Platform         string
	Device           string
	OS, Browser      string
	Language         string
	Host, Path       string // of the page; Path is the screen's name in an app
	Query, Referrer  string
	Campaign         string // where the visit comes from, as parameters of a link (utm_source, ...)
	Search, List     string
	Analytics, Ads   bool
	Currency         string
	Value            Amount
	Tax, Shipping    Amount
	Coupon           string
	TransactionID    string
	Items            []Item
}

// Amount is in minor units, or not known.
type Amount struct {
	Minor int64
	Known bool
}

// Item is one entry of an event's items.
type Item struct {
	ID, Name, Category, Brand, Variant string
	Price                              Amount
	Quantity                           int64
}

// PageView tells whether the event is the view of a page or screen.
func (e *Event) PageView() bool { return e.Name == "page_view" || e.Name == "screen_view" }

// Decoder reads lines. It belongs to one goroutine.
type Decoder struct {
	options Options
	line    line
	scanner scanner
	pages   pages
}

// NewDecoder makes a decoder.
func NewDecoder(o Options) *Decoder { return &Decoder{options: o} }

// Decode reads a line into an event, whose items' memory it uses again. The event's
// texts are parts of the line or of the decoder's memory, and hold until the line is
// changed or the next one is decoded. A blank line is skipped. After a reason other than
// badrow.None the event means nothing.
func (d *Decoder) Decode(b []byte, into *Event) (skip bool, reason badrow.Reason) {
	if b = decode.TrimMark(b); len(bytes.TrimSpace(b)) == 0 {
		return true, badrow.None
	}
	d.line = line{Items: d.line.Items[:0]}
	if d.scanner.scan(b, &d.line) {
		return false, d.event(into)
	}
	d.line = line{Items: d.line.Items[:0]}
	if err := json.Unmarshal(b, &d.line); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return false, badrow.Truncated
		}
		return false, badrow.Format
	}
	return false, d.event(into)
}

func (d *Decoder) event(e *Event) badrow.Reason {
	l := &d.line
	*e = Event{Items: e.Items[:0]}
	switch string(l.Version) {
	case "1":
		e.Version = 1
	case "2":
		e.Version = 2
	default:
		return badrow.Version
	}
	if !names[l.Name] {
		return badrow.Name
	}
	var reason badrow.Reason
	if e.Time, e.DeviceTime, e.Received, reason = l.stamps.read(); reason != badrow.None {
		return reason
	}
	if l.tooLong() {
		return badrow.Limit
	}
	e.Name, e.EventID, e.TransactionID = l.Name, l.EventID, l.TransactionID
	e.Analytics, e.Ads = said(l.Consent.Analytics, d.options.Analytics), said(l.Consent.Ads, d.options.Ads)
	if platforms[l.Platform] {
		e.Platform = l.Platform
	}
	if reason := l.money(e); reason != badrow.None {
		return reason
	}
	e.List, e.Coupon = l.List, l.Coupon
	if e.Analytics {
		return l.person(e, &d.pages)
	}
	return badrow.None
}

func said(v *bool, otherwise bool) bool {
	if v != nil {
		return *v
	}
	return otherwise
}

// person reads what tells of one.
func (l *line) person(e *Event, pages *pages) badrow.Reason {
	e.ClientID, e.UserID, e.Search = l.ClientID, l.UserID, l.Search
	e.OS, e.Browser, e.Language = l.Device.OS, l.Device.Browser, l.Device.Language
	if devices[l.Device.Category] {
		e.Device = l.Device.Category
	}
	if addr, err := netip.ParseAddr(l.IP); err == nil {
		e.Addr = addr.Unmap().WithZone("")
	}
	e.Path, e.Referrer = l.Page.Screen, l.Page.Referrer
	if c := &l.Campaign; c.Source != "" || c.Medium != "" {
		e.Campaign = pages.campaign(c.Source, c.Medium, c.Name)
	}
	if l.Page.Location == "" {
		return badrow.None
	}
	p := pages.of(l.Page.Location)
	if !p.ok {
		return badrow.Format
	}
	e.Host, e.Path, e.Query = p.host, p.path, p.query
	return badrow.None
}

func (l *line) tooLong() bool {
	for _, id := range []string{l.EventID, l.ClientID, l.UserID, l.TransactionID, l.Coupon} {
		if len(id) > maxID {
			return true
		}
	}
	for _, text := range []string{l.Device.OS, l.Device.Browser, l.Device.Language, l.Page.Screen, l.Search, l.List, l.Campaign.Source, l.Campaign.Medium, l.Campaign.Name} {
		if len(text) > maxText {
			return true
		}
	}
	if len(l.Page.Location) > 2*maxText || len(l.Page.Referrer) > 2*maxText || len(l.Items) > MaxItems {
		return true
	}
	for i := range l.Items {
		it := &l.Items[i]
		if len(it.ID) > maxID || len(it.Name) > maxText || len(it.Category) > maxText || len(it.Brand) > maxText || len(it.Variant) > maxText {
			return true
		}
	}
	return false
}

// money reads the amounts and the items.
func (l *line) money(e *Event) badrow.Reason {
	digits, known := 2, false
	if l.Currency != "" {
		if digits, known = exponent(l.Currency); !known {
			return badrow.Currency
		}
		e.Currency = l.Currency
	}
	read := func(v jsontext.Value, into *Amount) bool {
		if len(v) == 0 || string(v) == "null" {
			return true
		}
		n, ok := minor(v, digits, e.Version == 2)
		*into = Amount{n, ok}
		return ok
	}
	if !read(l.Value, &e.Value) || !read(l.Tax, &e.Tax) || !read(l.Shipping, &e.Shipping) {
		return badrow.Number
	}
	amounts := e.Value.Known || e.Tax.Known || e.Shipping.Known
	for i := range l.Items {
		it := &l.Items[i]
		item := Item{ID: it.ID, Name: it.Name, Category: it.Category, Brand: it.Brand, Variant: it.Variant, Quantity: 1}
		if it.ID == "" {
			return badrow.Format
		}
		if it.Quantity != nil {
			item.Quantity = *it.Quantity
		}
		if item.Quantity < 0 || item.Quantity > maxCount || !read(it.Price, &item.Price) ||
			item.Quantity > 0 && max(item.Price.Minor, -item.Price.Minor) > maxAmount/item.Quantity {
			return badrow.Number
		}
		amounts = amounts || item.Price.Known
		e.Items = append(e.Items, item)
	}
	switch {
	case amounts && !known: // what an amount is worth is unknown
		return badrow.Currency
	case moneyNames[l.Name] && !e.Value.Known:
		return badrow.Number
	}
	return badrow.None
}
