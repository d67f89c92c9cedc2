package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"millrace/internal/testenv"
)

// TestAStartAmidCheckpointsIsRead holds what docs/adr/0009 found: a checkpoint that
// meets the first bundle must not keep the readers from being called. With one
// every 100 ms, each does.
func TestAStartAmidCheckpointsIsRead(t *testing.T) {
	server := testenv.Kinesis(t)
	f := testenv.Flink(t)
	e := newEnv(t)
	lines := logLines(t, realLogs(t)[0])[:2000]
	server.CreateStream(t, "web", 2)
	server.Put(t, "web", together(lines, 10)...)
	for _, name := range []string{"first", "second"} {
		p := start(t, e, onFlink(t, e, f, live("web", everything, e.in(name)), "--flink-option", "checkpointing_interval=100")...)
		giveUp := time.AfterFunc(5*time.Minute, func() { _ = p.Process.Signal(os.Interrupt) })
		r := p.end(t)
		giveUp.Stop()
		if r.code != 0 {
			t.Fatalf("exit code %d: %s", r.code, r.stderr)
		}
		if l := accounts(t, e.in(name)); l.In != int64(len(lines)) {
			t.Errorf("%d lines were put, ledger %s", len(lines), l)
		}
	}
	mustRun(t, e, weblogs(filepath.Join(e.in("first"), "raw"), e.in("batch"))...)
	same(t, e.in("first"), e.in("batch"), least(t, "events 1900, sessions 100"))
	allEnded(t, f)
}
