package clickevents

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"millrace/internal/generate"
	"millrace/internal/mutate"
)

// compare reads a line by the scanner and by package json. It tells whether the scanner
// took it; then both must have read the same.
func compare(t *testing.T, s *scanner, b []byte) (taken bool) {
	t.Helper()
	var got, want line
	if !s.scan(b, &got) {
		return false
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatalf("%q is taken, and json refuses it: %v", b, err)
	}
	if len(got.Items) == 0 && len(want.Items) == 0 {
		got.Items, want.Items = nil, nil
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(line{})); diff != "" {
		t.Fatalf("%q (-json +scanner):\n%s", b, diff)
	}
	return true
}

func TestLinesOfAShopAreScanned(t *testing.T) {
	var s scanner
	for line := range generate.NewShop(generate.ClickConfig{Seed: 3, Events: 3_000}).Lines {
		if !compare(t, &s, bytes.TrimSuffix(line, []byte("\n"))) {
			t.Errorf("%s is left to json", line)
		}
	}
}

func TestWhatIsNewIsScannedOver(t *testing.T) {
	var s scanner
	for _, line := range []string{
		` { "v" : 1 , "added" : { "a" : [ 1 , { "b" : null } , [ ] , -0.5e+7 ] , "c" : "d" } , "name":"search" } `,
		`{"more":true,"name":null,"device":null,"items":null,"consent":{"ads":null,"analytics":false},"page":{"title":"é"}}`,
		`{"items":[null,{"quantity":null,"price":null},{"item_id":"1","size":[],"price":"1.5","quantity":-3}]}`, `{}`,
	} {
		if !compare(t, &s, []byte(line)) {
			t.Errorf("%s is left to json", line)
		}
	}
}

func TestWhatIsWrongIsLeftToJSON(t *testing.T) {
	var s scanner
	for _, line := range []string{
		``, `{`, `{"v"`, `{"v":1`, `{"v":1}}`, `{"v":1,}`, `{,"v":1}`, `{"v":01}`, `{"v":1.}`, `{"v":+1}`, `{"v":1e}`, `{"v":-}`, `{"v":nul}`, `[]`, `"x"`,
		`{"v":1,"v":1}`, `{"x":1,"x":1}`, `{"x":{"y":1,"y":2}}`, `{"page":{"z":1,"z":2}}`, `{"page":[]}`, `{"client_id":7}`, `{"ip":"a` + "\x01" + `"}`, "{\"ip\":\"\xff\"}",
		`{"items":{}}`, `{"items":[{"item_id":"1"},]}`, `{"items":[{"quantity":1.5}]}`, `{"items":[{"quantity":99999999999999999999}]}`, `{"a\u0062":1}`, `{"ip":"\u0041"}`,
		`{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, strings.Repeat(`{"x":`, 40) + "1" + strings.Repeat("}", 40), `{"consent":{"ads":1}}`, "{\"v\":1}\x00", `{"x":"` + "\xc3" + `"}`,
	} {
		if compare(t, &s, []byte(line)) {
			t.Errorf("%s is taken", line)
		}
	}
}

// TestMutationsAreReadAlike changes bytes of good lines.
func TestMutationsAreReadAlike(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	var lines [][]byte
	for line := range generate.NewShop(generate.ClickConfig{Seed: 4, Events: 300}).Lines {
		lines = append(lines, bytes.Clone(line))
	}
	const alphabet = "{}[]\":,0129.-eEtfn \\u/\x00\x1f\x7f\xc3\xa9\xff"
	var s scanner
	taken := 0
	for range 60_000 {
		b := bytes.Clone(lines[rng.IntN(len(lines))])
		for range 1 + rng.IntN(3) {
			switch at := rng.IntN(len(b)); rng.IntN(4) {
			case 0:
				b[at] = alphabet[rng.IntN(len(alphabet))]
			case 1:
				b = append(b[:at], b[at+1:]...)
			case 2: // a piece of another line
				other := lines[rng.IntN(len(lines))]
				from := rng.IntN(len(other))
				b = append(append(bytes.Clone(b[:at]), other[from:min(len(other), from+rng.IntN(60))]...), b[at:]...)
			default:
				b = append(append(bytes.Clone(b[:at]), alphabet[rng.IntN(len(alphabet))]), b[at:]...)
			}
			if len(b) == 0 {
				b = []byte("x")
			}
		}
		if compare(t, &s, b) {
			taken++
		}
	}
	if taken < 5_000 {
		t.Errorf("%d lines were taken: too few to say anything", taken)
	}
}

// FuzzScan: a line that the scanner takes, package json reads in the same way.
func FuzzScan(tf *testing.F) {
	f := mutate.Of(tf)
	for line := range generate.NewShop(generate.ClickConfig{Seed: 1, Events: 100}).Lines {
		f.Add(bytes.Clone(line))
	}
	f.Add([]byte(`{"v":1,"x":{"y":[1,"z",{"w":null}]},"items":[{"item_id":"1","quantity":2}]}`))
	f.Add([]byte(`{"v":1,"x":"\u00e9","x":2}`))
	var s scanner
	f.Fuzz(func(t *testing.T, b []byte) { compare(t, &s, b) })
}

func TestLocationsAreTakenApartOnce(t *testing.T) {
	var p pages
	text := []byte("https://shop.example:8080/a%20b?x=1#y")
	want := page{"shop.example", "/a%20b", "x=1", true}
	for range 2 {
		if got := p.of(view(text)); got != want {
			t.Errorf("%+v", got)
		}
	}
	copy(text, strings.Repeat("z", len(text))) // the line's memory is used again
	if got := p.of("https://shop.example:8080/a%20b?x=1#y"); got != want {
		t.Errorf("after the line went: %+v", got)
	}
	if p.of("://").ok || p.of("https://shop.example").path != "/" {
		t.Error("what is no URL, or has no path")
	}
	for i := range maxPages + 10 {
		p.of(fmt.Sprint("/", i))
	}
	if len(p.known) > maxPages {
		t.Errorf("%d are remembered", len(p.known))
	}
}

// TestItemsAreReadAsJSONReadsThem writes items and reads them both ways.
func TestItemsAreReadAsJSONReadsThem(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	word := func() string { return []string{"", "a", `q"x`, "é", "\n", "thing 7", "\u2028"}[rng.IntN(7)] }
	taken := 0
	for range 5_000 {
		items := make([]Item, 1+rng.IntN(4))
		for i := range items {
			items[i] = Item{ID: word() + "1", Name: word(), Category: word(), Brand: word(), Variant: word(), Quantity: rng.Int64N(maxCount), Price: Amount{rng.Int64N(maxAmount) - maxAmount/2, rng.IntN(3) > 0}}
		}
		column := appendItems(nil, items, func(s string) []byte { return []byte(s) }, rng.IntN(2) == 0)
		if rng.IntN(3) == 0 {
			column[rng.IntN(len(column))] = `{}[]",:0a`[rng.IntN(9)]
		}
		got, ok := scanItems(column, nil)
		if !ok {
			continue
		}
		taken++
		var want []ItemOf
		if err := json.Unmarshal(column, &want); err != nil {
			t.Fatalf("%s is taken, and json refuses it: %v", column, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-json +scanner):\n%s", column, diff)
		}
	}
	if taken < 500 {
		t.Errorf("%d were taken", taken)
	}
}
