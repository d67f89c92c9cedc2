package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// clientRow is a row of the output clients.
type clientRow struct {
	Day                 int32  `parquet:"day"`
	Dimension           string `parquet:"dimension"`
	Value               string `parquet:"value"`
	Hits                int64  `parquet:"hits"`
	HitsWithoutBots     int64  `parquet:"hits_without_bots"`
	Visitors            int64  `parquet:"visitors"`
	VisitorsWithoutBots int64  `parquet:"visitors_without_bots"`
}

// clientRows are what reference data could tell of so many days of a site.
func clientRows(days int) (rows []clientRow) {
	for day := range days {
		for _, r := range []clientRow{
			{0, "country", "SE", 900, 800, 30, 25},
			{0, "country", "DE", 300, 300, 12, 12},
			{0, "country", "(unknown)", 60, 0, 4, 0},
			{0, "network", "AS29518 Bredband2 AB", 700, 690, 25, 22},
			{0, "network", `AS64500 </script><b>A network with quite a long name, Incorporated`, 560, 410, 21, 15},
			{0, "device", "desktop", 700, 700, 20, 20},
			{0, "device", "phone", 400, 400, 17, 17},
			{0, "device", "bot", 160, 0, 9, 0},
			{0, "browser", "Firefox", 600, 600, 19, 19},
			{0, "browser", "Chrome Mobile", 500, 500, 18, 18},
			{0, "os", "Linux", 500, 500, 16, 16},
			{0, "os", "Android", 600, 600, 21, 21},
			{0, "bot_reason", `user agent has "googlebot"`, 160, 0, 9, 0},
			{0, "colour", "red", 1, 1, 1, 1},
		} {
			r.Day = int32(20513 + day)
			rows = append(rows, r)
		}
	}
	return rows
}

func TestClientsAreListedByWhatReferenceDataTells(t *testing.T) {
	root := t.TempDir()
	writeDays(t, root, "clients", clientRows(2), func(r clientRow) int64 { return int64(r.Day) * dayMs })
	var d Data
	if err := collectClients(t.Context(), Dir(root), &d); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, table := range d.Clients.Tables {
		got = append(got, table.Dimension+": "+table.Title())
	}
	if diff := cmp.Diff([]string{"country: Country", "network: Network", "device: Device", "browser: Browser", "os: System", "bot_reason: Why it is a bot"}, got); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ClientTable{"country", 2200, []ClientCount{{"SE", 1600, 50}, {"DE", 600, 24}}}, d.Clients.Tables[0]); diff != "" {
		t.Errorf("countries, without bots (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]ClientCount{{"AS29518 Bredband2 AB", 1400, 50}, {`AS64500 </script><b>A network with quite a long name, Incorporated`, 1120, 42}}, d.Clients.Tables[1].Rows); diff != "" {
		t.Errorf("networks, with bots (-want +got):\n%s", diff)
	}
	var none Data
	if err := collectClients(t.Context(), Dir(t.TempDir()), &none); err != nil || clientsSection.shown(&none) {
		t.Errorf("a lake without clients: %v, %v", none.Clients, err)
	}
}
