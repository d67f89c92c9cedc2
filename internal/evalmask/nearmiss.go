package evalmask

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"millrace/transforms/mask"
)

// phoneRegions are countries whose numbers are made.
var phoneRegions = []string{"US", "DE", "GB", "FR", "BR", "IN", "JP", "AU", "CH", "SE", "ES", "IT", "NL", "PL", "ZA"}

// phone makes a number that is valid in the plan of its country: the library's
// example with other last digits.
func (m maker) phone() Text {
	region := phoneRegions[m.IntN(len(phoneRegions))]
	for {
		n := phonenumbers.GetExampleNumber(region)
		national := n.GetNationalNumber()/10000*10000 + uint64(m.IntN(10000))
		n.NationalNumber = &national
		if !phonenumbers.IsValidNumber(n) {
			continue
		}
		switch m.IntN(4) {
		case 0:
			return m.place(mask.Phone, phonenumbers.Format(n, phonenumbers.E164))
		case 1:
			return m.place(mask.Phone, phonenumbers.Format(n, phonenumbers.INTERNATIONAL))
		case 2:
			value := phonenumbers.Format(n, phonenumbers.NATIONAL)
			return inside(mask.Phone, m.pick("Phone: ", "call me at ", "Fax ", "mobile: ", "my telephone number is "), value, m.pick("", ".", " after five"))
		default:
			area, exchange := 201+m.IntN(2)*2, 200+m.IntN(700)
			form := m.pick("(%d) %d-%s", "%d-%d-%s", "%d.%d.%s")
			value := fmt.Sprintf(form, area, exchange, m.digits(4))
			if us, err := phonenumbers.Parse(value, "US"); err == nil && phonenumbers.IsValidNumber(us) {
				return m.place(mask.Phone, value)
			}
		}
	}
}

// nearMiss makes a text without findings of the type that looks like one with.
func (m maker) nearMiss(t mask.Type) Text {
	text := m.place(t, m.alike(t))
	text.Spans, text.Miss = nil, t
	return text
}

func (m maker) alike(t mask.Type) string {
	switch t {
	case mask.Card:
		return m.noCard()
	case mask.IBAN:
		return m.noIBAN()
	case mask.IP:
		return m.noIP()
	case mask.SSN:
		return m.noSSN()
	case mask.URLPassword:
		return m.pick("https://"+m.host()+":8080/", "http://"+m.host()+"/@"+m.letters(4, lowers), "ftp://"+m.host()+"/a:b/", "mailto:"+m.letters(5, lowers), "https://"+m.host()+"/a:b@2x.png")
	case mask.QuerySecret:
		return m.pick("tokens", "keyword", "monkey", "passenger", "signal", "sort_key_by", "author", "keyboard", "tokenizer_name", "sessions_count") + "=" + m.letters(4+m.IntN(20), mixed)
	case mask.Phone:
		return m.noPhone()
	default:
		return m.noEmail()
	}
}

func (m maker) noEmail() string {
	name := m.letters(3+m.IntN(6), lowers)
	return m.pick(name+"@2x.png", "@"+name, name+"@", name+"@localhost", name+"@"+m.digits(1)+"."+m.digits(2)+"."+m.digits(1), name+" at example dot com", "@scope/"+name+"@4.17.21", name+"@.com")
}

// noCard fails the check digit, or begins as no issuer does, or is a time.
func (m maker) noCard() string {
	good := m.card()
	last := good[len(good)-1]
	bad := good[:len(good)-1] + otherDigit(last, 1+m.IntN(9))
	unknown := "7" + m.digits(14)
	return m.pick(m.grouped(bad), bad, unknown+luhnDigit(unknown), "17"+m.digits(11), "0000000000000000",
		fmt.Sprintf("%s-%s-4%s-8%s-%s", m.letters(8, "0123456789abcdef"), m.digits(4), m.digits(3), m.digits(3), m.digits(12)))
}

func (m maker) noIBAN() string {
	good := m.iban()
	at := len(good) - 1
	for good[at] < '0' || good[at] > '9' {
		at--
	}
	bad := good[:at] + otherDigit(good[at], 1+m.IntN(9)) + good[at+1:]
	return m.pick(bad, bad, good[:len(good)-1], "XX"+good[2:], good+"7", strings.ReplaceAll(good[:4], " ", "")+"/"+good[4:])
}

func (m maker) noIP() string {
	a, b, c, d := m.IntN(256), m.IntN(256), m.IntN(256), m.IntN(256)
	return m.pick(
		fmt.Sprintf("%d.%d.%d.%d", a, b, c, 256+d), fmt.Sprintf("%d.%d.%d", a, b, c), fmt.Sprintf("%d.%d.%d.%d.%d", a, b, c, d, a),
		fmt.Sprintf("Chrome/%d.0.%d.%d", 100+b%40, c, d), fmt.Sprintf("rv:1.%d.%d.%d", b%10, c%10, d%10), fmt.Sprintf("version %d.%d.%d.%d", a%20, b, c, d),
		fmt.Sprintf("%02d:%02d:%02d", a%24, b%60, c%60), fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", a, b, c, d, a, b), fmt.Sprintf("%x::%x::%x", a, b, c),
		fmt.Sprintf("v%d.%d.%d.%d", a, b, c, d), "std::vector", fmt.Sprintf("%d:%d", a, b))
}

func (m maker) noSSN() string {
	group, serial := 1+m.IntN(99), 1+m.IntN(9999)
	area := 1 + m.IntN(665)
	return m.pick(
		fmt.Sprintf("000-%02d-%04d", group, serial), fmt.Sprintf("666-%02d-%04d", group, serial), fmt.Sprintf("9%02d-%02d-%04d", group, group, serial),
		fmt.Sprintf("%03d-00-%04d", area, serial), fmt.Sprintf("%03d-%02d-0000", area, group), fmt.Sprintf("%03d-%02d-%03d", area, group, serial%1000),
		fmt.Sprintf("%03d%02d%04d", area, group, serial), fmt.Sprintf("%03d-%02d %04d", area, group, serial), fmt.Sprintf("%03d-%02d-%04d-1", area, group, serial),
		fmt.Sprintf("A%03d-%02d-%04d", area, group, serial))
}

func (m maker) noPhone() string {
	return m.pick(
		fmt.Sprintf("(1%s) %s-%s", m.digits(2), m.digits(3), m.digits(4)), "0"+m.digits(2)+"-"+m.digits(3)+"-"+m.digits(4), "order "+m.digits(8), m.digits(10),
		"2024-0"+fmt.Sprint(1+m.IntN(9))+"-1"+m.digits(1)+" 12:30:45", "17"+m.digits(8), "000-"+m.digits(2)+"-"+m.digits(4), "+0000", "+"+m.digits(5),
		"ISBN 978-3-"+m.digits(2)+"-"+m.digits(6)+"-0", m.digits(5)+"-"+m.digits(4), m.digits(4)+" "+m.digits(4), "+999"+m.digits(8), "10.15."+m.digits(2)+" build "+m.digits(7))
}

// otherDigit is the digit so many after c, beginning again after 9.
func otherDigit(c byte, after int) string { return strconv.Itoa((int(c-'0') + after) % 10) }
