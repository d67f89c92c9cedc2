package generate

import (
	"fmt"
	"strconv"

	"millrace/schemas/badrow"
)

// append writes the line of an event. Three of four are of form 1.
func (s *Shop) append(c *click) []byte {
	b := s.line[:0]
	id := mix(uint64(c.visitor) ^ 0xc11e)
	second := c.number%4 == 3
	b = append(b, `{"v":`...)
	if second {
		b = append(b, '2')
	} else {
		b = append(b, '1')
	}
	b = append(b, `,"event_id":"`...)
	b = strconv.AppendUint(b, mix(uint64(c.number)^s.cfg.Seed<<40), 16)
	b = append(append(append(b, `","name":"`...), c.name...), '"')
	off := skew(c.visitor)
	if c.server {
		off = 0
	}
	b = strconv.AppendInt(append(b, `,"time":`...), c.time+off, 10)
	b = strconv.AppendInt(append(b, `,"sent_at":`...), c.sent+off, 10)
	b = strconv.AppendInt(append(b, `,"received_at":`...), c.received, 10)
	b = fmt.Appendf(b, `,"consent":{"analytics":%t,"ads":%t}`, analytics(c.visitor), ads(c.visitor))
	if c.server {
		b = append(b, `,"platform":"server"`...)
	} else {
		b = append(append(append(b, `,"client_id":"`...), clientID(c.visitor)...), '"')
		b = append(append(append(b, `,"ip":"`...), s.address(c)...), '"')
		b = fmt.Appendf(b, `,"platform":"web","device":{"category":%q,"os":%q,"browser":%q,"language":"de-DE"}`,
			[]string{"mobile", "desktop", "mobile", "tablet"}[id%4], []string{"Android", "Windows", "iOS", "iPadOS"}[id%4], []string{"Chrome", "Firefox", "Safari", "Safari"}[id%4])
		b = s.page(b, c)
	}
	if c.tagged {
		b = append(b, `,"campaign":{"source":"letter","medium":"email","name":"spring"}`...)
	}
	if login := s.login(c); login != "" {
		b = append(append(append(b, `,"user_id":"`...), login...), '"')
	}
	if c.name == "search" {
		b = append(b, `,"search_term":"`...)
		b = append(append(b, s.canaries.text(c, "card_number", "cups and pots")...), '"')
	}
	if c.item >= 0 {
		code := currency(c.visitor)
		b = append(append(append(b, `,"currency":"`...), code...), `","value":`...)
		b = s.amount(b, code, c.value, second)
		b = fmt.Appendf(b, `,"items":[{"item_id":"item-%d","item_name":"Thing %d","item_category":"Family %d","price":`, c.item, c.item, c.item/family)
		b = s.amount(b, code, s.price(c.item), second)
		b = append(strconv.AppendInt(append(b, `,"quantity":`...), int64(c.quantity), 10), "}]"...)
	}
	if c.name == "purchase" || c.name == "refund" {
		b = append(strconv.AppendInt(append(b, `,"transaction_id":"order-`...), c.number, 10), '"')
	}
	b = append(b, '}', '\n')
	s.line = b
	s.truth.Lines++
	return s.line
}

// amount writes minor units as the form wants them.
func (s *Shop) amount(b []byte, code string, minor int64, second bool) []byte {
	if second || code == "JPY" {
		return strconv.AppendInt(b, minor, 10)
	}
	return fmt.Appendf(b, "%d.%02d", minor/100, minor%100)
}

func (s *Shop) page(b []byte, c *click) []byte {
	b = append(b, `,"page":{"location":"https://shop.example/`...)
	switch {
	case c.first && c.tagged:
		b = append(b, `?utm_source=letter&utm_medium=email&utm_campaign=spring`...)
	case c.name == "page_view" && !c.first:
		b = append(b, "items"...)
	case c.item >= 0:
		b = strconv.AppendInt(append(b, "item/"...), int64(c.item), 10)
	}
	if e := s.canaries.text(c, "email", ""); e != "" {
		b = append(append(b, "?email="...), e...)
	}
	b = append(b, '"')
	if c.first && !c.tagged && c.number%2 == 1 {
		b = append(b, `,"referrer":"https://www.google.com/"`...)
	}
	return append(b, '}')
}

func (s *Shop) login(c *click) string {
	if c.server {
		return ""
	}
	return s.canaries.text(c, "user", known(c.visitor))
}

// address is the client's, of one of the networks for documents.
func (s *Shop) address(c *click) string {
	network := "203.0.113."
	if c.tester {
		network = testerNetwork
	}
	return s.canaries.text(c, "client_address", network+strconv.FormatUint(mix(uint64(c.visitor))%254+1, 10))
}

// broken is a line that is no event, after a good one.
func (s *Shop) broken(c *click) []byte {
	kinds := []struct {
		line   string
		reason badrow.Reason
	}{
		{`{"v":1,"name":"view_item","time":`, badrow.Truncated},
		{`not json`, badrow.Format},
		{`{"v":9,"name":"view_item","time":1772359200000}`, badrow.Version},
		{`{"v":1,"name":"teleport","time":1772359200000}`, badrow.Name},
		{`{"v":1,"name":"view_item","time":"yesterday"}`, badrow.Timestamp},
		{fmt.Sprintf(`{"v":1,"name":"purchase","time":%d,"value":1.5,"currency":"XYZ"}`, c.received), badrow.Currency},
		{fmt.Sprintf(`{"v":1,"name":"purchase","time":%d,"value":1.555,"currency":"EUR"}`, c.received), badrow.Number},
	}
	k := kinds[s.rng.n(len(kinds))]
	s.truth.Bad[string(k.reason)]++
	s.truth.Lines++
	s.line = append(append(s.line[:0], k.line...), '\n')
	return s.line
}
