package clickevents_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/clickstream"
	"millrace/schemas/record"
	"millrace/transforms/attribution"
	"millrace/transforms/clickevents"
	"millrace/transforms/intake"
	"millrace/transforms/mask"
)

func rows(t *testing.T, lines ...string) []clickstream.Event {
	t.Helper()
	from, err := attribution.New(attribution.Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := clickevents.NewRows(clickevents.Options{}, mask.New("k1", [32]byte{1}, mask.Options{}), nil, from)
	n := intake.New(intake.Config{}, r)
	b := record.Block{Source: strings.Repeat("0", 32), Data: []byte(strings.Join(lines, "\n"))}
	if err := n.Block(&b); err != nil {
		t.Fatal(err)
	}
	batch := r.Take()
	if err := batch.Check(); err != nil {
		t.Fatal(err)
	}
	out := make([]clickstream.Event, batch.Len())
	for i := range out {
		batch.Row(i, &out[i])
	}
	return out
}

func text(s *string) string {
	if s == nil {
		return "none"
	}
	return *s
}

const personal = `{"v":1,"event_id":"e1","name":"purchase","time":1772359200000,"received_at":1772359200500,"client_id":"c1","user_id":"ann@example.com","ip":"203.0.113.9",` +
	`"consent":{"analytics":true,"ads":true},"page":{"location":"https://shop.example/thanks/ann@example.com?utm_source=News&utm_medium=email&utm_campaign=ann@example.com&email=ann@example.com","referrer":"https://mail.example/?to=ann@example.com"},` +
	`"search_term":"ann@example.com","transaction_id":"T-1","currency":"EUR","value":5,"items":[{"item_id":"42","item_name":"gift for ann@example.com","price":2.5,"quantity":2}]}`

func TestNothingPersonalIsLeft(t *testing.T) {
	events := rows(t, personal, strings.ReplaceAll(personal, `"ads":true`, `"ads":false`), strings.ReplaceAll(personal, `"analytics":true`, `"analytics":false`))
	for _, e := range events {
		for _, s := range []*string{e.VisitorID, e.UserID, e.PagePath, e.PageQuery, e.Referrer, e.SearchTerm, e.Campaign, e.Items, e.ClientEventID, e.TransactionID} {
			if strings.Contains(text(s), "ann") || strings.Contains(text(s), "T-1") {
				t.Errorf("left: %s", *s)
			}
		}
	}
	whole, ads, none := events[0], events[1], events[2]
	if text(whole.ClientIP) != "203.0.113.0" || text(whole.Source) != "news" || text(whole.Channel) != "Email" || *whole.ArrivalTime != 1772359200500 {
		t.Errorf("%s %s %s %d", text(whole.ClientIP), text(whole.Source), text(whole.Channel), *whole.ArrivalTime)
	}
	items, err := clickevents.ParseItems([]byte(*whole.Items), nil)
	price := int64(250)
	if diff := cmp.Diff([]clickevents.ItemOf{{ID: "42", Price: &price, Quantity: 2}}, items); diff != "" || err != nil {
		t.Errorf("items %v (-want +got):\n%s", err, diff)
	}
	if ads.Source != nil || ads.Campaign != nil || ads.VisitorID == nil {
		t.Errorf("without consent to ads a campaign is kept: %s %s", text(ads.Source), text(ads.Campaign))
	}
	if none.VisitorID != nil || none.UserID != nil || none.ClientIP != nil || none.PagePath != nil || none.Value == nil || *none.Value != 500 || none.TransactionID == nil {
		t.Errorf("without consent to analytics: %+v", none)
	}
	if *whole.VisitorID == *whole.UserID || *whole.ClientEventID != *none.ClientEventID {
		t.Error("tokens of types are alike, or of one id are not")
	}
}

func TestAVisitorWithoutABrowserIsTheUser(t *testing.T) {
	e := rows(t, strings.ReplaceAll(personal, `"client_id":"c1",`, ``))[0]
	if e.VisitorID == nil || *e.VisitorID != *e.UserID {
		t.Errorf("visitor %s, user %s", text(e.VisitorID), text(e.UserID))
	}
}
