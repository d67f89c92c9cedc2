package mask

import (
	"net/url"
	"strings"
	"testing"

	"millrace/internal/mutate"
)

// FuzzMaskKeepsItsPromises holds any text against the invariants.
func FuzzMaskKeepsItsPromises(tf *testing.F) {
	f := mutate.Of(tf)
	for i, p := range pieces {
		f.Add([]byte(p+pieces[(i*7+3)%len(pieces)]), uint8(i))
	}
	f.Fuzz(func(t *testing.T, in []byte, where uint8) {
		checkInvariants(t, testFuzzMasker, in, everywhere[int(where)%len(everywhere)])
	})
}

var testFuzzMasker = testMasker()

// planted are values of both kinds, cards of several networks and lengths.
var planted = []string{
	"carol.smith@mail.example.org", "o'neil+x@sub.example.co.uk", "x_1@a-b.example", "4111111111111111", "5555 5555 5555 4444",
	"3782-822463-10005", "6011000400000000", "30569309025904", "6759649826438453", "2223003122003222",
}

// FuzzPlantedValuesVanish plants an address or a card number, in some encoding,
// between any texts: it can no longer be read in the output, decoded or not.
func FuzzPlantedValuesVanish(tf *testing.F) {
	f := mutate.Of(tf)
	for i := range uint64(12) {
		f.Add("http://h.example/a?x=%3F", "&y=1", i*0x9e3779b97f4a7c15, uint8(i), uint8(i), uint8(i))
		f.Add("", "%20", i*0x9e3779b97f4a7c15, uint8(i), uint8(i+1), uint8(i))
	}
	f.Fuzz(func(t *testing.T, before, after string, bits uint64, which, encoding, where uint8) {
		value := planted[int(which)%len(planted)]
		if !strings.Contains(value, "@") && (joinsNumber(before, true) || joinsNumber(after, false)) {
			t.Skip("the number is part of a longer word or number")
		}
		in := before + encodeBy(value, encoding, bits) + after
		out := masked(testFuzzMasker, in, everywhere[int(where)%len(everywhere)])
		if survives(out, value) && !survives(before+"\x00"+after, value) {
			t.Errorf("%q stays in %q, masked from %q", value, out, in)
		}
	})
}

// encodeBy encodes in one of several ways; bits choose the bytes to escape.
func encodeBy(s string, how uint8, bits uint64) string {
	chosen := func(i int) bool { return bits>>(i%64)&1 == 1 }
	switch how % 6 {
	case 0:
		return s
	case 1:
		return url.QueryEscape(s)
	case 2:
		return url.QueryEscape(url.QueryEscape(s))
	case 3:
		return escapeWhere(s, chosen)
	case 4:
		return strings.ToLower(escapeWhere(s, chosen))
	}
	return url.QueryEscape(escapeWhere(s, chosen))
}

// joinsNumber tells whether a text, in some decoding, goes on as a word or a
// number where a card number is put next to it.
func joinsNumber(s string, atEnd bool) bool {
	for range 4 {
		if s != "" {
			c := s[0]
			if atEnd {
				c = s[len(s)-1]
			}
			if isAlnum(c) {
				return true
			}
		}
		s = percentDecode(s)
	}
	return false
}

var fuzzAll = New("k1", testKey, Options{Types: AllTypes(), Region: "US"})

// FuzzAllTypesKeepThePromises holds any text against the invariants, searched
// for everything.
func FuzzAllTypesKeepThePromises(tf *testing.F) {
	f := mutate.Of(tf)
	for i, p := range allPieces {
		f.Add([]byte(p+allPieces[(i*7+3)%len(allPieces)]), uint8(i))
	}
	f.Fuzz(func(t *testing.T, in []byte, where uint8) {
		checkInvariants(t, fuzzAll, in, everywhere[int(where)%len(everywhere)])
	})
}
