package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/io/lakeio"
	"millrace/schemas/ledger"
)

// logLines are the lines of logs, file after file.
func logLines(t testing.TB, files ...string) (lines [][]byte) {
	t.Helper()
	for _, name := range files {
		content := readFile(t, name)
		if filepath.Ext(name) == ".gz" {
			content = gunzip(t, name)
		}
		for line := range bytes.Lines(content) {
			lines = append(lines, bytes.TrimSuffix(line, []byte("\n")))
		}
	}
	return lines
}

// together makes records of so many lines each, under keys that spread them over
// a stream's shards. Records of a shard keep the order of the lines.
func together(lines [][]byte, each int) (records []testenv.KinesisRecord) {
	for some := range slices.Chunk(lines, each) {
		records = append(records, testenv.KinesisRecord{Key: strconv.Itoa(len(records) * 7919), Data: bytes.Join(some, []byte("\n"))})
	}
	return records
}

// live are the arguments of a run of weblogs over a stream.
func live(stream, parameters, lake string, more ...string) []string {
	return streaming(weblogs, stream, parameters, lake, more...)
}

// streaming are those of a job that is given by the arguments of its runs.
func streaming(job func(source, lake string, more ...string) []string, stream, parameters, lake string, more ...string) []string {
	return job("kinesis://"+stream+"?"+parameters, lake, append([]string{"--idle", "hold", "--progress", "none"}, more...)...)
}

// everything reads what a stream held when the run began.
const everything = "start=trim_horizon&until=tip"

// counted is an output and how it is compared.
type counted struct {
	least   int64  // rows that it has
	columns string // in SQL; all when empty
}

// least is a comparison of whole outputs, given as "events 100, traffic 20": all
// of these have so many rows or more, and further ones may have any number.
func least(t testing.TB, text string) map[string]counted {
	t.Helper()
	all := fewest(t, text)
	for _, output := range strings.Fields("events sessions traffic top_pages visitors bots funnels funnel_steps anomalies alerts bad_rows late") {
		all[output] = counted{least: all[output].least}
	}
	return all
}

// fewest is a comparison of the outputs that the text names.
func fewest(t testing.TB, text string) map[string]counted {
	t.Helper()
	all := map[string]counted{}
	for part := range strings.SplitSeq(text, ", ") {
		output, n, _ := strings.Cut(part, " ")
		all[output] = counted{least: number(t, n)}
	}
	return all
}

// differences compares outputs of two lakes as multisets of rows, both ways. Each
// text names an output that differs or has too few rows for the comparison to mean
// something.
func differences(t testing.TB, one, other string, outputs map[string]counted) (faults []string) {
	t.Helper()
	var b strings.Builder
	in := map[string]string{"one": one, "other": other}
	has := map[string]map[string]bool{}
	for _, schema := range []string{"one", "other"} {
		views := string(readFile(t, filepath.Join(in[schema], "_current", "views.sql")))
		fmt.Fprintf(&b, "CREATE SCHEMA %[1]s;\nUSE %[1]s;\n%[2]s", schema, views)
		has[schema] = map[string]bool{}
		for output := range outputs {
			has[schema][output] = strings.Contains(views, "VIEW "+output+" AS")
		}
	}
	var queries []string
	for _, output := range slices.Sorted(maps.Keys(outputs)) {
		o := outputs[output]
		columns := o.columns
		if columns == "" {
			columns = "*"
		}
		switch {
		case has["one"][output] && has["other"][output]:
			queries = append(queries, fmt.Sprintf(`SELECT '%[1]s', (SELECT count(*) FROM one.%[1]s), (SELECT count(*) FROM other.%[1]s),
	(SELECT count(*) FROM (SELECT %[2]s FROM one.%[1]s EXCEPT ALL SELECT %[2]s FROM other.%[1]s)),
	(SELECT count(*) FROM (SELECT %[2]s FROM other.%[1]s EXCEPT ALL SELECT %[2]s FROM one.%[1]s))`, output, columns))
		case has["one"][output] != has["other"][output]:
			faults = append(faults, fmt.Sprintf("%s: only one of the lakes has it", output))
		case o.least > 0:
			faults = append(faults, fmt.Sprintf("%s: neither lake has it, want %d rows", output, o.least))
		}
	}
	for _, r := range testenv.DuckDB(t, b.String()+strings.Join(queries, "\nUNION ALL ")) {
		o := outputs[r[0]]
		if r[3] != "0" || r[4] != "0" || number(t, r[1]) < o.least {
			faults = append(faults, fmt.Sprintf("%s: %s and %s rows, of which %s and %s are in one lake only; want the same, and %d or more", r[0], r[1], r[2], r[3], r[4], o.least))
		}
	}
	return faults
}

// same fails for differences.
func same(t testing.TB, one, other string, outputs map[string]counted) {
	t.Helper()
	for _, fault := range differences(t, one, other, outputs) {
		t.Error(fault)
	}
}

// accounts sums the accounts of a live lake's rolls. It fails for one that does
// not add up and for records that none or two of them account for.
func accounts(t testing.TB, lake string) (sum ledger.Ledger) {
	t.Helper()
	store, err := lakeio.OpenStore(t.Context(), lake)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := lakeio.ReadLedger(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	for i := range parts {
		if err := parts[i].Check(); err != nil {
			t.Error(err)
		}
		sum.Add(parts[i].Ledger)
	}
	breaks, err := ledger.Chain(parts)
	if err != nil {
		t.Error(err)
	}
	for _, b := range breaks {
		t.Error(b)
	}
	return sum
}

// quietUp is longer than a shared cluster takes to start on a machine of two cores that does
// little else.
const quietUp = 10 * time.Second

// endOf is the time at which a stream is to end that needs so long on such a machine: later on
// one that is slower, or busier.
func endOf(t *testing.T, f *testenv.FlinkCluster, quiet time.Duration) time.Time {
	t.Helper()
	slow := slowness(f.Took, quietUp)
	t.Logf("the cluster took %v to start: the stream has %.1f times what a quiet machine needs", f.Took.Round(time.Second), slow)
	return time.Now().Add(time.Duration(slow * float64(quiet)))
}

// slowness is how many times as long as a quiet machine this one needs, by what took so long: 1
// to 3.
func slowness(took, quiet time.Duration) float64 {
	return min(3, max(1, took.Seconds()/quiet.Seconds()))
}

// feedUntil feeds a run so many records at a time until its job has completed that
// many checkpoints and is ready otherwise, and tells how many it has.
func feedUntil(t *testing.T, p *process, f *testenv.FlinkCluster, feed *feed, records, checkpoints int, ready func() bool) (completed int) {
	t.Helper()
	for ; ; time.Sleep(200 * time.Millisecond) {
		if !alive(p) {
			r := p.end(t)
			t.Fatalf("the run ended before %d checkpoints: %d, %s", checkpoints, r.code, r.stderr)
		}
		feed.some(t, records)
		id := runningJob(t, f)
		if id == "" {
			continue
		}
		state, err := f.Client().Checkpoints(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if state.Completed >= checkpoints && ready() {
			return state.Completed
		}
	}
}

// archived compares the payloads of a plain raw archive with the lines that were
// put.
func archived(t testing.TB, lake string, lines [][]byte) {
	t.Helper()
	missing := map[string]int{}
	for _, line := range lines {
		missing[string(line)]++
	}
	strange := 0
	for _, r := range sql(t, lake, "SELECT decode(payload) FROM raw") {
		if missing[r[0]]--; missing[r[0]] < 0 {
			strange++
		}
	}
	lost := 0
	for _, n := range missing {
		lost += max(n, 0)
	}
	if lost+strange > 0 {
		t.Errorf("the archive lacks %d of the %d lines that were put, and has %d beside them", lost, len(lines), strange)
	}
}
