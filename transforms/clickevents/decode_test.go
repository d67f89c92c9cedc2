package clickevents_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"millrace/internal/mutate"
	"millrace/schemas/badrow"
	"millrace/transforms/clickevents"
)

const ten = 1772359200000 // 2026-03-01T10:00:00Z

func decode(t *testing.T, line string) (clickevents.Event, badrow.Reason) {
	t.Helper()
	var e clickevents.Event
	skip, reason := clickevents.NewDecoder(clickevents.Options{}).Decode([]byte(line), &e)
	if skip {
		t.Fatalf("%s is skipped", line)
	}
	return e, reason
}

const whole = `{"v":1,"event_id":"7f3c","name":"add_to_cart","time":"2026-03-01T10:00:00.250Z","sent_at":"2026-03-01T10:00:02Z","received_at":"2026-03-01T10:05:02.100Z",
"client_id":"b1946ac9","user_id":"u-17","platform":"web","ip":"::ffff:203.0.113.9","device":{"category":"mobile","os":"Android","browser":"Chrome","language":"de-DE","memory":8},
"consent":{"analytics":true,"ads":false},"page":{"location":"https://shop.example/p/42?utm_source=news","referrer":"https://www.example.org/"},
"currency":"EUR","value":19.9,"items":[{"item_id":"42","item_name":"Cup","price":9.95,"quantity":2,"margin":{"a":[1]}}],"added":{"later":null}}`

func TestAWholeEventIsReadAndWhatIsNewIsPassedOver(t *testing.T) {
	got, reason := decode(t, whole)
	want := clickevents.Event{
		Time: ten + 300_350, DeviceTime: ten + 250, Received: ten + 302_100, Version: 1, Name: "add_to_cart", EventID: "7f3c",
		ClientID: "b1946ac9", UserID: "u-17", Platform: "web", Device: "mobile", OS: "Android", Browser: "Chrome", Language: "de-DE",
		Host: "shop.example", Path: "/p/42", Query: "utm_source=news", Referrer: "https://www.example.org/", Analytics: true, Currency: "EUR",
		Value: clickevents.Amount{Minor: 1990, Known: true},
		Items: []clickevents.Item{{ID: "42", Name: "Cup", Price: clickevents.Amount{Minor: 995, Known: true}, Quantity: 2}},
	}
	if reason != badrow.None || got.Addr.String() != "203.0.113.9" {
		t.Errorf("reason %q, address %v", reason, got.Addr)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(clickevents.Event{}, "Addr")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAByteOrderMarkIsNoPartOfAnEvent: some programs begin a file with one.
func TestAByteOrderMarkIsNoPartOfAnEvent(t *testing.T) {
	const mark = "\xef\xbb\xbf"
	want, _ := decode(t, whole)
	got, reason := decode(t, mark+whole)
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" || reason != badrow.None {
		t.Errorf("reason %q (-want +got):\n%s", reason, diff)
	}
	line := strings.ReplaceAll(whole, "\n", "")
	if ms, ok := clickevents.EventTime([]byte(mark + line)); !ok || ms != want.Time {
		t.Errorf("event time %d, %t", ms, ok)
	}
	if format, near := clickevents.Detect([]byte(mark + line + "\n")); format != clickevents.Format || near != want.Time {
		t.Errorf("detected %q near %d", format, near)
	}
}

func TestWithoutConsentNothingTellsOfAPerson(t *testing.T) {
	got, reason := decode(t, strings.Replace(whole, `"analytics":true`, `"analytics":false`, 1))
	got.Items = nil
	want := clickevents.Event{
		Time: ten + 300_350, DeviceTime: ten + 250, Received: ten + 302_100, Version: 1, Name: "add_to_cart", EventID: "7f3c",
		Platform: "web", Currency: "EUR", Value: clickevents.Amount{Minor: 1990, Known: true},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(clickevents.Event{}, "Addr")); diff != "" || reason != badrow.None || got.Addr.IsValid() {
		t.Errorf("reason %q, address %v (-want +got):\n%s", reason, got.Addr, diff)
	}
}

// event is an event with some members in place of others.
func event(members string) string {
	return `{"v":1,"name":"view_item","time":` + fmt.Sprint(ten) + `,` + members + `}`
}

func TestBadEventsSayWhy(t *testing.T) {
	base := `{"v":1,"name":"view_item","time":1772359200000`
	for line, want := range map[string]badrow.Reason{
		base + `}`: badrow.None,
		base:       badrow.Truncated, `{`: badrow.Truncated, `[]`: badrow.Format, `"x"`: badrow.Format, base + `}}`: badrow.Format, base + `,"name":"x"}`: badrow.Format,
		base + `,"items":{}}`: badrow.Format, base + `,"client_id":7}`: badrow.Format,
		strings.Replace(base, `:1,`, `:3,`, 1) + `}`:                                            badrow.Version,
		strings.Replace(base, `"v":1,`, ``, 1) + `}`:                                            badrow.Version,
		strings.Replace(base, `view_item`, `buy`, 1) + `}`:                                      badrow.Name,
		strings.Replace(base, `1772359200000`, `"now"`, 1) + `}`:                                badrow.Timestamp,
		strings.Replace(base, `1772359200000`, `17`, 1) + `}`:                                   badrow.TimeBounds,
		base + `,"sent_at":"x"}`:                                                                badrow.Timestamp,
		event(`"value":1`):                                                                      badrow.Currency,
		event(`"value":1,"currency":"EURO"`):                                                    badrow.Currency,
		event(`"currency":"XXX"`):                                                               badrow.Currency,
		event(`"value":1.999,"currency":"EUR"`):                                                 badrow.Number,
		event(`"value":1e3,"currency":"EUR"`):                                                   badrow.Number,
		event(`"value":"x","currency":"EUR"`):                                                   badrow.Number,
		event(`"items":[{"item_id":"1","quantity":-1}]`):                                        badrow.Number,
		event(`"currency":"EUR","items":[{"item_id":"1","quantity":1000000,"price":99999999}]`): badrow.Number,
		event(`"items":[{"item_name":"no id"}]`):                                                badrow.Format,
		event(`"items":[` + strings.Repeat(`{"item_id":"1"},`, 200) + `{"item_id":"1"}]`):       badrow.Limit,
		event(`"event_id":"` + strings.Repeat("x", 257) + `"`):                                  badrow.Limit,
		strings.Replace(base, `view_item`, `purchase`, 1) + `}`:                                 badrow.Number,
	} {
		if _, reason := decode(t, line); reason != want {
			t.Errorf("%.200s: %q, want %q", line, reason, want)
		}
	}
}

func TestAmountsAreExact(t *testing.T) {
	for _, c := range []struct {
		version         int
		currency, value string
		want            int64
	}{
		{1, "EUR", "0.1", 10},
		{1, "EUR", "19.90", 1990},
		{1, "EUR", "19.9000", 1990},
		{1, "EUR", "7", 700},
		{1, "EUR", "-1.05", -105},
		{1, "EUR", `"1234.56"`, 123456},
		{1, "JPY", "500", 500},
		{1, "JPY", "500.0", 500},
		{1, "KWD", "1.234", 1234},
		{2, "EUR", "1990", 1990},
		{2, "KWD", "-5", -5},
		{1, "EUR", "0.0", 0},
	} {
		e, reason := decode(t, fmt.Sprintf(`{"v":%d,"name":"refund","time":%d,"currency":%q,"value":%s}`, c.version, int64(ten), c.currency, c.value))
		if reason != badrow.None || e.Value.Minor != c.want {
			t.Errorf("%s %s in form %d: %d (%q), want %d", c.value, c.currency, c.version, e.Value.Minor, reason, c.want)
		}
	}
}

func TestADevicesClockIsCorrectedByWhenItSent(t *testing.T) {
	for _, c := range []struct {
		members string
		want    int64
	}{
		{`"x":1`, ten},
		{`"sent_at":1772359201000`, ten},
		{`"received_at":1772359201000`, ten},
		{`"sent_at":1772359201000,"received_at":1772359201000`, ten},          // the clock is right
		{`"sent_at":1772359201000,"received_at":1772362801000`, ten + 3600e3}, // an hour behind
		{`"sent_at":1772359201000,"received_at":1772355601000`, ten - 3600e3}, // an hour ahead
		{`"sent_at":1772359199999,"received_at":1772362801000`, ten},          // sent before it happened
		{`"sent_at":null,"received_at":"2026-03-01T10:00:00+01:00"`, ten},
	} {
		e, reason := decode(t, event(c.members))
		if reason != badrow.None || e.Time != c.want {
			t.Errorf("%s: %v (%q), want %v", c.members, time.UnixMilli(e.Time), reason, time.UnixMilli(c.want))
		}
		if ms, ok := clickevents.EventTime([]byte(event(c.members))); !ok || ms != c.want {
			t.Errorf("EventTime of %s: %d, %v", c.members, ms, ok)
		}
	}
}

// FuzzDecode: nothing panics, amounts stay in bounds, and EventTime agrees.
func FuzzDecode(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(whole))
	f.Add([]byte(event(`"value":"1.5","currency":"EUR","items":[{"item_id":"1","price":0.5}]`)))
	f.Add([]byte(`{"v":2,"name":"purchase","time":"2026-03-01T10:00:00Z","value":5,"currency":"JPY"}`))
	d := clickevents.NewDecoder(clickevents.Options{Analytics: true})
	f.Fuzz(func(t *testing.T, line []byte) {
		var e clickevents.Event
		skip, reason := d.Decode(line, &e)
		if skip || reason != badrow.None {
			return
		}
		if ms, ok := clickevents.EventTime(line); !ok || ms != e.Time {
			t.Errorf("EventTime is %d (%v), the event's %d", ms, ok, e.Time)
		}
		if e.Value.Minor > 1<<42 || e.Value.Minor < -1<<42 || len(e.Items) > clickevents.MaxItems {
			t.Errorf("out of bounds: %+v", e)
		}
	})
}
