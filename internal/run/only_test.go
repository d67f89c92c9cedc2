package run

import (
	"strings"
	"testing"
)

func TestOutputsAreNamedByOnly(t *testing.T) {
	o := Options{Job: "clickstream", Source: "file:///tmp/events", Lake: "lake", Only: "sessions, products"}
	r, err := check(o)
	if err != nil {
		t.Fatal(err)
	}
	for output, makes := range map[string]bool{"sessions": true, "products": true, "bad_rows": true, "late": true, "refused": true, "events": false, "revenue": false, "funnels": false} {
		if r.makes(output) != makes {
			t.Errorf("makes %s: %v", output, !makes)
		}
	}
	if r, err = check(Options{Job: "clickstream", Source: "file:///tmp/events", Lake: "lake"}); err != nil || !r.makes("events") {
		t.Errorf("without it, all are made: %v", err)
	}
}

func TestFaultsOfOnlyAreNamed(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Source: "file:///tmp/events", Only: "session"}, "--only: job clickstream has no output session"},
		{Options{Source: "file:///tmp/events", Only: "sessions, alerts"}, "--only: there are no rules of alerts; give some by the key alerts of the YAML file or by --alerts, and so no output alerts"},
		{Options{Source: "file:///tmp/events", Only: "anomalies"}, "--only: there are no scores; set anomalies: true, and so no output anomalies"},
		{Options{Source: "kinesis://clicks", Only: "sessions"}, "--only is for backfills"},
		{Options{Source: "file:///tmp/events", Only: "sessions", Outputs: Outputs{"products": {"kinesis://products"}}}, "--only sessions leaves output products out"},
	} {
		c.o.Job, c.o.Lake = "clickstream", "lake"
		if _, err := check(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, which does not say %q", c.o, err, c.want)
		}
	}
}
