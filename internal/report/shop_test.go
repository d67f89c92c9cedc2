package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

type (
	shopEvent struct {
		EventTime int64 `parquet:"event_time,timestamp(millisecond)"`
		Analytics bool  `parquet:"consent_analytics"`
	}
	revenueRow struct {
		WindowStart   int64  `parquet:"window_start,timestamp(millisecond)"`
		WindowSeconds int32  `parquet:"window_seconds"`
		Currency      string `parquet:"currency,dict"`
		Purchases     int64  `parquet:"purchases"`
		Refunds       int64  `parquet:"refunds"`
		Gross         int64  `parquet:"gross"`
		Refunded      int64  `parquet:"refunded"`
	}
	productRow struct {
		WindowStart int64  `parquet:"window_start,timestamp(millisecond)"`
		ItemID      string `parquet:"item_id,dict"`
		Currency    string `parquet:"currency,dict"`
		Views       int64  `parquet:"views"`
		Carts       int64  `parquet:"carts"`
		Purchases   int64  `parquet:"purchases"`
		Revenue     int64  `parquet:"revenue"`
	}
	cartRow struct {
		StartTime int64 `parquet:"start_time,timestamp(millisecond)"`
		Items     int64 `parquet:"items"`
	}
)

const shopDay = 1772323200000 // 2026-03-01

func shopLake(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	writeDays(t, root, "events", []shopEvent{{shopDay + 5, true}, {shopDay + 7, false}, {shopDay + dayMs, true}, {shopDay + 2*dayMs + 1, true}}, func(r shopEvent) int64 { return r.EventTime })
	writeDays(t, root, "revenue", []revenueRow{
		{shopDay, 60, "EUR", 2, 0, 5000, 0},
		{shopDay, 86_400, "EUR", 2, 0, 5000, 0},
		{shopDay + dayMs, 86_400, "EUR", 1, 1, 123_456, 1005},
		{shopDay, 86_400, "JPY", 1, 0, 500, 0},
		{shopDay, 86_400, "KWD", 0, 1, 0, 1234},
	}, func(r revenueRow) int64 { return r.WindowStart })
	writeDays(t, root, "products", []productRow{
		{shopDay, "cup", "EUR", 7, 2, 2, 5000}, {shopDay + dayMs, "cup", "EUR", 1, 0, 1, 123_456}, {shopDay, hostile[0], "JPY", 9, 1, 1, 500},
	}, func(r productRow) int64 { return r.WindowStart })
	writeDays(t, root, "abandoned_carts", []cartRow{{shopDay, 3}, {shopDay + dayMs, 1}}, func(r cartRow) int64 { return r.StartTime })
	peak, score, low, high := 0.05, 0.79, 0.0, 49_000.0
	writeDays(t, root, "alerts", []alertRow{
		{"conversion-drop", "", "critical", "firing", shopDay + hourMs, shopDay + hourMs, "a", &peak, "count per count below 0.2", ""},
		{"conversion-drop", "", "critical", "resolved", shopDay + hourMs, shopDay + 2*hourMs, "a", &peak, "count per count below 0.2", ""},
	}, func(r alertRow) int64 { return r.FiringSince })
	writeDays(t, root, "anomalies", []scoreRow{
		{shopDay, 60, "revenue", "currency=EUR", 100, nil, nil, nil, ""},
		{shopDay + hourMs, 60, "revenue", "currency=EUR", 152_000, &score, &low, &high, "day 1.00"},
	}, func(r scoreRow) int64 { return r.WindowStart })
	return root
}

// TestAShopHasAPageOfItsOwn, with what was sold and without what is said of requests.
func TestAShopHasAPageOfItsOwn(t *testing.T) {
	d, err := Collect(t.Context(), Dir(shopLake(t)))
	if err != nil {
		t.Fatal(err)
	}
	want := &Shop{
		First: shopDay, End: shopDay + 3*dayMs, Consented: 3, Purchases: 4, Refunds: 2, Carts: 2,
		Currencies: []Takings{{"EUR", 3, 1, 128_456, 1005}, {"JPY", 1, 0, 500, 0}, {"KWD", 0, 1, 0, 1234}},
		Products:   []ProductSales{{hostile[0], "JPY", 9, 1, 1, 500}, {"cup", "EUR", 8, 2, 3, 128_456}},
	}
	if diff := cmp.Diff(want, d.Shop); diff != "" || d.Events != 4 {
		t.Errorf("%d events (-want +got):\n%s", d.Events, diff)
	}
	if len(d.Alerts.Rows) != 1 || len(d.Anomalies.Rows) != 1 {
		t.Errorf("alerts %+v, anomalies %+v", d.Alerts.Rows, d.Anomalies.Rows)
	}
	d.Ledger = exampleLedger(d)
	page := written(t, d)
	for name, l := range looks {
		b := open(t, page, l)
		text := ask(t, b, chromedp.Evaluate[string](`document.body.innerText`))
		for _, shown := range []string{"2026", "1284.56 EUR", "10.05 EUR", "500 JPY", "−1.234 KWD", "cup", "conversion-drop", "1520.00 EUR", "0.00 EUR to 490.00 EUR"} {
			if !strings.Contains(strings.ReplaceAll(text, thinSpace, ""), shown) {
				t.Errorf("%s: %q is not shown:\n%s", name, shown, text)
			}
		}
		if strings.Contains(text, "Server errors") || strings.Contains(text, "requests") {
			t.Errorf("%s: the page speaks of requests:\n%s", name, text)
		}
		if wide := ask(t, b, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)); wide > 0 {
			t.Errorf("%s: the page is %d pixels too wide", name, wide)
		}
		if said := b.complaints(); len(said) > 0 {
			t.Errorf("%s: %v", name, said)
		}
		if out := os.Getenv("REPORT_OUT"); out != "" {
			if err := os.WriteFile(filepath.Join(out, "shop-"+name+".png"), ask(t, b, chromedp.FullScreenshot(100)), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}
