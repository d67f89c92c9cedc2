package run

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestAFormatTravelsInFull: whoever resumes a run, or works for it, has no file of it.
func TestAFormatTravelsInFull(t *testing.T) {
	t.Chdir(t.TempDir())
	writeLocal(t, "m.yaml", "'@timestamp': t\nurl.path: u\n")
	const full = "json @timestamp = t; url.path = u"
	for _, o := range []Options{
		{Source: "app.log", Format: "json@m.yaml"},
		{Source: "file:///app.log?block=1MiB&format=json@m.yaml"},
		{Source: "kinesis://logs?until=tip", Format: "json@m.yaml"},
		{Source: "kinesis://logs?until=tip&format=json@m.yaml"},
	} {
		o.Job, o.Lake = "weblogs", "out"
		r, err := check(o)
		if err != nil {
			t.Fatal(err)
		}
		if r.format != full || o.Format != "" && r.Format != full {
			t.Errorf("%s: format %q, option %q", o.Source, r.format, r.Format)
		}
		kept, err := json.Marshal(Submission{Options: r.Options})
		if err != nil || strings.Contains(string(kept), "m.yaml") {
			t.Errorf("%s: it is kept as %s, %v", o.Source, kept, err)
		}
		if strings.HasPrefix(o.Source, "kinesis") {
			if parameter := strings.Contains(r.live.source, "format=json+%40timestamp"); r.live.stream.Format != "" == parameter || !strings.Contains(r.live.source, "until=tip") {
				t.Errorf("the stream is read as %q from %s", r.live.stream.Format, r.live.source)
			}
		}
		again, err := check(r.Options)
		if err != nil || again.format != full || again.Source != r.Source {
			t.Errorf("%s: checked again it is %q from %s, %v", o.Source, again.format, again.Source, err)
		}
	}
}

func TestLongFormatsAreCutForPeople(t *testing.T) {
	if got := formatText("combined"); got != "combined" {
		t.Error(got)
	}
	if got := formatText("nginx " + strings.Repeat("ä", 100)); len(got) > 70 || !strings.HasSuffix(got, "ä ...") {
		t.Error(got)
	}
}
