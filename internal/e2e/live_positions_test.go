package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"millrace/internal/testenv"
)

// sealedBy counts the windows of a lake that each run has sealed.
func sealedBy(t *testing.T, lake string) map[string]int {
	t.Helper()
	runs := map[string]int{}
	for _, file := range hashGlob(lake, "_ledger/sealed/*/*.json") {
		var r struct{ Run string }
		readJSON(t, file, &r)
		runs[r.Run]++
	}
	return runs
}

// committed counts the rolls of a lake.
func committed(lake string) int { return len(hashGlob(lake, "_ledger/*/*.json")) }

// TestARunGoesOnAtPositionsWithMoreReaders ends a job in the middle, without a
// savepoint, and lets another of twice the parallelism read on into the same lake.
func TestARunGoesOnAtPositionsWithMoreReaders(t *testing.T) {
	server := testenv.Kinesis(t)
	f := testenv.Flink(t)
	e := newEnv(t)
	feed := newFeed(t, server, "web")
	lake := e.in("lake")
	// An open roll has the records of hours, so windows are sealed that have some of
	// them, which the second run reads again.
	settings := []string{"--raw", "plain", "--roll", "64KiB,60s"}
	mustRun(t, e, onFlink(t, e, f, live("web", "start=trim_horizon", lake, settings...), "--parallelism", "1", "--detach")...)
	await := func(what string, records int, done func() bool) {
		for deadline := time.Now().Add(3 * time.Minute); !done(); time.Sleep(300 * time.Millisecond) {
			if time.Now().After(deadline) || len(feed.rest) < 100 {
				t.Fatalf("%s did not come: %d rolls were committed, and sealed %v", what, committed(lake), sealedBy(t, lake))
			}
			feed.some(t, records)
		}
	}
	await("nine rolls", 10, func() bool { return committed(lake) >= 9 && len(sealedBy(t, lake)) > 0 })
	feed.some(t, 60) // half a roll of each shard
	before := len(hashGlob(lake, "_ledger/sealed/*/*.json"))
	await("more sealed windows", 0, func() bool { return len(hashGlob(lake, "_ledger/sealed/*/*.json")) > before+10 })
	if r := run(t, e, "positions", "weblogs", "-o", "early.json"); r.code != 1 || !strings.Contains(r.stderr, "still runs") || !strings.Contains(r.stderr, "millrace stop") || exists(e.in("early.json")) {
		t.Errorf("of a job that runs: exit code %d, %s", r.code, r.stderr)
	}
	mustRun(t, e, "cancel", "weblogs", "--flink-master", f.Master())
	sealed := sealedBy(t, lake)
	r := mustRun(t, e, "positions", "weblogs", "--reread", "-o", "positions.json")
	if r.stdout != "" || !strings.Contains(r.stderr, "4 shards of arn:aws:kinesis:") {
		t.Errorf("positions say %q and %q", r.stdout, r.stderr)
	}
	backfill := regexp.MustCompile(`--from (\S+) --to (\S+)`).FindStringSubmatch(r.stderr)
	if len(backfill) != 3 {
		t.Fatalf("what to do afterwards is not said: %s", r.stderr)
	}
	if same := mustRun(t, e, "positions", "--lake", lake, "--reread"); same.stdout != string(readFile(t, e.in("positions.json"))) {
		t.Error("by the lake the positions are others")
	}
	feed.some(t, len(feed.rest))

	// The file is named from the user's folder, which is not the workers'.
	mustRun(t, e, onFlink(t, e, f, live("web", "start=positions&positions=positions.json&until=tip", lake, settings...))...)
	allEnded(t, f)
	if l := accounts(t, lake); l.In != int64(feed.lines) || l.Late != 0 {
		t.Errorf("%d lines were put, ledger %s", feed.lines, l)
	}
	for run, n := range sealed {
		if now := sealedBy(t, lake); len(now) != 2 || now[run] != n {
			t.Errorf("run %s had sealed %d windows, and all have %v", run, n, now)
		}
	}
	mustRun(t, e, weblogs(filepath.Join(accessLogs(t), "*.gz"), e.in("logs"))...)
	mustRun(t, e, weblogs(filepath.Join(lake, "raw"), e.in("batch"))...)
	outputs := least(t, demoRows)
	same(t, lake, e.in("batch"), map[string]counted{"events": outputs["events"], "bad_rows": {}, "late": {}})
	logged := counted{outputs["events"].least, "* EXCLUDE (event_id, source, position, sequence)"}
	same(t, lake, e.in("logs"), map[string]counted{"events": logged})
	if open := strings.Join(differences(t, lake, e.in("batch"), outputs), "\n"); !strings.Contains(open, "visitors: ") || !strings.Contains(open, "sessions: ") {
		t.Errorf("windows that were open at the change are whole, so the test proves little: %s", open)
	}

	mustRun(t, e, weblogs(filepath.Join(lake, "raw"), lake, "--from", backfill[1], "--to", backfill[2])...)
	outputs["events"] = counted{outputs["events"].least, "*"}
	for _, output := range []string{"sessions", "traffic", "top_pages", "visitors", "bots", "clients"} {
		outputs[output] = counted{outputs[output].least, "* REPLACE (version % 4294967296 AS version)"}
	}
	same(t, lake, e.in("batch"), outputs)
}

func TestPositionsThatCannotBeFound(t *testing.T) {
	server := testenv.Kinesis(t)
	e := newEnv(t)
	for _, stream := range []string{"web", "app"} {
		server.CreateStream(t, stream, 1)
		server.Put(t, stream, together(logLines(t, realLogs(t)[0])[:200], 10)...)
		mustRun(t, e, live(stream, everything, e.in("lake"), "--roll", "4KiB,60s")...)
	}
	mustRun(t, e, live("web", everything, e.in("one"), "--roll", "4KiB,60s")...)
	mustRun(t, e, weblogs(realLogs(t)[0], e.in("files"))...)
	if r := mustRun(t, e, "positions", "--lake", "lake", "--stream", "app"); !strings.Contains(r.stdout, "stream/app") || !json.Valid([]byte(r.stdout)) {
		t.Errorf("positions of one of two streams: %s", r.stdout)
	}
	rolls := glob(t, e.in("one", "_ledger", "20*", "*.json"))
	if len(rolls) < 4 {
		t.Fatalf("%d rolls", len(rolls))
	}
	if err := os.Remove(rolls[1]); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"two streams": {[]string{"--lake", "lake"}, 2, []string{"stream/web", "stream/app", "--stream"}},
		"no ledger":   {[]string{"--lake", "files"}, 1, []string{"no ledger", "live run"}},
		"no lake":     {[]string{"--lake", "nowhere"}, 1, []string{"nowhere", "no ledger"}},
		"a hole":      {[]string{"--lake", "one"}, 2, []string{"hole", "--reread"}},
		"nothing":     {nil, 2, []string{"NAME is missing", "--lake"}},
		"a name":      {[]string{"weblogs"}, 2, []string{"no submission", "--lake"}},
	} {
		r := run(t, e, append([]string{"positions"}, c.args...)...)
		if r.code != c.code || r.stdout != "" {
			t.Errorf("%s: exit code %d, want %d; stdout %q, stderr %q", name, r.code, c.code, r.stdout, r.stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(r.stderr, want) {
				t.Errorf("%s: stderr does not say %q: %s", name, want, r.stderr)
			}
		}
	}
	if r := mustRun(t, e, "positions", "--lake", "one", "--reread"); !strings.Contains(r.stderr, "goes on before a hole") {
		t.Errorf("with --reread: %s", r.stderr)
	}
}
