package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"millrace/internal/testenv"
)

// planted is how many values the two logs of the canary test hold at least.
const planted = 10_000

func TestNoPlantedPersonalDataIsFoundAnywhere(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	mustRun(t, e, "generate", "weblog", "--out", e.in("one"), "--canaries", "--lines", "96000", "--days", "1", "--seed", "71", "--malformed", "0.02")
	mustRun(t, e, "generate", "weblog", "--out", e.in("two"), "--canaries", "--lines", "96000", "--days", "1", "--seed", "72", "--format", "vhost_combined", "--servers", "2", "--gzip")
	find := newFinder(t, e.in("one", "truth_canaries.txt"), e.in("two", "truth_canaries.txt"))
	if len(find.types) < planted {
		t.Fatalf("%d values are planted, want %d", len(find.types), planted)
	}
	if err := os.Mkdir(e.in("logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, server := range []string{"one", "two"} {
		for _, log := range glob(t, e.in(server, "access*")) {
			if err := os.Rename(log, e.in("logs", server+"-"+filepath.Base(log))); err != nil {
				t.Fatal(err)
			}
		}
	}
	logs := e.in("logs", "*")

	t.Run("with a sealed archive and progress as JSON", func(t *testing.T) {
		lake := e.in("sealed")
		said := []result{
			run(t, e, append([]string{"plan"}, weblogs(logs, lake)[1:]...)...),
			run(t, e, weblogs(logs, lake, "--raw", "sealed", "--set", "security=true", "--progress", "json")...),
			run(t, e, weblogs(logs, lake, "--raw", "sealed", "--set", "security=true", "--progress", "plain")...),
			run(t, e, "report", "--lake", lake),
			run(t, e, weblogs(e.in("logs", "one*"), lake, "--set", "security=true")...), // refused
		}
		for i, r := range said {
			if want := i / 4; r.code != want {
				t.Fatalf("call %d: exit code %d, want %d: %s", i, r.code, want, r.stderr)
			}
			find.in(t, fmt.Sprint("stdout of call ", i), []byte(r.stdout))
			find.in(t, fmt.Sprint("stderr of call ", i), []byte(r.stderr))
		}
		if !strings.Contains(said[3].stdout, "report.html") || !exists(filepath.Join(lake, "report.html")) {
			t.Error("no report was drawn")
		}
		find.inFolder(t, lake)
		find.inFolder(t, e.home)
		texts := find.inRows(t, lake)
		for _, output := range []string{"events", "sessions", "traffic", "top_pages", "bots", "clients", "sources", "alerts", "bad_rows", "raw"} {
			if texts[output] == 0 {
				t.Errorf("no text of %s was searched", output)
			}
		}
		find.report(t)
	})
	t.Run("the search finds all of it in a plain archive, and there alone", func(t *testing.T) {
		lake := e.in("plain")
		mustRun(t, e, weblogs(logs, lake, "--raw", "plain")...)
		find.inRows(t, lake)
		found := map[string]bool{}
		for place, values := range find.found {
			if !strings.HasPrefix(place, "column raw.payload") {
				t.Errorf("%s holds %d planted values", place, len(values))
			}
			maps.Copy(found, values)
		}
		if len(found) != len(find.types) {
			missed := map[string]int{}
			for value, kind := range find.types {
				if !found[value] {
					missed[kind]++
				}
			}
			t.Errorf("the search finds %d of %d planted values; missed: %v", len(found), len(find.types), missed)
		}
	})
}

// finder looks for many values at once, without regard to case.
type finder struct {
	types map[string]string          // of a value, in small letters
	heads map[string][]string        // first bytes of a value -> values
	found map[string]map[string]bool // place -> values
}

// head is how many first bytes of a value are looked up.
const head = 9

func newFinder(t testing.TB, lists ...string) *finder {
	t.Helper()
	f := &finder{types: map[string]string{}, heads: map[string][]string{}, found: map[string]map[string]bool{}}
	for _, list := range lists {
		for line := range strings.Lines(string(readFile(t, list))) {
			kind, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			value = strings.ToLower(value)
			if len(value) < head+2 {
				t.Fatalf("%s %q is too short to search for", kind, value)
			}
			if f.types[value] != "" {
				continue // both logs hold it
			}
			f.types[value] = kind
			f.heads[value[:head]] = append(f.heads[value[:head]], value)
		}
	}
	return f
}

// in looks through a text as it is, percent-decoded, and decoded twice.
func (f *finder) in(t testing.TB, place string, text []byte) {
	t.Helper()
	for range 3 {
		f.scan(place, bytes.ToLower(text))
		if text = percentDecoded(text); text == nil {
			return
		}
	}
}

func (f *finder) scan(place string, text []byte) {
	// A table of the heads' first bytes spares most look-ups.
	var begins [1 << 16]bool
	for h := range f.heads {
		begins[int(h[0])<<8|int(h[1])] = true
	}
	for i := 0; i+head <= len(text); i++ {
		if !begins[int(text[i])<<8|int(text[i+1])] {
			continue
		}
		for _, value := range f.heads[string(text[i:i+head])] {
			if bytes.HasPrefix(text[i:], []byte(value)) {
				if f.found[place] == nil {
					f.found[place] = map[string]bool{}
				}
				f.found[place][value] = true
			}
		}
	}
}

// report fails for what was found so far and forgets it.
func (f *finder) report(t testing.TB) {
	t.Helper()
	for _, place := range slices.Sorted(maps.Keys(f.found)) {
		of := map[string]int{}
		example := ""
		for value := range f.found[place] {
			of[f.types[value]]++
			example = max(example, value)
		}
		t.Errorf("%s holds planted values: %v, for example %s", place, of, example)
	}
	clear(f.found)
}

// inFolder looks through the files of a folder, and their names, as they are.
func (f *finder) inFolder(t testing.TB, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f.in(t, "names of files", []byte(name))
		f.in(t, name, readFile(t, name))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// inRows looks through every text in all Parquet files of a lake, as DuckDB reads
// them, and returns how many different texts each output has.
func (f *finder) inRows(t testing.TB, lake string) (texts map[string]int) {
	t.Helper()
	var describe, copies strings.Builder
	for _, folder := range glob(t, filepath.Join(lake, "[a-z]*")) {
		if filepath.Ext(folder) == "" {
			fmt.Fprintf(&describe, "UNION ALL SELECT '%s', column_name FROM (DESCRIBE FROM read_parquet('%s/*/*/*/*.parquet')) WHERE column_type IN ('VARCHAR', 'BLOB') ", folder, folder)
		}
	}
	dump := t.TempDir()
	columns := testenv.DuckDB(t, strings.TrimPrefix(describe.String(), "UNION ALL "))
	for i, c := range columns {
		fmt.Fprintf(&copies, "COPY (SELECT DISTINCT %s FROM read_parquet('%s/*/*/*/*.parquet')) TO '%s/%d' (FORMAT csv, HEADER false);\n", c[1], c[0], dump, i)
	}
	testenv.DuckDB(t, "SET enable_progress_bar = false;"+copies.String()+"SELECT 1")
	texts = map[string]int{}
	for i, c := range columns {
		output := filepath.Base(c[0])
		text := readFile(t, filepath.Join(dump, fmt.Sprint(i)))
		texts[output] += bytes.Count(text, []byte{'\n'})
		f.in(t, "column "+output+"."+c[1], text)
	}
	return texts
}

// percentDecoded undoes %XX once; nil when there is none.
func percentDecoded(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if hi, lo := hexDigit(text[i+1]), hexDigit(text[i+2]); hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	if len(out) == len(text) {
		return nil
	}
	return out
}

func hexDigit(c byte) int {
	return strings.IndexByte("0123456789abcdef", c|0x20)
}
