package lakeio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/schemas/table"
)

// twoOutputs is a small lake: rows of numbers under "events", of words under
// "pages".
var twoOutputs = map[string]*table.Schema{"events": numbers, "pages": words}

// input is what one run reads: an identity and, for each day, how many rows.
type input struct {
	run, source string
	days        map[int64]int
}

// stage carries a run up to its commit.
func (in input) stage(t *testing.T, s Store, staging string) Change {
	t.Helper()
	st, err := LoadStanding(t.Context(), s, twoOutputs)
	if err != nil {
		t.Fatal(err)
	}
	revisions := st.Revisions(in.run)
	area := openStaging(t, staging)
	if err := area.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	for output, schema := range twoOutputs {
		b := table.NewBatch(schema)
		for day, n := range in.days {
			for i := range n {
				if output == "events" {
					b.Append(number{At: table.Millis(day*86_400_000 + int64(i)), Source: in.source, N: int64(i)})
				} else {
					b.Append(word{Word: in.source, N: int64(i), Day: table.Day(day)})
				}
			}
		}
		w := Writing{Run: in.run, Output: output, Schema: schema.ID(), Staging: staging, Revisions: revisions}
		out := openWriter(t, w)
		for _, runs := range spillAll(t, out.Spiller(t.Context()), []*table.Batch{b}) {
			if err := out.Merge(t.Context(), runs, func(int) {}); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := area.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return Change{
		Run: in.run, Standing: st, Schemas: twoOutputs, Touched: daysOf(files), Revisions: revisions, Staging: staging, Files: files,
		Notes: map[string]any{"_runs/" + in.run + ".json": in.source},
	}
}

func daysOf(files []File) []int64 {
	days := map[int64]bool{}
	for _, f := range files {
		days[f.Part.Day] = true
	}
	return slices.Sorted(maps.Keys(days))
}

func (in input) commit(t *testing.T, s Store, staging string) {
	t.Helper()
	if err := Commit(t.Context(), s, in.stage(t, s, staging)); err != nil {
		t.Fatal(err)
	}
}

// objects is everything in a lake but the staging area, by key.
func objects(t *testing.T, s Store) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, key := range keys(t, s, "") {
		if !strings.HasPrefix(key, stagingName+"/") {
			m[key] = content(t, s, key)
		}
	}
	return m
}

// byManifest is the rows of each output as its current state names them. That a
// named file is missing or other than named is an error at any time.
func byManifest(s Store) (map[string]int64, error) {
	rows := map[string]int64{}
	for output := range twoOutputs {
		c, err := LoadCurrent(context.Background(), s, output)
		if err != nil {
			return nil, err
		}
		for text, d := range c.Days {
			var n int64
			for _, f := range d.Files {
				info, err := s.Stat(context.Background(), f.Key)
				if err != nil || info.Size != f.Bytes {
					return nil, fmt.Errorf("%s names %s: %d bytes, %w", output, f.Key, info.Size, err)
				}
				n += f.Rows
			}
			if n != d.Rows {
				return nil, fmt.Errorf("%s of %s has %d rows, its files %d", output, text, d.Rows, n)
			}
			rows[fmt.Sprintf("%s/%s by %s r%d", output, text, d.Run, d.Revision)] = n
		}
	}
	return rows, nil
}

func state(t *testing.T, s Store) map[string]int64 {
	t.Helper()
	rows, err := byManifest(s)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

var (
	inputA = input{"run-a", "a", map[int64]int{0: 3, 1: 4}}
	inputB = input{"run-b", "b", map[int64]int{1: 6, 2: 2}}
)

// eachLake runs a test on a lake of each kind. staging gives the staging area of a
// run.
func eachLake(t *testing.T, test func(t *testing.T, s Store, staging func(run string) string)) {
	t.Run("folder", func(t *testing.T) {
		dir := t.TempDir()
		test(t, openStore(t, dir), func(run string) string { return stagingIn(t, dir, run) })
	})
	t.Run("S3", func(t *testing.T) {
		server := testenv.S3(t)
		dir := t.TempDir()
		test(t, openStore(t, "s3://"+server.Bucket+"/lake"), func(run string) string { return filepath.Join(dir, run) })
	})
	t.Run("S3, staged there", func(t *testing.T) {
		server := testenv.S3(t)
		lake := "s3://" + server.Bucket + "/lake"
		test(t, openStore(t, lake), func(run string) string { return stagingIn(t, lake, run) })
	})
}

func stagingIn(t testing.TB, place string, steps ...string) string {
	t.Helper()
	location, err := StagingIn(place, steps...)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func openStaging(t testing.TB, location string) *Staging {
	t.Helper()
	s, err := OpenStaging(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openWriter(t testing.TB, w Writing) *OutputWriter {
	t.Helper()
	out, err := w.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestACommitReplacesTheDaysItTouches(t *testing.T) {
	eachLake(t, func(t *testing.T, s Store, staging func(string) string) {
		inputA.commit(t, s, staging("run-a"))
		want := map[string]int64{
			"events/1970-01-01 by run-a r0": 3, "events/1970-01-02 by run-a r0": 4,
			"pages/1970-01-01 by run-a r0": 3, "pages/1970-01-02 by run-a r0": 4,
		}
		if diff := cmp.Diff(want, state(t, s)); diff != "" {
			t.Errorf("a new lake (-want +got):\n%s", diff)
		}
		first := objects(t, s)
		inputA.commit(t, s, staging("run-a"))
		if diff := cmp.Diff(first, objects(t, s)); diff != "" {
			t.Errorf("the same run again changes something (-first +again):\n%s", diff)
		}
		inputB.commit(t, s, staging("run-b"))
		want = map[string]int64{
			"events/1970-01-01 by run-a r0": 3, "events/1970-01-02 by run-b r1": 6, "events/1970-01-03 by run-b r0": 2,
			"pages/1970-01-01 by run-a r0": 3, "pages/1970-01-02 by run-b r1": 6, "pages/1970-01-03 by run-b r0": 2,
		}
		if diff := cmp.Diff(want, state(t, s)); diff != "" {
			t.Errorf("another run (-want +got):\n%s", diff)
		}
		var data []string
		for key := range objects(t, s) {
			if strings.HasSuffix(key, ".parquet") {
				data = append(data, key)
			}
		}
		if len(data) != len(want) {
			t.Errorf("the lake holds other files than those of its days: %q", data)
		}
		if rows := stored1(t, s, "events", "1970-01-02"); len(rows) != 6 || rows[0].Source != "b" {
			t.Errorf("the rewritten day holds %v", rows)
		}
		if diff := cmp.Diff([]string(nil), filesBelow(staging("run-b"), "files")); diff != "" {
			t.Errorf("staged files stay: %s", diff)
		}
	})
}

func filesBelow(dir, sub string) (names []string) {
	entries, _ := os.ReadDir(filepath.Join(dir, sub))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func stored1(t *testing.T, s Store, output, day string) (rows []number) {
	t.Helper()
	c, err := LoadCurrent(t.Context(), s, output)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Days[day].Files {
		rows = append(rows, decodeFile[number](t, []byte(content(t, s, f.Key)))...)
	}
	return rows
}

func TestARunOfOtherInputIsFrozenOutOfADay(t *testing.T) {
	s := openStore(t, t.TempDir())
	inputA.commit(t, s, t.TempDir())
	st, err := LoadStanding(t.Context(), s, twoOutputs)
	if err != nil {
		t.Fatal(err)
	}
	never, second := func(int64) bool { return false }, func(day int64) bool { return day == 1 }
	for _, c := range []struct {
		name, run string
		sources   []string
		replace   func(int64) bool
		want      []int64
	}{
		{"another input", "run-b", []string{"b"}, never, []int64{0, 1}},
		{"the same run", "run-a", nil, never, nil},
		{"all inputs of the day and more", "run-b", []string{"a", "b"}, never, nil},
		{"a day that is to be replaced", "run-b", []string{"b"}, second, []int64{0}},
	} {
		sources := map[string]bool{}
		for _, source := range c.sources {
			sources[source] = true
		}
		frozen := st.Frozen(c.run, sources, c.replace)
		if diff := cmp.Diff(c.want, slices.Sorted(maps.Keys(frozen))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		for day, why := range frozen {
			for _, part := range []string{DayText(day), "identity a", "run-a", "--from"} {
				if !strings.Contains(why, part) {
					t.Errorf("the reason %q does not say %s", why, part)
				}
			}
		}
	}
}

func TestRevisionsGrowWithEachOtherRun(t *testing.T) {
	day := func(run string, revision int32) CurrentDay { return CurrentDay{Run: run, Revision: revision} }
	st := Standing{
		"events": {Days: map[string]CurrentDay{"1970-01-01": day("a", 4), "1970-01-02": day("b", 2), "1969-12-31": day("b", 0)}},
		"pages":  {Days: map[string]CurrentDay{"1970-01-02": day("b", 3), "1970-01-03": day("a", 0)}},
	}
	for run, want := range map[string]map[int64]int32{
		"a": {0: 4, 1: 4, -1: 1, 2: 0},
		"b": {0: 5, 1: 3, -1: 0, 2: 1},
		"c": {0: 5, 1: 4, -1: 1, 2: 1},
	} {
		if diff := cmp.Diff(want, st.Revisions(run)); diff != "" {
			t.Errorf("run %s (-want +got):\n%s", run, diff)
		}
	}
}

func TestALakeOfAnotherSchemaVersionIsRefused(t *testing.T) {
	s := openStore(t, t.TempDir())
	inputA.commit(t, s, t.TempDir())
	before := objects(t, s)
	newer := *numbers
	newer.Version = 2
	_, err := LoadStanding(t.Context(), s, map[string]*table.Schema{"events": &newer, "pages": words})
	if !errors.Is(err, driver.ErrInvalid) {
		t.Fatalf("the error is %v", err)
	}
	for _, part := range []string{s.Name("events"), "test.numbers/1", "test.numbers/2", "another lake"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q does not say %s", err, part)
		}
	}
	if diff := cmp.Diff(before, objects(t, s)); diff != "" {
		t.Error(diff)
	}
	mustPut(t, s, "_current/events.json", `{"output": "eve`, PutOptions{})
	if _, err := LoadStanding(t.Context(), s, twoOutputs); err == nil || !strings.Contains(err.Error(), "_current/events.json") {
		t.Errorf("a torn state: %v", err)
	}
}

func TestALakeMayLieInAFolderOfAnyName(t *testing.T) {
	for _, name := range []string{"a[1]", "b*", `c\d`, "e f", "[", "é"} {
		dir := filepath.Join(t.TempDir(), name)
		s := openStore(t, dir)
		inputA.commit(t, s, stagingIn(t, dir, "run-a"))
		if got := state(t, s); len(got) != 4 {
			t.Errorf("a lake in %q holds %v", name, got)
		}
	}
}
