package accesslog_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/pii"
	"millrace/schemas/record"
	"millrace/transforms/accesslog"
	"millrace/transforms/attribution"
	"millrace/transforms/mask"
	"millrace/transforms/sessions"
)

func attributor(t testing.TB, own ...string) *attribution.Attributor {
	t.Helper()
	a, err := attribution.New(attribution.Default(), own)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// touchesOf are the touches of lines, as one worker tells them: texts, joined, and whether it
// is direct.
func touchesOf(t *testing.T, format string, lines ...string) []string {
	t.Helper()
	w, _ := worker(accesslog.Config{Attribution: attributor(t, "shop.example")})
	got := make([]string, len(lines)) // by position
	w.Visit = func(e *accesslog.Event) {
		got[e.Position] = strings.Join(sessions.Touch(e.Touch).Texts(), "|")
		if e.Direct {
			got[e.Position] += " direct"
		}
	}
	for i, l := range lines {
		b := &record.Block{Source: source, Name: "test.log", Format: format, Base: int64(i), Data: []byte(l + "\n")}
		if _, err := w.Lines(b); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

func from(day int, target, referrer, agent string) string {
	return strings.Replace(line(day, target, agent), `"-"`, `"`+referrer+`"`, 1)
}

func TestRequestsTellWhereTheyComeFrom(t *testing.T) {
	const email = "utm_source=News&utm_medium=email&utm_campaign="
	var lines, want []string
	for _, c := range []struct{ target, referrer, want string }{
		{"/", "-", "(direct)|(none)||Direct direct"},
		{"/?page=2", "-", "(direct)|(none)||Direct direct"},
		{"/", "https://www.google.com/", "google|organic||Organic Search"},
		{"/?page=2", "https://www.google.com/", "google|organic||Organic Search"},
		{"/?" + email + "spring", "https://www.google.com/", "news|email|spring|Email"},
		{"/?gclid=123", "https://www.google.com/", "google|cpc||Paid Search"},
		{"/", "https://shop.example/cart", ""},
		{"/?" + email + "spring", "https://shop.example/cart", "news|email|spring|Email"},
		{"/", "https://www.shop.example/", ""},
		{"/logo.png", "https://forum.example/", ""},
		{"/style.css", "-", ""},
		{"/", "https://forum.example/thread", "forum.example|referral||Referral"},
		{"/", "https://www.google.com/", "google|organic||Organic Search"},
		{"/", "-", "(direct)|(none)||Direct direct"},
	} {
		lines, want = append(lines, from(1, c.target, c.referrer, "Firefox")), append(want, c.want)
	}
	if diff := cmp.Diff(want, touchesOf(t, "combined", lines...)); diff != "" {
		t.Errorf("touches (-want +got):\n%s", diff)
	}
}

// TestTheHostOfARequestIsItsOwn although one referrer reaches several.
func TestTheHostOfARequestIsItsOwn(t *testing.T) {
	a, b := "a.example:80 "+from(1, "/", "https://a.example/", "Firefox"), "b.example:80 "+from(1, "/", "https://a.example/", "Firefox")
	want := []string{"", "a.example|referral||Referral", "", "a.example|referral||Referral"}
	if diff := cmp.Diff(want, touchesOf(t, "vhost_combined", a, b, a, b)); diff != "" {
		t.Errorf("touches (-want +got):\n%s", diff)
	}
}

func TestTouchesAreMasked(t *testing.T) {
	m := mask.New("k1", [32]byte{1}, mask.Options{})
	got := touchesOf(t, "combined",
		from(1, "/?utm_source=ann%40example.com&utm_medium=4111111111111111&utm_campaign=to%2520ann%2540example.com", "-", "Firefox"))[0]
	if strings.Contains(got, "ann@") || strings.Contains(got, "4111111111111111") || strings.Count(got, "tok_") != 3 {
		t.Errorf("the touch is %q", got)
	}
	if found := m.Find(pii.Of([]byte(got)), mask.FreeText); len(found) > 0 {
		t.Errorf("the touch %q still has %v", got, found)
	}
}

// TestTheOrderOfRequestsDoesNotChangeWhereTheyComeFrom: caches are never seen.
func TestTheOrderOfRequestsDoesNotChangeWhereTheyComeFrom(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	queries := []string{"", "?a=1", "?utm_source=x", "?utm_source=X&utm_medium=cpc", "?utm_campaign=a", "?gclid=1", "?utm_source=", "?amp;utm_source=x&msclkid=2"}
	referrers := []string{"-", "https://www.google.com/", "https://a.example/", "https://b.example/x?utm_source=no", "android-app://com.reddit.frontpage/", "nonsense", "https://shop.example/"}
	var lines []string
	for range 200 {
		lines = append(lines, fmt.Sprintf("%c.example:80 %s", "ab"[r.IntN(2)], from(1, "/"+queries[r.IntN(len(queries))], referrers[r.IntN(len(referrers))], "Firefox")))
	}
	together := touchesOf(t, "vhost_combined", lines...)
	for i, l := range lines {
		if alone := touchesOf(t, "vhost_combined", l)[0]; alone != together[i] {
			t.Fatalf("%s: alone %q, among others %q", l, alone, together[i])
		}
	}
	if kinds := slices.Compact(slices.Sorted(slices.Values(together))); len(kinds) < 10 {
		t.Errorf("only %d touches: %q", len(kinds), kinds)
	}
}
