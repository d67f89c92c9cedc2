package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// looked is what doctor said of places, by place and what was looked at.
func looked(t *testing.T, out string) map[string]string {
	t.Helper()
	said := map[string]string{}
	for line := range strings.Lines(out) {
		var d struct {
			Place, What, Found, Problem string
			Healthy                     bool
		}
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if d.Healthy == (d.Problem != "") {
			t.Errorf("%q is healthy and has a problem, or neither", line)
		}
		said[d.Place+" "+d.What] = d.Found + d.Problem
	}
	return said
}

func TestADoctorLooksAtEverythingAndLeavesNothing(t *testing.T) {
	node, server, e := testenv.OpenSearch(t), testenv.Kinesis(t), newEnv(t)
	putDemo(t, server, "doctor")
	server.CreateStream(t, "doctor-out", 2)
	lake := e.in("lake")
	mustRun(t, e, weblogs(filepath.Join(accessLogs(t), "semicomplete_2015-05-17_18.log.gz"), lake, "--no-report")...)
	before := hashTree(t, lake)
	args := func(source, lake string, more ...string) []string {
		return append([]string{"doctor", "weblogs", "--source", source, "--lake", lake, "--mask-key", "env://MASK_KEY", "--json"}, more...)
	}
	out := mustRun(t, e, args("kinesis://doctor?start=trim_horizon", lake,
		"--output", "events=opensearch://"+node.Addr+"/doctor-{day}", "--output", "traffic=kinesis://doctor-out")...)
	said := looked(t, out.stdout)
	for place, want := range map[string]string{
		"configuration check": "job weblogs, 2 sinks", "masking key resolve": maskKeyID, "lake read": "holds 2 days", "lake write": "put, under a condition",
		"source read": "4 shards, and they give records", "output events reach": "OpenSearch 2.", "output events mapping": "no index yet", "output traffic reach": "has 2 shards",
	} {
		if !strings.Contains(said[place], want) {
			t.Errorf("of %s it says %q, want %q", place, said[place], want)
		}
	}
	if d := gocmp.Diff(before, hashTree(t, lake)); d != "" {
		t.Errorf("the lake has changed (-before +after):\n%s", d)
	}
	if hits := node.Search(t, "doctor-*", nil); len(hits) > 0 {
		t.Errorf("%d documents are left", len(hits))
	}
	mustRun(t, e, args(accessLogs(t), e.in("new", "lake"))...)
	if _, err := os.Stat(e.in("new")); !os.IsNotExist(err) {
		t.Errorf("a lake that was not there is: %v", err)
	}

	node.Call(t, http.MethodPut, "doctor-narrow", map[string]any{"mappings": map[string]any{"properties": map[string]any{"bytes": map[string]any{"type": "byte"}}}}, nil)
	for _, c := range []struct {
		args []string
		code int
		what string
		says string
	}{
		{args("kinesis://doctor-gone", lake), 1, "source begin", "doctor-gone"},
		{args(e.in("none*.log"), lake), 1, "source list", "none*.log"},
		{args(accessLogs(t), lake, "--output", "events=opensearch://"+node.Addr+"/doctor-narrow"), 1, "output events mapping", "the field bytes is of type byte"},
		{args(accessLogs(t), lake, "--output", "events=opensearch://127.0.0.1:1/x?timeout=1s"), 1, "output events reach", "check the address"},
		{args(accessLogs(t), lake, "--runner", "flink", "--flink-master", "127.0.0.1:1"), 1, "flink cluster", "127.0.0.1:1"},
		{args(accessLogs(t), filepath.Join(accessLogs(t), "semicomplete_2015-05-17_18.log.gz", "lake")), 1, "lake write", "not a directory"},
		{args(accessLogs(t), lake, "--mask-key", "env://NO_SUCH_KEY"), 2, "masking key resolve", "NO_SUCH_KEY"},
		{args(accessLogs(t), lake, "--output", "events=opensearch://h/X"), 2, "configuration check", "in lower case"},
	} {
		out := run(t, e, c.args...)
		if said := looked(t, out.stdout); out.code != c.code || !strings.Contains(said[c.what], c.says) {
			t.Errorf("%q: exit %d, of %s it says %q, want %d and %q\n%s", c.args, out.code, c.what, said[c.what], c.code, c.says, out.stderr)
		}
	}
}
