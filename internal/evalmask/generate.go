package evalmask

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"strings"

	"millrace/transforms/mask"
)

// GeneratedTypes are the types that Generate makes texts for.
func GeneratedTypes() []mask.Type {
	return []mask.Type{mask.Email, mask.Card, mask.IBAN, mask.IP, mask.SSN, mask.URLPassword, mask.QuerySecret, mask.Phone}
}

// Generate makes n texts that hold one value of each type and n that hold one
// that comes near, the same ones for the same seed. Values are made by rules of
// their own, without the masker's validators.
func Generate(seed uint64, n int) []Text {
	var out []Text
	for i, t := range GeneratedTypes() {
		m := maker{rand.New(rand.NewPCG(seed, uint64(i)))} //nolint:gosec // one seed is to make the same texts again; nothing is secret
		for range n {
			out = append(out, m.positive(t), m.nearMiss(t))
		}
	}
	return out
}

type maker struct{ *rand.Rand }

func (m maker) pick(from ...string) string { return from[m.IntN(len(from))] }

func (m maker) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "0123456789"[m.IntN(10)]
	}
	return string(b)
}

func (m maker) letters(n int, of string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = of[m.IntN(len(of))]
	}
	return string(b)
}

const (
	lowers = "abcdefghijklmnopqrstuvwxyz"
	mixed  = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
)

// sentences surround a value in free text.
var sentences = [][2]string{
	{"", ""},
	{"please note ", " for the record"},
	{"(", ")"},
	{"value: ", "."},
	{"\"", "\""},
	{"see ", ", then go on"},
	{"id=", ";"},
	{"\n", "\n"},
	{"<b>", "</b>"},
	{"Grüße, ", " – danke"},
	{"{\"note\":\"", "\"}"},
	{"a, b, ", " and c"},
}

// place puts a value in a free text, or encoded in a query.
func (m maker) place(t mask.Type, value string) Text {
	if m.IntN(4) == 0 {
		head, encoded := m.pick("q=", "page=2&q=", "a=b&text=hello%20"), url.QueryEscape(value)
		return Text{mask.Query, head + encoded + m.pick("", "&lang=en"), []Span{{t, len(head), len(head) + len(encoded)}}, ""}
	}
	around := sentences[m.IntN(len(sentences))]
	return inside(t, around[0], value, around[1])
}

func inside(t mask.Type, before, value, after string) Text {
	return Text{mask.FreeText, before + value + after, []Span{{t, len(before), len(before) + len(value)}}, ""}
}

func (m maker) positive(t mask.Type) Text {
	switch t {
	case mask.Card:
		return m.place(t, m.grouped(m.card()))
	case mask.IBAN:
		return m.place(t, m.iban())
	case mask.IP:
		return m.place(t, m.ip())
	case mask.SSN:
		return m.ssn()
	case mask.URLPassword:
		head := m.pick("see ", "", "url=", "\"") + m.pick("https", "ftp", "postgres", "redis", "amqp") + "://" + m.letters(1+m.IntN(8), lowers) + ":"
		return inside(t, head, m.letters(4+m.IntN(16), mixed), "@"+m.host()+m.pick("", "/db", ":5432/x", " ok"))
	case mask.QuerySecret:
		name := m.pick("token", "access_token", "api_key", "apikey", "password", "sig", "session", "X-Amz-Signature", "client_secret", "user[password]")
		head := m.pick("GET /a?", "https://"+m.host()+"/cb?x=1&", "") + name + "="
		return inside(t, head, m.letters(6+m.IntN(30), mixed), m.pick("", "&next=1", " HTTP/1.1", "#top"))
	case mask.Phone:
		return m.phone()
	default:
		return m.place(t, m.email())
	}
}

func (m maker) host() string {
	return m.letters(2+m.IntN(9), lowers) + m.pick("", "-"+m.letters(3, lowers), "."+m.letters(4, lowers)) + "." + m.pick("com", "org", "de", "example", "co.uk", "io", "museum")
}

func (m maker) email() string {
	local := m.letters(1+m.IntN(10), lowers+"ABC") + m.pick("", "."+m.letters(5, lowers), "_x", "-"+m.digits(2), "+"+m.letters(4, lowers), m.digits(3))
	return local + "@" + m.host()
}

// luhnDigit completes digits by adding up the products as the standard says.
func luhnDigit(s string) string {
	for d := range 10 {
		sum := 0
		full := s + fmt.Sprint(d)
		for i := range len(full) {
			n := int(full[len(full)-1-i] - '0')
			if i%2 == 1 {
				n *= 2
			}
			sum += n/10 + n%10
		}
		if sum%10 == 0 {
			return fmt.Sprint(d)
		}
	}
	return ""
}

func (m maker) card() string {
	brand := [...]struct {
		head string
		n    int
	}{{"4", 16}, {"4", 13}, {"51", 16}, {"55", 16}, {"2221", 16}, {"34", 15}, {"37", 15}, {"6011", 16}, {"3530", 16}, {"36", 14}, {"62", 16}, {"6759", 16}}[m.IntN(12)]
	s := brand.head + m.digits(brand.n-1-len(brand.head))
	return s + luhnDigit(s)
}

func (m maker) grouped(s string) string {
	if len(s) != 16 {
		return s
	}
	sep := m.pick("", " ", "-")
	return s[:4] + sep + s[4:8] + sep + s[8:12] + sep + s[12:]
}

// iban makes a number by the remainder over decimal text.
func (m maker) iban() string {
	form := m.pick("DE18d", "FR10d11a2d", "GB4A14d", "NL4A10d", "ES20d", "IT1A10d12a", "CH5d12a", "AT16d", "PL24d", "NO11d", "BE12d", "SE20d", "MT4A5d18a")
	country, bban := form[:2], ""
	for rest := form[2:]; rest != ""; {
		n, i := 0, 0
		for ; rest[i] >= '0' && rest[i] <= '9'; i++ {
			n = n*10 + int(rest[i]-'0')
		}
		switch rest[i] {
		case 'd':
			bban += m.digits(n)
		case 'A':
			bban += m.letters(n, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
		default:
			bban += m.letters(n, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
		}
		rest = rest[i+1:]
	}
	s := country + fmt.Sprintf("%02d", 98-remainder97(bban+country+"00")) + bban
	if sep := m.pick("", "", " ", "-"); sep != "" {
		var groups []string
		for ; len(s) > 4; s = s[4:] {
			groups = append(groups, s[:4])
		}
		s = strings.Join(append(groups, s), sep)
	}
	return s
}

func remainder97(s string) int {
	var decimal strings.Builder
	for _, c := range s {
		if c >= 'A' {
			fmt.Fprint(&decimal, c-'A'+10)
		} else {
			decimal.WriteRune(c)
		}
	}
	r := 0
	for _, c := range decimal.String() {
		r = (r*10 + int(c-'0')) % 97
	}
	return r
}

func (m maker) ip() string {
	if m.IntN(2) == 0 {
		return fmt.Sprintf("%d.%d.%d.%d", 1+m.IntN(223), m.IntN(256), m.IntN(256), 1+m.IntN(254))
	}
	var a [16]byte
	binary.BigEndian.PutUint64(a[:], m.Uint64())
	binary.BigEndian.PutUint64(a[8:], m.Uint64())
	a[0], a[15] = 0x20, a[15]|1
	if m.IntN(2) == 0 {
		clear(a[6:14])
	}
	return netip.AddrFrom16(a).String()
}

func (m maker) ssn() Text {
	area, group, serial := 1+m.IntN(898), 1+m.IntN(99), 1+m.IntN(9999)
	if area == 666 {
		area++
	}
	if m.IntN(4) == 0 {
		return inside(mask.SSN, m.pick("SSN ", "my social security number is ", "ssn: "), fmt.Sprintf("%03d%02d%04d", area, group, serial), m.pick("", ".", " thanks"))
	}
	sep := m.pick("-", "-", "-", " ")
	return m.place(mask.SSN, fmt.Sprintf("%03d%s%02d%s%04d", area, sep, group, sep, serial))
}
