package e2e

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"millrace/internal/testenv"
)

func TestTheFarmPlaysToAStream(t *testing.T) {
	server := testenv.Kinesis(t)
	server.CreateStream(t, "farm", 4)
	e := newEnv(t)

	r := mustRun(t, e, "generate", "weblog", "--to", "kinesis://farm", "--rate", "500/s", "--for", "2s", "--shuffle", "1s", "--out", "truth")
	if want := "1,000 lines acknowledged by kinesis://farm"; !strings.HasPrefix(r.stdout, want) {
		t.Errorf("it says %q, want %s...", r.stdout, want)
	}
	var truth struct{ Lines int64 }
	if readJSON(t, e.in("truth", "truth.json"), &truth); truth.Lines != 1000 {
		t.Errorf("the truth is of %d lines", truth.Lines)
	}
	records := 0
	for _, shard := range server.Records(t, "farm") {
		records += len(shard)
	}
	if records == 0 || records > 500 {
		t.Errorf("the stream holds %d records", records)
	}

	for what, args := range map[string][]string{
		"did you mean aggregate":           {"--to", "kinesis://farm?agregate=true"},
		"write --to kinesis://STREAM":      {"--to", "farm"},
		"--days is for files":              {"--to", "kinesis://farm", "--days", "3"},
		"leave one out":                    {"--to", "kinesis://farm", "--for", "3s", "--lines", "5"},
		"300/min":                          {"--to", "kinesis://farm", "--rate", "5/fortnight"},
		"check the stream's name":          {"--to", "kinesis://nowhere"},
		"give --to kinesis://STREAM, too":  {"--out", "x", "--for", "3s"},
		"name the folder or the stream to": {},
	} {
		r := run(t, e, append([]string{"generate", "weblog"}, args...)...)
		if r.code == 0 || !strings.Contains(r.stderr, what) {
			t.Errorf("%v ends with %d and says %q, want %s", args, r.code, r.stderr, what)
		}
	}
}

func TestAnInterruptedFarmSaysWhatArrived(t *testing.T) {
	server := testenv.Kinesis(t)
	server.CreateStream(t, "farm", 2)
	e := newEnv(t)
	p := start(t, e, "generate", "weblog", "--to", "kinesis://farm", "--rate", "200", "--out", "truth")
	for deadline := time.Now().Add(time.Minute); len(server.Records(t, "farm")) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) || !alive(p) {
			t.Fatalf("nothing comes; %s", p.err.String())
		}
	}
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	r := p.end(t)
	if r.code != 0 || !strings.HasPrefix(r.stdout, "interrupted: ") || !strings.Contains(r.stdout, "acknowledged by kinesis://farm") {
		t.Errorf("it ends with %d and says %q, %q", r.code, r.stdout, r.stderr)
	}
	if found, err := filepath.Glob(e.in("truth", "*")); err != nil || len(found) != 3 { // no canaries were planted
		t.Errorf("the truth is %v (%v)", found, err)
	}
}

// TestAShopAndAWardPlayToAStream: from the command line to what jobs make of the stream.
func TestAShopAndAWardPlayToAStream(t *testing.T) {
	server, e := testenv.Kinesis(t), newEnv(t)
	for _, c := range []struct {
		schema string
		args   []string
		job    func(source, lake string, more ...string) []string
		live   []string
	}{
		{"clickstream", []string{"--rate", "600/s", "--for", "3s", "--duplicates", "0.02", "--malformed", "0.02"}, clicks, []string{"--max-disorder", "13m"}},
		{"device", []string{"--rate", "600/s", "--for", "3s", "--seed", "7"}, devices, nil},
	} {
		t.Run(c.schema, func(t *testing.T) {
			server.CreateStream(t, c.schema, 2)
			args := []string{"generate", c.schema, "--to", "kinesis://" + c.schema, "--speed", "600", "--start", "2026-03-02", "--out", e.in(c.schema)}
			r := mustRun(t, e, append(args, c.args...)...)
			if !strings.Contains(r.stdout, "acknowledged by kinesis://"+c.schema) {
				t.Errorf("it says %q", r.stdout)
			}
			var truth struct{ Lines, Events, Readings, Duplicates int64 }
			if readJSON(t, e.in(c.schema, "truth.json"), &truth); truth.Lines < 1500 || truth.Lines > 2100 {
				t.Errorf("the truth is of %d lines, want about 1,800", truth.Lines)
			}
			lake := e.in(c.schema + "-lake")
			mustRun(t, e, streaming(c.job, c.schema, everything, lake, c.live...)...)
			l := accounts(t, lake)
			if l.In != truth.Lines || l.Events != truth.Events+truth.Readings || l.Duplicate != truth.Duplicates || l.Late != 0 {
				t.Errorf("the truth is %+v, ledger %s", truth, l)
			}
		})
	}
	for what, args := range map[string][]string{
		"leave one out":             {"clickstream", "--to", "kinesis://x", "--for", "3s", "--events", "5"},
		"--days is for files":       {"clickstream", "--to", "kinesis://x", "--days", "3"},
		"give --to kinesis://":      {"clickstream", "--out", "x", "--rate", "5"},
		"write --to kinesis":        {"device", "--to", "x"},
		"chooses patients":          {"device", "--to", "kinesis://x", "--rate", "5", "--patients", "3"},
		"number above zero":         {"device", "--to", "kinesis://x", "--speed", "0"},
		"--gzip is for files; live": {"device", "--to", "kinesis://x", "--gzip"},
	} {
		r := run(t, e, append([]string{"generate"}, args...)...)
		if r.code != 2 || !strings.Contains(r.stderr, what) {
			t.Errorf("%v ends with %d and says %q, want %s", args, r.code, r.stderr, what)
		}
	}
}
