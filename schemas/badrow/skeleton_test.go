package badrow_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"millrace/internal/mutate"
	"millrace/schemas/badrow"
)

func TestSkeleton(t *testing.T) {
	for line, want := range map[string]string{
		``:     ``,
		`a`:    `a`,
		`Ab`:   `a2`,
		`7`:    `9`,
		`a7`:   `x2`,
		"\x00": `x`,
		`203.0.113.7 - jane [17/May/2015:10:05:03 +0200] "GET /a?q=b HTTP/1.1" 200 5 "-" "Mozil`: `999.9.999.9 - a4 [99/a3/9999:99:99:99 +9999] "a3 /a?a=a a4/9.9" 999 9 "-" "a5`,
		`user@example.com`:                  `x12.a3`,
		`4111 1111 1111 1111`:               `9999 9999 9999 9999`,
		"\\x16\\x03 caf\xc3\xa9 \xff\xfe\t": `\x3\x3 x5 x3`,
		`<script>alert('x')</script>`:       `x13(x3)x/x7`,
		strings.Repeat("7", 30):             strings.Repeat("9", 20),
		strings.Repeat("- ", 100):           strings.Repeat("- ", 60),
		strings.Repeat("1234567 ", 100):     strings.Repeat("9999999 ", 15),
		strings.Repeat(".", 119) + "abc":    strings.Repeat(".", 119),
	} {
		if got := badrow.Skeleton([]byte(line)); got != want {
			t.Errorf("Skeleton(%q)\n got %q\nwant %q", line, got, want)
		}
	}
}

func ExampleSkeleton() {
	fmt.Println(badrow.Skeleton([]byte(`203.0.113.7 - jane [17/May/2015:10:05:03 +0200] "GET /reset?token=5f2b9c`)))
	// Output: 999.9.999.9 - a4 [99/a3/9999:99:99:99 +9999] "a3 /a5?a5=x6
}

// FuzzSkeleton: the text cannot be in the skeleton because it does not decide
// it. Any other line of the same classes gives the same skeleton.
func FuzzSkeleton(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(`203.0.113.7 - jane [17/May/2015:10:05:03 +0200] "GET /a HTTP/1.1" 200 5 "-" "Moz`), uint64(1))
	f.Add([]byte("jane@example.com 4111-1111 \x00\xff \xc3\xa9 a1_b2 ==//"), uint64(2))
	f.Fuzz(func(t *testing.T, line []byte, seed uint64) {
		skeleton := badrow.Skeleton(line)
		if len(skeleton) > 120 {
			t.Errorf("%d characters", len(skeleton))
		}
		const kept = " \"[]()-/\\:.,;?&=%+"
		if rest := strings.Trim(strings.Map(func(r rune) rune {
			if strings.ContainsRune(kept, r) {
				return -1
			}
			return r
		}, skeleton), "ax0123456789"); rest != "" {
			t.Errorf("a skeleton holds %q", rest)
		}
		r := rand.New(rand.NewPCG(seed, 0))
		if other := badrow.Skeleton(disguise(r, line)); other != skeleton {
			t.Errorf("the text decides: %q and %q", skeleton, other)
		}
	})
}

// disguise replaces each byte by a random one of its class.
func disguise(r *rand.Rand, line []byte) []byte {
	const (
		kept    = " \"[]()-/\\:.,;?&=%+"
		letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		digits  = "0123456789"
		others  = "\x00\t\n\x7f\x80\xff@_<>{}|#*'!$^`~\xc3\xa9"
	)
	out := make([]byte, len(line))
	for i, c := range line {
		set := others
		switch {
		case strings.IndexByte(kept, c) >= 0:
			set = string([]byte{c})
		case strings.IndexByte(letters, c) >= 0:
			set = letters
		case strings.IndexByte(digits, c) >= 0:
			set = digits
		}
		out[i] = set[r.IntN(len(set))]
	}
	return out
}
