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
	if found, err := filepath.Glob(e.in("truth", "*")); err != nil || len(found) != 4 {
		t.Errorf("the truth is %v (%v)", found, err)
	}
}
