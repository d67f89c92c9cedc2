package tables

import (
	"strings"
	"testing"

	"millrace/schemas/badrow"
	"millrace/schemas/late"
	"millrace/schemas/raw"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

var outputs = map[string]*table.Schema{
	"events": weblog.Events, "sessions": weblog.Sessions, "traffic": weblog.TrafficRows, "top_pages": weblog.TopPages, "visitors": weblog.Visitors,
	"bots": weblog.Bots, "bad_rows": badrow.Rows, "late": late.Rows, "raw": raw.Rows,
}

func TestEachOutputHasAPlaceOnEachTarget(t *testing.T) {
	for _, target := range Targets() {
		for output, rows := range outputs {
			got, err := Statements(target, output, rows, Place{Schema: "web", Lake: "s3://lake/web/"})
			if err != nil {
				t.Errorf("%s for %s: %v", output, target, err)
			}
			for _, c := range rows.Columns {
				if !strings.Contains(got, c.Name) {
					t.Errorf("%s for %s lacks %s", output, target, c.Name)
				}
			}
			if target == "athena" && !strings.Contains(got, "'s3://lake/web/"+output+"/year=${p_year}/month=${p_month}/day=${p_day}/'") {
				t.Errorf("%s for athena:\n%s", output, got)
			}
		}
	}
	for _, wrong := range []struct{ target, lake string }{{"oracle", ""}, {"athena", "/out"}} {
		if _, err := Statements(wrong.target, "events", weblog.Events, Place{Lake: wrong.lake}); err == nil {
			t.Errorf("%+v is taken", wrong)
		}
	}
}
