package attribution_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"millrace/internal/mutate"
	"millrace/schemas/pii"
	"millrace/transforms/attribution"
)

// FuzzTouch holds that any request gives a touch that can be stored, the same each
// time.
func FuzzTouch(tf *testing.F) {
	f := mutate.Of(tf)
	for i, r := range rows(f) {
		if i%10 == 0 {
			f.Add([]byte(r.query), []byte(r.referrer), []byte("www.example.org"))
		}
	}
	f.Add([]byte("%=%&amp;=x&utm_id=%f0%9f&%75tm_source=%2525252541"), []byte("HTTPS://[::1"), []byte("[::1]:80"))
	a, again := attributor(f), attributor(f)
	f.Fuzz(func(t *testing.T, query, referrer, host []byte) {
		q := attribution.Request{Query: query, Referrer: referrer, Host: host}
		before := bytes.Join([][]byte{query, referrer, host}, []byte{0})
		got := a.Touch(q)
		if !bytes.Equal(before, bytes.Join([][]byte{query, referrer, host}, []byte{0})) {
			t.Error("the request was changed")
		}
		if got.Kind < attribution.Tagged || got.Kind > attribution.Direct || (got.Kind == attribution.Internal) != (got.Channel == "") {
			t.Errorf("kind %d, channel %q", got.Kind, got.Channel)
		}
		other := again.Touch(q)
		for i, pair := range [][2]pii.Text{
			{got.Source, other.Source},
			{got.Medium, other.Medium},
			{got.Campaign, other.Campaign},
			{got.ID, other.ID},
			{got.Term, other.Term},
			{got.Content, other.Content},
		} {
			b := pii.Reveal(pair[0])
			if !bytes.Equal(b, pii.Reveal(pair[1])) {
				t.Errorf("text %d: %q, then %q", i, b, pii.Reveal(pair[1]))
			}
			if !utf8.Valid(b) || len(b) > 256 || bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("text %d: %q", i, b)
			}
			if i < 2 && (len(b) == 0) != (got.Kind == attribution.Internal) {
				t.Errorf("text %d of a %v touch: %q", i, got.Kind, b)
			}
		}
	})
}

// FuzzParse holds that rules are refused with file and line, or work.
func FuzzParse(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("parameter,utm_source,source\nclick,gclid,google,cpc\nsite,google.*,google,search\n", "utm_source=google", "https://www.google.de/")
	f.Add("app,com.x,x,social\nsource,y,social\nmedium,social,organic\nchannel,S,category=social,medium~o.*\n", "gclid=1", "android-app://com.x")
	f.Add("site,\"a\nb,,\n\ufeff", "", "")
	f.Fuzz(func(t *testing.T, rules, query, referrer string) {
		r, err := attribution.Parse("my.csv", strings.NewReader(rules))
		if err != nil {
			if !strings.Contains(err.Error(), "my.csv:") {
				t.Errorf("%v", err)
			}
			return
		}
		a, err := attribution.New(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Touch(attribution.Request{Query: []byte(query), Referrer: []byte(referrer)}); got.Channel == "" {
			t.Errorf("no channel: %v", got.Kind)
		}
	})
}
