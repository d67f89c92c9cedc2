package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/testenv"
)

// The tests of streams point the AWS SDK at a server through the environment of
// the test process, so they are not parallel.

// putDemo puts the real logs into a new stream of four shards.
func putDemo(t *testing.T, server *testenv.KinesisServer, stream string) (lines [][]byte) {
	t.Helper()
	lines = logLines(t, realLogs(t)...)
	server.CreateStream(t, stream, 4)
	server.Put(t, stream, together(lines, 20)...)
	return lines
}

// demoRows is what the real logs have to give at least.
const demoRows = "events 6200, sessions 1500, traffic 2400, top_pages 380, visitors 3, bots 80"

// farm is a log out of order, with lines delivered twice and bad lines; farmRows
// is what it has to give at least.
var farm = []string{
	"--lines", "12000", "--rate", "2000/s", "--speed", "3600", "--start", "2026-01-05T08:00:00Z", "--servers", "8", "--seed", "91",
	"--disorder", "2m", "--shuffle", "10m", "--duplicates", "0.03", "--malformed", "0.02", "--out", "truth",
}

const farmRows = "events 11000, sessions 400, traffic 1000, top_pages 50, visitors 1, bots 5, bad_rows 200"

// playFarm plays the farm into a new stream of four shards.
func playFarm(t *testing.T, server *testenv.KinesisServer, e env, stream string, more ...string) (tr truth) {
	t.Helper()
	server.CreateStream(t, stream, 4)
	mustRun(t, e, append(append([]string{"generate", "weblog", "--to", "kinesis://" + stream}, farm...), more...)...)
	readJSON(t, e.in("truth", "truth.json"), &tr)
	return tr
}

func TestLiveEqualsBatch(t *testing.T) {
	server := testenv.Kinesis(t)
	e := newEnv(t)
	t.Run("real logs", func(t *testing.T) {
		lines := putDemo(t, server, "demo")
		mustRun(t, e, live("demo", everything, e.in("demo"), "--raw", "plain")...)
		mustRun(t, e, weblogs(e.in("demo", "raw"), e.in("demo-batch"))...)
		same(t, e.in("demo"), e.in("demo-batch"), least(t, demoRows))
		archived(t, e.in("demo"), lines)
		if l := accounts(t, e.in("demo")); l.In != int64(len(lines)) || l.Late != 0 {
			t.Errorf("%d lines were put, ledger %s", len(lines), l)
		}
		t.Run("one wrong row would show", func(t *testing.T) { wrongRow(t, e.in("demo"), e.in("demo-batch")) })
	})
	t.Run("a farm's log out of order", func(t *testing.T) {
		tr := playFarm(t, server, e, "farm")
		mustRun(t, e, live("farm", everything, e.in("farm"), append([]string{"--raw", "plain", "--max-disorder", "13m", "--funnels", farmFunnels(t, e)}, farmAlerts(t, e)...)...)...)
		mustRun(t, e, weblogs(e.in("farm", "raw"), e.in("farm-batch"), append([]string{"--funnels", farmFunnels(t, e)}, farmAlerts(t, e)...)...)...)
		same(t, e.in("farm"), e.in("farm-batch"), least(t, farmRows+farmFunnelRows+farmAlertRows))
		l := accounts(t, e.in("farm"))
		if l.In != tr.Lines || l.Events != tr.Events || l.Bad != tr.Bad || l.Late != 0 {
			t.Errorf("the truth is %d lines = %d events + %d bad, ledger %s", tr.Lines, tr.Events, tr.Bad, l)
		}
	})
}

// wrongRow changes one value of one row of a lake, output by output, and fails
// when the comparison does not see it.
func wrongRow(t *testing.T, lake, batch string) {
	for output, change := range map[string]string{
		"events": "bytes = coalesce(bytes, 0) + 1", "sessions": "page_views = page_views + 1", "traffic": "views = views - 1", "visitors": "visitors = visitors + 1",
		"top_pages": "rank = rank + 1", "bots": "hits = hits + 1",
	} {
		file := glob(t, filepath.Join(batch, output, "*", "*", "*", "*.parquet"))[0]
		whole := readFile(t, file)
		testenv.DuckDB(t, "CREATE TABLE rows AS SELECT * FROM read_parquet('"+file+"', hive_partitioning = false);\nUPDATE rows SET "+change+
			" WHERE rowid = 0;\nCOPY rows TO '"+file+"' (FORMAT parquet); SELECT 1")
		faults := differences(t, lake, batch, least(t, demoRows))
		if len(faults) != 1 || !strings.HasPrefix(faults[0], output+": ") || !strings.Contains(faults[0], "of which 1 and 1 are") {
			t.Errorf("%s of one row of %s: it says %q", change, output, faults)
		}
		if err := os.WriteFile(file, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if faults := differences(t, lake, batch, least(t, strings.Replace(demoRows, "sessions 1500", "sessions 9999", 1))); len(faults) != 1 {
		t.Errorf("of too few rows it says %q", faults)
	}
}
