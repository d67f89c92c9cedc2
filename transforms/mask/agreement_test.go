package mask

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"millrace/internal/mutate"

	"github.com/google/go-cmp/cmp"
)

// contest is a scanner and the reference with the same options.
type contest struct {
	name  string
	fast  *Masker
	plain *reference
}

func contests() (out []contest) {
	for _, c := range []struct {
		name string
		o    Options
	}{
		{"all types", Options{}},
		{"no words with digits", Options{Types: allTypes[:IBAN.rank()]}},
		{"all types, networks count, German numbers", Options{Types: AllTypes(), Region: "DE", Methods: map[Type]Method{IP: Tokenise}}},
		{"all types, no context needed", Options{Types: AllTypes(), Assume: AllTypes(), Region: "US"}},
	} {
		m := New("k1", testKey, c.o)
		out = append(out, contest{c.name, m, newReference(m)})
	}
	return out
}

// agree compares the findings in one text, and the decoded text of each.
func (c contest) agree(t *testing.T, in []byte, where Where) {
	t.Helper()
	got, want := c.fast.scan.scan(in, where), c.plain.scan(in, where)
	if len(got) == 0 && len(want) == 0 {
		return
	}
	var g, w []string
	for _, m := range got {
		g = append(g, fmt.Sprintf("%s %d-%d %q", m.Type, m.raw.start, m.raw.end, c.fast.scan.layers[m.deep].text[m.in.start:m.in.end]))
	}
	for _, m := range want {
		w = append(w, fmt.Sprintf("%s %d-%d %q", m.Type, m.raw.start, m.raw.end, c.plain.layers[m.deep].text[m.in.start:m.in.end]))
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Fatalf("%s, %d, %q (-reference +scanner):\n%s", c.name, where, in, diff)
	}
}

func TestTheScannerFindsInRealLogsWhatTheReferenceFinds(t *testing.T) {
	contests := contests()
	lines, fields := append(realLines(t), generatedLines(t, 2000)...), realFields(t)
	if testing.Short() {
		lines, fields = lines[:len(lines)/10], fields[:len(fields)/10]
	}
	for _, c := range contests {
		for _, l := range lines {
			c.agree(t, l, FreeText)
		}
		for _, f := range fields {
			c.agree(t, f.text, f.where)
		}
	}
}

// crumbs are what nearly makes a finding, or makes one of two crumbs.
var crumbs = []string{
	"0", "1", "12", "123", "1234", "12345", "123456", "1234567", "123456789", "1234567890", "2015", "10", "05", "43", "255", "1.2.3.4", "537.36", "32.0.1700.77",
	".", "-", " ", "+", "(", ")", ") ", " (", " - ", ":", "::", "/", "%", "_", "=", "\"", ",", "@", "%20", "%2D", "%3A", "%31", "%2e", "%25",
	"a", "b", "c", "f", "ab", "AB", "x", "ext", "x12", "ab-cd-ef-ab-cd-ef", "00:1a:2b:3c:4d:5e", "001a.2b3c.4d5e", "fe80", "2001:db8", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1",
	"DE89", "DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19", "de", "bc1", "1BoatSLRHtKNngkdXEobR76b53LETtpyT", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
	"tel", "phone", "Phone ", "my Fax", "office", "xphone", "aTel", "home", "call +1 415 555 0132", "415-555-0132", "(415) 555-0132", "+49 30 1234567", "+44 20 7946 0958", "+1",
	"ssn", "078-05-1123", "078 05 1123", "900-70-1234", "nhs 943 476 5919", "12345678Z", "X1234567L", "AB-12-34-56-C", "RSSMRA85T10A562S", "ABCPD1234E", "4111 1111 1111 1111",
	"aba 021000021", "aadhaar 312345678909", "tfn 876 543 210", "medicare 2123 45670 1", "sin 130 692 544", "idnr 86095742719", "pesel 44051401458", "passport", "acct 12345678", "npi 1245319599",
	"bearer ", "BEARER+", "Basic ", "rear ", "music ", "authorization: ", "dXNlcjpwYXNzd29yZA==", "abcdef0123456789", "eyJ", "AKIA", "ASIAIOSFODNN7EXAMPLE", "IA", "J", "B",
	"tok_", "tok_pan_k1_22222222222222222222222222222222", "REDACTED", "https://", "u:p@h.example", "bob@example.com", "version ", "rv:", "v", "Chrome/", "\xc3\xa4", "\xff", "\x80",
}

// crumbled puts some crumbs, pieces and single bytes together, perhaps behind a
// filler that moves them across the ends of blocks.
func crumbled(r *rand.Rand) string {
	var b strings.Builder
	if r.IntN(2) == 0 {
		b.WriteString(strings.Repeat([]string{"/", "x", "7", " ", "-"}[r.IntN(5)], r.IntN(140)))
	}
	for range 1 + r.IntN(12) {
		var p string
		switch r.IntN(8) {
		case 0:
			p = allPieces[r.IntN(len(allPieces))]
		case 1:
			p = string(rune(r.IntN(128)))
		case 2:
			const often = "0123456789abcdef -.+:()/"
			for range 1 + r.IntN(10) {
				p += string(often[r.IntN(len(often))])
			}
		default:
			p = crumbs[r.IntN(len(crumbs))]
		}
		if r.IntN(12) == 0 {
			p = escapeWhere(p, func(int) bool { return r.IntN(3) == 0 })
		}
		b.WriteString(p)
	}
	return b.String()
}

func TestTheScannerFindsInRandomTextsWhatTheReferenceFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	contests := contests()
	n := 60_000
	if testing.Short() {
		n = 6_000
	}
	found := map[Type]int{}
	for range n {
		in, where := []byte(crumbled(r)), everywhere[r.IntN(len(everywhere))]
		c := contests[r.IntN(len(contests))]
		c.agree(t, in, where)
		for _, f := range c.plain.found {
			found[f.Type]++
		}
	}
	for _, typ := range AllTypes() {
		if found[typ] == 0 {
			t.Errorf("no text had a finding of type %s", typ)
		}
	}
}

// FuzzScannerAgreesWithTheReference on any text.
func FuzzScannerAgreesWithTheReference(tf *testing.F) {
	f := mutate.Of(tf)
	for i, p := range crumbs {
		f.Add([]byte(p+crumbs[(i*11+5)%len(crumbs)]), uint8(i))
	}
	for i, p := range allPieces {
		f.Add([]byte(strings.Repeat("-", 58)+p), uint8(i))
	}
	all := contests()
	f.Fuzz(func(t *testing.T, in []byte, how uint8) {
		all[int(how>>4)%len(all)].agree(t, in, everywhere[int(how&15)%len(everywhere)])
	})
}

// What sureIdents says of shapes, all of them obey: a shape that needs no word and
// begins with digits only is one that it lets pass.
func TestShapesWithoutContextPassTheQuickTest(t *testing.T) {
	for _, list := range sureShapes.lists {
		for _, sh := range list {
			text := []byte(strings.NewReplacer("d", "1", "L", "A", "X", "1").Replace(sh.text))
			var s scanner
			s.survey.fill(text)
			s.listWords(&layer{text: text}, 0, len(text))
			if !s.sureIdents() && sh.rule.Type != MBI { // which has letters by its check
				t.Errorf("%s %s is passed over", sh.rule.Type, sh.text)
			}
		}
	}
}
