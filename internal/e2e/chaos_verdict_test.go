package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/io/lakeio"
	group "millrace/runners/flink/process"
)

// verdict holds the lake against the batch job and against itself.
func (w *chaosWorld) verdict(t *testing.T, e env, all chaosInput, lake, objects string) {
	t.Helper()
	allEnded(t, w.flink)
	w.nothingIsLeft(t)
	w.job.equals(t, w, e, all.put(w.given), lake, objects)
	noDuplicates(t, objects, w.job.keys)
	w.wholeFiles(t, objects)
	onlyCommitted(t, lake, objects)
	for of, most := range mostMemory {
		if got := w.largest[of]; got > most || got == 0 {
			t.Errorf("the largest %s took %d MiB, want some and at most %d", of, got>>20, most>>20)
		}
	}
}

// weblogsEqual compares the lake with a batch run over its archive and one over the log
// that was put; late events are those that were put late.
func weblogsEqual(t *testing.T, w *chaosWorld, e env, put [][]byte, lake, objects string) {
	t.Helper()
	mustRun(t, e, weblogs(lake+"/raw", e.in("batch"))...)
	outputs := w.compared(t)
	outputs["events"] = counted{outputs["events"].least, "* EXCLUDE (late)"} // a mark of the live run
	same(t, objects, timely(t, e.in("batch"), e.in("batch-timely"), "sessions", "traffic", "top_pages", "visitors", "bots", "clients"), outputs)

	writeFile(t, e.in("put.log"), append(bytes.Join(put, []byte("\n")), '\n'))
	mustRun(t, e, weblogs(e.in("put.log"), e.in("logs"))...)
	outputs = w.compared(t)
	outputs["events"] = counted{outputs["events"].least, "* EXCLUDE (event_id, source, position, sequence)"}
	outputs["sessions"] = counted{outputs["sessions"].least, placed}
	delete(outputs, "bad_rows") // some were put besides
	same(t, timely(t, objects, e.in("lake-timely"), "events"), e.in("logs"), outputs)

	bad := readManifest(t, e.in("logs")).Ledger.Bad + int64(w.bad)
	if l := accounts(t, lake); l.In != int64(len(put)+w.besides) || l.Bad != bad || l.Late != int64(len(w.late)) {
		t.Errorf("%d lines and %d besides were put, %d of all bad and %d late; ledger %s", len(put), w.besides, bad, len(w.late), l)
	}
	w.lateAreListed(t, objects)
}

// compared are the outputs to compare; that of late events is looked at by itself.
func (w *chaosWorld) compared(t *testing.T) map[string]counted {
	t.Helper()
	outputs := least(t, w.job.rows)
	delete(outputs, "late")
	return outputs
}

// timely describes a lake without what lies before the farm's log, in some of its
// outputs: events that were late are in a batch job's windows, and the log that was
// put does not have them.
func timely(t *testing.T, lake, into string, outputs ...string) string {
	t.Helper()
	text := string(readFile(t, filepath.Join(lake, "_current", "views.sql")))
	times := map[string]string{"events": "event_time", "sessions": "start_time", "traffic": "window_start", "top_pages": "window_start", "visitors": "day", "bots": "day", "clients": "day"}
	for _, output := range outputs {
		whole := strings.Replace(text, "VIEW "+output+" AS", "VIEW all_"+output+" AS", 1)
		if whole == text {
			t.Fatalf("%s has no view %s", lake, output)
		}
		text = whole + fmt.Sprintf("\nCREATE OR REPLACE VIEW %s AS SELECT * FROM all_%[1]s WHERE %s >= '%s';\n", output, times[output], farmStart.Format(time.DateOnly))
	}
	writeFile(t, filepath.Join(into, "_current", "views.sql"), []byte(text))
	return into
}

// lateAreListed compares the late events with those that were put late.
func (w *chaosWorld) lateAreListed(t *testing.T, objects string) {
	t.Helper()
	var got []string
	for _, r := range sql(t, objects, "SELECT path FROM events WHERE late AND event_id IN (SELECT event_id FROM late)") {
		got = append(got, r[0])
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(w.late))
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("late events, -put +lake:\n%s", cut(diff))
	}
	if n := number(t, sql(t, objects, "SELECT count(*) FROM late")[0][0]); n != int64(len(want)) {
		t.Errorf("%d rows of late events, want %d", n, len(want))
	}
}

// noDuplicates fails for rows of one key in what readers see; keys are those of outputs.
func noDuplicates(t *testing.T, objects string, keys map[string]string) {
	t.Helper()
	var queries []string
	for output, key := range keys {
		queries = append(queries, fmt.Sprintf("SELECT '%s', count(*) - count(DISTINCT (%s)) FROM %[1]s", output, key))
	}
	for _, r := range sql(t, objects, strings.Join(queries, "\nUNION ALL ")) {
		if r[1] != "0" {
			t.Errorf("%s has %s rows twice", r[0], r[1])
		}
	}
}

// wholeFiles fails for a file among those of readers that is not whole: it is called
// while the job suffers, too.
func (w *chaosWorld) wholeFiles(t *testing.T, objects string) {
	t.Helper()
	err := filepath.WalkDir(objects, func(name string, d fs.DirEntry, err error) error {
		switch rel, _ := filepath.Rel(objects, name); {
		case os.IsNotExist(err):
			return nil // not there yet
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(rel, "_"):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".parquet":
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		w.looked++
		if n := len(content); n < 12 || string(content[:4]) != "PAR1" || string(content[n-4:]) != "PAR1" {
			t.Errorf("%s is not whole: %d bytes", name, n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// onlyCommitted fails for a file that readers see and no commit names.
func onlyCommitted(t *testing.T, lake, objects string) {
	t.Helper()
	store, err := lakeio.OpenStore(t.Context(), lake)
	if err != nil {
		t.Fatal(err)
	}
	views := string(readFile(t, filepath.Join(objects, "_current", "views.sql")))
	infos, err := store.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, info := range infos {
		if strings.HasPrefix(info.Key, "_") || !strings.HasSuffix(info.Key, ".parquet") {
			continue
		}
		files++
		if !strings.Contains(views, info.Key) {
			t.Errorf("%s is there, and no commit names it", info.Key)
		}
	}
	if files == 0 {
		t.Error("the lake has no files")
	}
}

// nothingIsLeft waits until no process is there beside Flink's own: workers may take
// a moment to end.
func (w *chaosWorld) nothingIsLeft(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); len(w.flink.Strangers(t)) > 0; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("processes are left: %v", w.flink.Strangers(t))
			return
		}
	}
}

// What is weighed, and what each may take at most, bytes.
const (
	aWorker    = "worker"
	theProgram = "program that supervises"
)

var mostMemory = map[string]int64{aWorker: 384 << 20, theProgram: 384 << 20}

// weigh notes the largest of each kind of process.
func (w *chaosWorld) weigh(t *testing.T) {
	t.Helper()
	members, err := group.Members(w.flink.Group())
	if err != nil {
		t.Fatal(err)
	}
	w.largest[theProgram] = max(w.largest[theProgram], resident(w.run.Process.Pid))
	for _, m := range members {
		if slices.Contains(m.Args, "--worker=true") {
			w.largest[aWorker] = max(w.largest[aWorker], resident(m.PID))
		}
	}
}

// resident is the memory of a process, bytes; 0 when it has just ended.
func resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
