package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLakesWithoutAttributionHaveNoChannels: neither those of a run that was told not
// to attribute, nor those of a version that could not.
func TestLakesWithoutAttributionHaveNoChannels(t *testing.T) {
	type before struct { // columns of sessions
		StartTime  int64   `parquet:"start_time,timestamp(millisecond)"`
		DurationMs int64   `parquet:"duration_ms"`
		PageViews  int64   `parquet:"page_views"`
		EntryPage  *string `parquet:"entry_page,optional,dict"`
		ExitPage   *string `parquet:"exit_page,optional,dict"`
		Bounce     bool    `parquet:"bounce"`
		Engaged    bool    `parquet:"engaged"`
		Bot        bool    `parquet:"bot"`
		Truncated  bool    `parquet:"truncated"`
	}
	told, old, mail := t.TempDir(), t.TempDir(), "mail"
	writeDays(t, told, "sessions", []sessionRow{{PageViews: 1}}, func(sessionRow) int64 { return 0 })
	writeDays(t, old, "sessions", []before{{PageViews: 1}}, func(before) int64 { return 0 })
	for name, root := range map[string]string{"told": told, "old": old} {
		d, err := Collect(t.Context(), Dir(root))
		if err != nil {
			t.Fatal(err)
		}
		if d.Sessions.Total != 1 || strings.Contains(string(written(t, d)), "Where sessions come from") {
			t.Errorf("%s: %d sessions, and their channels: %+v", name, d.Sessions.Total, d.Channels)
		}
	}
	writeDays(t, old, "sessions", []sessionRow{{PageViews: 3, Channel: &mail, Source: &mail, Medium: &mail}}, func(sessionRow) int64 { return dayMs })
	d, err := Collect(t.Context(), Dir(old))
	if err != nil {
		t.Fatal(err)
	}
	want := Channels{Sessions: 1, Rows: []OriginCount{{Name: "mail", Sessions: 1, PageViews: 3}}, Sources: []OriginCount{{Name: "mail", Medium: "mail", Sessions: 1, PageViews: 3}}}
	if diff := cmp.Diff(want, d.Channels); diff != "" {
		t.Errorf("days of both versions (-want +got):\n%s", diff)
	}
}
