package generate

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// Canaries are values of personal data planted so that a search for one in what a
// job wrote means something: each is unique, and too long to occur by chance. They
// stand where such values do leak into logs: path, query, referrer, user agent, as
// they are, percent-encoded, or encoded twice.

const (
	maxCanaries    = 20_000 // of each type; there are 45,000 addresses to plant
	linesPerCanary = 8      // lines a log must have for each value, so that pages enough come by
)

// canaryTypes are the types, in the order in which they are planted.
var canaryTypes = [...]struct {
	name string
	make func(r *rng, i int) string
}{
	{"email", func(r *rng, _ int) string {
		return firstNames[r.n(16)] + "." + lower(r, 12) + "@" + [...]string{"example.com", "mail.example.org", "example.net"}[r.n(3)]
	}},
	{"card_number", cardNumber},
	{"jwt", func(r *rng, i int) string {
		enc := base64.RawURLEncoding.EncodeToString
		return enc([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
			enc([]byte(`{"sub":"`+lower(r, 16)+`","n":`+strconv.Itoa(i)+`}`)) + "." + alnum(r, 43)
	}},
	{"aws_access_key_id", func(r *rng, _ int) string { return "AKIA" + strings.ToUpper(lower(r, 16)) }},
	{"token", func(r *rng, _ int) string { return alnum(r, 32) }},
	{"url_password", func(r *rng, _ int) string { return "Pw" + alnum(r, 18) }},
	{"user", func(r *rng, i int) string {
		sep := "."
		if i%3 == 0 {
			sep = " "
		}
		return firstNames[r.n(16)] + sep + lastNames[r.n(16)] + "-" + lower(r, 10)
	}},
	{"client_address", func(r *rng, i int) string {
		if i%4 == 3 {
			return "2001:db8:" + hex4(r) + ":" + hex4(r) + ":" + hex4(r) + ":" + hex4(r) + ":" + hex4(r) + ":" + strconv.FormatInt(int64(0x1000+i), 16)
		}
		// All of one length, in the network for benchmarks: none contains another.
		n := i/4*3 + i%4
		return "198." + octets[18+n%2] + "." + octets[100+n/2%150] + "." + octets[100+n/300%150]
	}},
	{"iban", iban},
	{"us_ssn", func(_ *rng, i int) string {
		// Numbers that are given out, each once.
		return strconv.Itoa(700+i%60) + "-" + strconv.Itoa(10+i/60%90) + "-" + strconv.Itoa(1000+i*3571%9000)
	}},
	{"phone", func(_ *rng, i int) string {
		// Of mobile telephones in Germany, the United Kingdom and France.
		return [...]string{"+4915112", "+447400", "+33612"}[i%3] + strconv.Itoa(100_000+i*38_749%900_000)
	}},
	{"ip_in_text", func(r *rng, i int) string {
		if i%4 == 3 {
			return "2001:db8:" + hex4(r) + ":" + hex4(r) + ":" + hex4(r) + ":" + hex4(r) + ":" + hex4(r) + ":" + strconv.FormatInt(int64(0x1000+i), 16)
		}
		return "172." + octets[16+i%16] + "." + octets[100+i/16%150] + "." + octets[100+i/2400%150]
	}},
}

// lower draws n characters of RFC 4648 base32 in small letters.
func lower(r *rng, n int) string { return draw(r, n, "abcdefghijklmnopqrstuvwxyz234567") }

func alnum(r *rng, n int) string {
	return draw(r, n, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
}

func draw(r *rng, n int, from string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = from[r.n(len(from))]
	}
	return string(b)
}

func hex4(r *rng) string { return strconv.FormatInt(int64(r.between(0x1000, 0xffff)), 16) }

// cardNumber has a prefix that is issued and a valid check digit.
func cardNumber(r *rng, i int) string {
	prefix := [...]string{"453201", "516732", "222740", "377400", "601198"}[i%5]
	digits := 16
	if prefix[0] == '3' {
		digits = 15
	}
	// i, scrambled by a factor prime to ten, so that no two numbers are equal.
	middle := strconv.FormatUint(100_000_000+uint64(i)*38_742_049%100_000_000, 10)[1:]
	if digits == 16 {
		middle += strconv.Itoa(r.n(10))
	}
	number := prefix + middle
	sum := 0
	for k := range len(number) {
		d := int(number[len(number)-1-k] - '0')
		if k%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return number + strconv.Itoa((10-sum%10)%10)
}

// iban is an account in Germany or the United Kingdom with valid check digits.
func iban(r *rng, i int) string {
	country, bank, digits := "DE", "", 18
	if i%2 == 1 {
		country, bank, digits = "GB", "NWBK", 14
	}
	account := bank + draw(r, digits, "0123456789")
	sum := 0 // ISO 7064 mod 97-10
	for _, c := range []byte(account + country + "00") {
		if c >= 'A' {
			sum = (sum*100 + int(c-'A') + 10) % 97
		} else {
			sum = (sum*10 + int(c-'0')) % 97
		}
	}
	return country + strconv.Itoa(198 - sum)[1:] + account
}

// canaries plants each value once, evenly over the log.
type canaries struct {
	seed           uint64
	each           int // of each type
	total, planted int
	every          float64 // lines from one to the next
}

func newCanaries(cfg *WeblogConfig) canaries {
	c := canaries{seed: mix(cfg.Seed ^ 0xca9a47), each: cfg.Canaries, total: cfg.Canaries * len(canaryTypes)}
	if c.total > 0 {
		c.every = cfg.lines() * 0.9 / float64(c.total)
	}
	return c
}

func (c *canaries) left() int { return c.total - c.planted }

func (c *canaries) due(written int64) bool {
	return c.planted < c.total && float64(written) >= float64(c.planted)*c.every
}

// value makes the i-th value of a type again.
func (c *canaries) value(kind, i int) string {
	r := newRNG(c.seed, uint64(kind)<<32|uint64(i))
	return canaryTypes[kind].make(&r, i)
}

// Canary is a planted value in its plain form.
type Canary struct{ Type, Value string }

// Canaries lists the values planted so far, by type.
func (f *Farm) Canaries(yield func(Canary) bool) {
	kinds := len(canaryTypes)
	for kind := range kinds {
		for i := range (f.canaries.planted + kinds - 1 - kind) / kinds {
			if !yield(Canary{canaryTypes[kind].name, f.canaries.value(kind, i)}) {
				return
			}
		}
	}
}
