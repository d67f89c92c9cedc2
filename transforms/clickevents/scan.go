package clickevents

import "github.com/go-json-experiment/json/jsontext"

// scanner reads the lines that producers mostly send, in one pass and without a copy:
// what it finds are views of the line. It takes a line only if package json reads the
// same from it, and declines everything else, as what has escapes in it, is wrong, or
// has more of something than it keeps account of; so json alone says what is wrong.
type scanner struct {
	b     []byte
	at    int
	depth int

	yes, no    bool // what consent points to
	quantities [MaxItems]int64
	used       int // of them
	names      []string
}

const (
	scanDepth = 16 // of objects and lists; deeper ones are declined
	scanNames = 32 // unknown members of an object, which are compared one by one
)

// scan reads a line into an empty one. ok is false for those that json has to read.
func (s *scanner) scan(b []byte, l *line) (ok bool) {
	s.b, s.at, s.depth, s.used, s.yes, s.no, s.names = b, 0, 0, 0, true, false, s.names[:0]
	if !s.line(l) {
		return false
	}
	s.space()
	return s.at == len(s.b)
}

// bits of the members that were there: one that comes twice is declined.
const (
	seenTime = 1 << iota
	seenSent
	seenReceived
	seenVersion
	seenEventID
	seenName
	seenClient
	seenUser
	seenIP
	seenPlatform
	seenDevice
	seenConsent
	seenPage
	seenCampaign
	seenSearch
	seenList
	seenCurrency
	seenValue
	seenTax
	seenShipping
	seenCoupon
	seenTransaction
	seenItems
)

func (s *scanner) line(l *line) bool {
	var seen uint64
	return s.object(func(name string) (bit uint64, ok bool) {
		switch name {
		case "time":
			return seenTime, s.value(&l.Time)
		case "sent_at":
			return seenSent, s.value(&l.Sent)
		case "received_at":
			return seenReceived, s.value(&l.Received)
		case "v":
			return seenVersion, s.value(&l.Version)
		case "event_id":
			return seenEventID, s.text(&l.EventID)
		case "name":
			return seenName, s.text(&l.Name)
		case "client_id":
			return seenClient, s.text(&l.ClientID)
		case "user_id":
			return seenUser, s.text(&l.UserID)
		case "ip":
			return seenIP, s.text(&l.IP)
		case "platform":
			return seenPlatform, s.text(&l.Platform)
		case "device":
			return seenDevice, s.texts(member{"category", &l.Device.Category}, member{"os", &l.Device.OS}, member{"browser", &l.Device.Browser}, member{"language", &l.Device.Language})
		case "consent":
			return seenConsent, s.consent(l)
		case "page":
			return seenPage, s.texts(member{"location", &l.Page.Location}, member{"referrer", &l.Page.Referrer}, member{"screen", &l.Page.Screen}, member{})
		case "campaign":
			return seenCampaign, s.texts(member{"source", &l.Campaign.Source}, member{"medium", &l.Campaign.Medium}, member{"name", &l.Campaign.Name}, member{})
		case "search_term":
			return seenSearch, s.text(&l.Search)
		case "list":
			return seenList, s.text(&l.List)
		case "currency":
			return seenCurrency, s.text(&l.Currency)
		case "value":
			return seenValue, s.value(&l.Value)
		case "tax":
			return seenTax, s.value(&l.Tax)
		case "shipping":
			return seenShipping, s.value(&l.Shipping)
		case "coupon":
			return seenCoupon, s.text(&l.Coupon)
		case "transaction_id":
			return seenTransaction, s.text(&l.TransactionID)
		case "items":
			return seenItems, s.items(l)
		}
		return 0, true
	}, &seen)
}

// member is a text of an object, by its name.
type member struct {
	name string
	into *string
}

// texts reads an object of texts, or null.
func (s *scanner) texts(a, b, c, d member) bool {
	if s.null() {
		return true
	}
	var seen uint64
	return s.object(func(name string) (uint64, bool) {
		switch {
		case name == a.name:
			return 1, s.text(a.into)
		case name == b.name:
			return 2, s.text(b.into)
		case name == c.name:
			return 4, s.text(c.into)
		case d.into != nil && name == d.name:
			return 8, s.text(d.into)
		}
		return 0, true
	}, &seen)
}

func (s *scanner) consent(l *line) bool {
	if s.null() {
		return true
	}
	var seen uint64
	return s.object(func(name string) (uint64, bool) {
		switch name {
		case "analytics":
			return 1, s.boolean(&l.Consent.Analytics)
		case "ads":
			return 2, s.boolean(&l.Consent.Ads)
		}
		return 0, true
	}, &seen)
}

func (s *scanner) items(l *line) bool {
	if s.null() {
		l.Items = nil
		return true
	}
	if s.next() != '[' {
		return false
	}
	s.at++
	if s.next() == ']' {
		s.at++
		return true
	}
	for len(l.Items) < MaxItems {
		l.Items = append(l.Items, lineItem{})
		if !s.item(&l.Items[len(l.Items)-1]) {
			return false
		}
		switch s.next() {
		case ',':
			s.at++
		case ']':
			s.at++
			return true
		default:
			return false
		}
	}
	return false
}

func (s *scanner) item(it *lineItem) bool {
	if s.null() {
		return true
	}
	var seen uint64
	return s.object(func(name string) (uint64, bool) {
		switch name {
		case "item_id":
			return 1, s.text(&it.ID)
		case "item_name":
			return 2, s.text(&it.Name)
		case "item_category":
			return 4, s.text(&it.Category)
		case "item_brand":
			return 8, s.text(&it.Brand)
		case "item_variant":
			return 16, s.text(&it.Variant)
		case "price":
			return 32, s.value(&it.Price)
		case "quantity":
			return 64, s.quantity(&it.Quantity)
		}
		return 0, true
	}, &seen)
}

// text reads a text, or null, into an empty string.
func (s *scanner) text(into *string) (ok bool) {
	if s.next() == '"' {
		*into, ok = s.quoted()
		return ok
	}
	return s.null()
}

// value reads a text or a number as it stands there, or null.
func (s *scanner) value(into *jsontext.Value) (ok bool) {
	c, from := s.next(), s.at
	switch {
	case c == '"':
		_, ok = s.quoted()
	case c == 'n':
		ok = s.null()
	default:
		ok = s.number()
	}
	*into = s.b[from:s.at:s.at]
	return ok
}

func (s *scanner) boolean(into **bool) bool {
	switch {
	case s.literal("true"):
		*into = &s.yes
	case s.literal("false"):
		*into = &s.no
	default:
		return s.null()
	}
	return true
}

func (s *scanner) quantity(into **int64) bool {
	if s.null() {
		return true
	}
	n, ok := s.whole()
	if !ok || s.used == len(s.quantities) {
		return false
	}
	s.quantities[s.used] = n
	*into = &s.quantities[s.used]
	s.used++
	return true
}
