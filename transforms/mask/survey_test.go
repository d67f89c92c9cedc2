package mask

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// A survey says of every byte what isDigit and isAlnum say, at every place in a
// block, and so do what asks it.
func TestASurveyAgreesWithItsBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	var v survey
	for round := range 3000 {
		text := make([]byte, r.IntN(200))
		for i := range text {
			switch r.IntN(4) {
			case 0:
				text[i] = byte(r.IntN(256))
			case 1:
				text[i] = "/09:@AZ[`az{\x7f\x80\xff\x00 xY"[r.IntN(18)]
			default:
				text[i] = "0a"[round%2]
			}
		}
		v.fill(text)
		for i, c := range text {
			b, bit := v.blocks[i/blockLen], uint64(1)<<(i%blockLen)
			if b.digit&bit != 0 != isDigit(c) || b.colon&bit != 0 != (c == ':') || b.loose&bit != 0 != (c == ' ' || c >= '(' && c <= '9') {
				t.Fatalf("byte %q at %d of %q is taken for another", c, i, text)
			}
		}
		for i := range len(text) + 1 {
			digits, run := i, i
			for digits < len(text) && isDigit(text[digits]) {
				digits++
			}
			for run < len(text) && text[run] != ' ' && text[run] != ':' && (text[run] < '(' || text[run] >= '0') {
				run++
			}
			if got := min(len(text), v.runEnd(i)); v.digitsEnd(i) != digits || got != run {
				t.Fatalf("%q from %d: digits to %d, run to %d; want %d, %d", text, i, v.digitsEnd(i), got, digits, run)
			}
		}
	}
}

func TestASurveySeesEveryAddressWithColons(t *testing.T) {
	var v survey
	for _, s := range []string{"::", "1::", "2001:0db8:1111:2222:3333:4444:5555:6666", "aa:bb:cc:dd:ee:ff", "64:ff9b:0000:0000:0000:0000:1.2.3.4"} {
		for pad := range 130 {
			v.fill(append(bytes.Repeat([]byte(":x-------------------------"), pad/27+1)[:pad], s...))
			if !v.manyColons() {
				t.Errorf("%s behind %d bytes is not seen", s, pad)
			}
		}
	}
	v.fill([]byte(`1.2.3.4 - - [17/May/2015:10:05:43 +0000] "GET http://a:80/ HTTP/1.1" "http://b" (rv:1.9) a:b:c`))
	if v.manyColons() {
		t.Error("a line of a log seems to have an address")
	}
}
