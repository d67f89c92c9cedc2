package mask

import (
	"math/rand/v2"
	"strings"
	"testing"

	"millrace/schemas/pii"
)

// withCheckDigit completes a number to one that passes Luhn, by trying.
func withCheckDigit(head string) string {
	for d := byte('0'); d <= '9'; d++ {
		if n := append([]byte(head), d); slowLuhn(string(n)) {
			return string(n)
		}
	}
	panic("no check digit")
}

// slowLuhn follows the text of the standard: double every second digit from
// the right, add up all digits of the products.
func slowLuhn(s string) bool {
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}

func TestLuhnAgreesWithItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		b := make([]byte, 1+r.IntN(24))
		for i := range b {
			b[i] = '0' + byte(r.IntN(10))
		}
		if got, want := Luhn(b), slowLuhn(string(b)); got != want {
			t.Fatalf("Luhn(%s) = %v", b, got)
		}
	}
	for _, s := range []string{"", "411111111111111a", "4111 1111 1111 1111", "-"} {
		if Luhn([]byte(s)) {
			t.Errorf("Luhn(%q) is true", s)
		}
	}
}

func TestIsPANKnowsIssuersAndTheirLengths(t *testing.T) {
	for _, head := range []string{
		"4", "51", "55", "222100", "272099", "34", "37", "300", "305", "3095", "36", "38", "39", "3528", "3589", "6011", "622126", "644", "65",
		"81", "2200", "2204", "9792", "50", "56", "58", "6304", "6759", "1800", "2131",
	} {
		found := false
		for n := minPAN; n <= maxPAN; n++ {
			pan := withCheckDigit(head + strings.Repeat("7", n-1-len(head)))
			if IsPAN([]byte(pan)) {
				found = true
				wrong := []byte(pan)
				wrong[n-1] = '0' + (wrong[n-1]-'0'+1)%10
				if IsPAN(wrong) {
					t.Errorf("%s passes with a wrong check digit", wrong)
				}
			}
		}
		if !found {
			t.Errorf("no number that begins with %s is a card's", head)
		}
	}
	for _, s := range []string{
		"", "0", "00000000000", "000000000000", "0000000000000000", "0000000000000000000", withCheckDigit("41111111111"), withCheckDigit("4111111111111"),
		withCheckDigit("411111111111111111111"), withCheckDigit("111111111111111"), withCheckDigit("222099111111111"), withCheckDigit("272100111111111"),
		withCheckDigit("5111111111111"), withCheckDigit("139258267897"), withCheckDigit("171620160000000000"), withCheckDigit("978030640615"),
	} {
		if IsPAN([]byte(s)) {
			t.Errorf("%s is a card's", s)
		}
	}
}

func TestCardsAreFoundAtEveryOffsetAndLength(t *testing.T) {
	m := testMasker()
	for n := minPAN; n <= maxPAN; n++ {
		pan := withCheckDigit("50" + strings.Repeat("3", n-3))
		for pad := range 40 {
			for _, fill := range []string{"/", "x/"} {
				in := strings.Repeat(fill, pad) + pan + strings.Repeat("/", pad%7)
				got := m.Find(pii.Of([]byte(in)), Path)
				want := Finding{Type: Card, Start: len(fill) * pad, End: len(fill)*pad + n}
				if len(got) != 1 || got[0] != want {
					t.Fatalf("%q: found %v, want %v", in, got, want)
				}
			}
		}
	}
}

func TestCardsInARowAreToldApart(t *testing.T) {
	in := "4012888888881881 4012-8888-8888-1881 4012 8888 8888 1881"
	got := m3(testMasker().Find(pii.Of([]byte(in)), FreeText))
	if want := "0-16 17-36 37-56"; got != want {
		t.Errorf("found %s, want %s", got, want)
	}
}
