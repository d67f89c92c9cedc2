package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/operate"
	"millrace/internal/testenv"
	"millrace/runners/flink/rest"
)

// writeLake makes a lake of one file an output, from queries by output.
func writeLake(t *testing.T, dir string, outputs map[string]string) {
	t.Helper()
	var script strings.Builder
	script.WriteString("import duckdb, os\n")
	for output, query := range outputs {
		folder := filepath.Join(dir, output, "year=2026")
		fmt.Fprintf(&script, "os.makedirs(%q)\nduckdb.sql(\"copy (%s) to '%s/a.parquet'\")\n", folder, query, folder)
	}
	testenv.RunPython(t, script.String())
}

// compareLakes runs the comparison and tells what it printed and whether it found
// the lakes equal.
func compareLakes(t *testing.T, stream, batch string) (printed string, equal bool) {
	t.Helper()
	var fault bytes.Buffer
	c := exec.CommandContext(t.Context(), testenv.Python(t), "-c", compareScript, stream, batch)
	c.Stderr = &fault
	out, err := c.Output()
	if fault.Len() > 0 {
		t.Fatalf("the script failed: %v\n%s", err, fault.Bytes())
	}
	return string(out), err == nil
}

func complete() map[string]string {
	outputs := map[string]string{}
	for _, output := range []string{"events", "sessions", "traffic", "top_pages", "visitors", "bots", "bad_rows"} {
		outputs[output] = "select range % 7 as a, 'x' as b from range(10)"
	}
	return outputs
}

func TestEqualLakesAreCounted(t *testing.T) {
	stream, batch := filepath.Join(t.TempDir(), "lake"), filepath.Join(t.TempDir(), "batch")
	writeLake(t, stream, complete())
	turned := complete() // the order of rows is no difference
	turned["events"] += " order by range desc"
	writeLake(t, batch, turned)
	printed, equal := compareLakes(t, stream, batch)
	if !equal || !strings.HasSuffix(printed, "\nstream = batch: 70 rows equal\n") {
		t.Errorf("equal %v, printed\n%s", equal, printed)
	}
}

func TestEveryDifferenceIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		change func(outputs map[string]string)
		want   string // in what is printed
	}{
		"a row is other": {func(o map[string]string) {
			o["traffic"] = "select range % 7 + (range = 3)::int as a, 'x' as b from range(10)"
		}, "traffic           10        10  DIFFERENT: 1 rows only in the stream's, 1 only in the batch's"},
		"a row is there twice":   {func(o map[string]string) { o["events"] += " union all select 1, 'x'" }, "events            10        11  DIFFERENT: 0 rows only in the stream's, 1 only in the batch's"},
		"an output has no files": {func(o map[string]string) { delete(o, "bots") }, "bots              10         0  DIFFERENT: one has none"},
		"late has rows":          {func(o map[string]string) { o["late"] = "select 1 as a" }, "late               0         1  DIFFERENT: one has none"},
	} {
		t.Run(name, func(t *testing.T) {
			stream, batch := filepath.Join(t.TempDir(), "lake"), filepath.Join(t.TempDir(), "batch")
			writeLake(t, stream, complete())
			changed := complete()
			test.change(changed)
			writeLake(t, batch, changed)
			printed, equal := compareLakes(t, stream, batch)
			if equal || !strings.Contains(printed, test.want) || strings.Contains(printed, "stream = batch") {
				t.Errorf("equal %v, want the line %q, printed\n%s", equal, test.want, printed)
			}
		})
	}
}

func TestLakesWithoutRowsProveNothing(t *testing.T) {
	stream, batch := filepath.Join(t.TempDir(), "lake"), filepath.Join(t.TempDir(), "batch")
	few := complete()
	few["sessions"] = "select 1 as a where false"
	writeLake(t, stream, few)
	writeLake(t, batch, few)
	if printed, equal := compareLakes(t, stream, batch); equal || !strings.Contains(printed, "sessions           0         0  DIFFERENT") {
		t.Errorf("equal %v, printed\n%s", equal, printed)
	}
}

func TestStateIsALine(t *testing.T) {
	watermark, lag := time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC), 37.4
	s := operate.Status{Job: operate.Job{State: rest.Running}, Restarts: 1, Watermark: &watermark, Lag: &lag}
	s.Read.Records, s.Ledger.Events = 21000, 20900
	if diff := cmp.Diff("Flink: running, 21,000 lines read, 20,900 events, sealed up to 12:00:05, 37 s behind, 1 restart", state(&s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s = operate.Status{Job: operate.Job{State: rest.Running}, Sealed: true}
	if diff := cmp.Diff("Flink: running, 0 lines read, 0 events, everything sealed", state(&s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
