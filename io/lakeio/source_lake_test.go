package lakeio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/ledger"
	"millrace/schemas/raw"
	"millrace/schemas/record"
	"millrace/schemas/table"
)

var archiveOnly = map[string]*table.Schema{"raw": raw.Rows}

// archiveRowsOf are n records of a log that were noted on a day since 1970-01-01.
func archiveRowsOf(log string, day int64, n int) *table.Batch {
	b := table.NewBatch(raw.Rows)
	for i := range n {
		b.Append(raw.Row{
			Source: fmt.Sprintf("%032x", log), Position: int64(100 * i), NotedTime: table.Millis(day*dayMs + int64(i)),
			Payload: fmt.Appendf(nil, "%s %d %d", log, day, i),
		})
	}
	return b
}

// backfillArchive writes records of a log to some days of a lake's archive.
func backfillArchive(t *testing.T, s Store, staging, run, log string, rows int, days ...int64) {
	t.Helper()
	st, err := LoadStanding(t.Context(), s, archiveOnly)
	if err != nil {
		t.Fatal(err)
	}
	area := openStaging(t, staging)
	if err := area.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := openWriter(t, Writing{Run: run, Output: "raw", Schema: raw.Rows.ID(), Staging: staging, Revisions: st.Revisions(run)})
	for _, day := range days {
		for _, runs := range spillAll(t, w.Spiller(t.Context()), []*table.Batch{archiveRowsOf(log, day, rows)}) {
			if err := w.Merge(t.Context(), runs, func(int) {}); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := area.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = Commit(t.Context(), s, Change{
		Run: run, Standing: st, Schemas: archiveOnly, Touched: days, Revisions: w.Revisions, Staging: staging, Files: files,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// rollOfArchive archives a roll of a stream's shard. With commit it counts; else
// its files lie in the lake as after a crash just before the commit.
func rollOfArchive(t *testing.T, s Store, shard int, day int64, rows int, commit bool) {
	t.Helper()
	first := record.Sequence("1")
	roll := record.RollOf(shardID(shard), first)
	into := s
	if !commit {
		into = watch(s, func(step string) error {
			if strings.Contains(step, ledgerDir) {
				return errCrash
			}
			return nil
		}, quiet)
	}
	l, err := LiveWriting{Run: "live", Schemas: map[string]string{"raw": raw.Rows.ID()}}.open(into)
	if err != nil {
		t.Fatal(err)
	}
	segments, err := l.Stage(t.Context(), "raw", map[string][]*table.Batch{roll: {archiveRowsOf(fmt.Sprint("shard", shard), day, rows)}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.CloseRoll(t.Context(), ledger.Part{
		Roll: roll, Ledger: ledger.Ledger{In: int64(rows), Events: int64(rows)},
		Close: &record.Close{Records: int64(rows), First: first, Last: record.Sequence(fmt.Sprint(rows)), FirstArrival: arrived, LastArrival: arrived},
	}, segments)
	if commit && err != nil || !commit && !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
}

// crashedArchive is a lake whose archive has a backfilled day, one that another
// backfill replaced, and one of a stream; with files of it that do not count: one
// of the replaced, one of a roll and one of a backfill that died.
func crashedArchive(t *testing.T, s Store, staging func(run string) string) {
	t.Helper()
	backfillArchive(t, s, staging("run-a"), "run-a", "a", 10, 1, 2)
	replaced := keys(t, s, PartitionKey("raw", 2))[0]
	old := content(t, s, replaced)
	backfillArchive(t, s, staging("run-b"), "run-b", "b", 7, 2)
	mustPut(t, s, replaced, old, PutOptions{})
	rollOfArchive(t, s, 1, 3, 5, true)
	rollOfArchive(t, s, 2, 3, 4, false)
	mustPut(t, s, PartitionKey("raw", 4)+"/1970-01-05-s00-r0-0011223344556677.parquet", old, PutOptions{})
	if n := len(keys(t, s, "raw/")); n != 6 {
		t.Fatalf("%d files lie in the archive", n)
	}
}

// payloads are what a source reads, with its notes.
func payloads(t *testing.T, location string) (list, notes []string, err error) {
	t.Helper()
	s, err := OpenSource(t.Context(), location, nil)
	if err != nil {
		t.Fatal(err)
	}
	return payloadsOf(t, s)
}

func payloadsOf(t *testing.T, s *Source) (list, notes []string, err error) {
	t.Helper()
	splits, err := s.Splits(t.Context())
	if err != nil {
		return nil, nil, err
	}
	for _, split := range splits {
		r, err := s.Open(t.Context(), split)
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.Next(t.Context())
		for ; err == nil; b, err = r.Next(t.Context()) {
			from := 0
			for _, end := range b.Ends {
				list = append(list, string(b.Data[from:end]))
				from = end
			}
		}
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		r.Close()
	}
	slices.Sort(list)
	return list, s.Notes(), nil
}

func wanted(parts ...string) (list []string) {
	for _, part := range parts {
		var log string
		var day, n int
		if _, err := fmt.Sscan(part, &log, &day, &n); err != nil {
			panic(err)
		}
		for i := range n {
			list = append(list, fmt.Sprintf("%s %d %d", log, day, i))
		}
	}
	slices.Sort(list)
	return list
}

func TestTheArchiveOfALakeIsReadByItsBooks(t *testing.T) {
	eachLake(t, func(t *testing.T, s Store, staging func(string) string) {
		crashedArchive(t, s, staging)
		root := strings.TrimSuffix(s.Name(""), "/")
		for source, want := range map[string][]string{
			"raw":                              wanted("a 1 10", "b 2 7", "shard1 3 5"),
			"raw/":                             wanted("a 1 10", "b 2 7", "shard1 3 5"),
			"raw/year=1970/month=01/day=0[34]": wanted("b 2 7", "shard1 3 5"),
			"raw/*/*/day=0[2-3]/*.parquet":     wanted("a 1 10", "b 2 7"),
			path.Dir(keys(t, s, PartitionKey("raw", 3))[0]) + "/": wanted("shard1 3 5"),
			"[r]aw/year=1970": wanted("a 1 10", "b 2 7", "shard1 3 5"),
		} {
			got, notes, err := payloads(t, root+"/"+source)
			if err != nil {
				t.Errorf("%s: %v", source, err)
				continue
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", source, diff)
			}
			left := slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, root+"/raw are left out") })
			if !left {
				t.Errorf("%s: the notes are %q", source, notes)
			}
		}
		for _, source := range []string{"raw/year=1970/month=01/day=05", "raw/year=1970/month=01/day=05/1970-01-05-s00-r0-0011223344556677.parquet"} {
			if _, _, err := payloads(t, root+"/"+source); !errors.Is(err, driver.ErrNotFound) || !strings.Contains(err.Error(), "the books of the lake") {
				t.Errorf("%s, of which nothing counts: %v", source, err)
			}
		}
		t.Run("a file that is gone", func(t *testing.T) {
			gone := keys(t, s, PartitionKey("raw", 1))[0]
			if err := s.Delete(t.Context(), gone); err != nil {
				t.Fatal(err)
			}
			if _, _, err := payloads(t, root+"/raw"); !errors.Is(err, driver.ErrNotFound) || !strings.Contains(err.Error(), s.Name(gone)) {
				t.Errorf("the error is %v", err)
			}
			if got, _, err := payloads(t, root+"/raw/year=1970/month=01/day=03"); err != nil || len(got) != 7 {
				t.Errorf("a day beside it: %d records, %v", len(got), err)
			}
		})
	})
}

// TestACopyOfAnArchiveIsReadWhole: without books beside it there is nothing to go by.
func TestACopyOfAnArchiveIsReadWhole(t *testing.T) {
	eachLake(t, func(t *testing.T, s Store, staging func(string) string) {
		rollOfArchive(t, s, 1, 3, 5, true)
		rollOfArchive(t, s, 2, 3, 4, false)
		for _, key := range keys(t, s, "raw/") {
			mustPut(t, s, "copy/"+key, content(t, s, key), PutOptions{})
		}
		root := strings.TrimSuffix(s.Name(""), "/")
		got, notes, err := payloads(t, root+"/copy/raw")
		if diff := cmp.Diff(wanted("shard1 3 5", "shard2 3 4"), got); err != nil || diff != "" || len(notes) > 0 {
			t.Errorf("%v, notes %q (-want +got):\n%s", err, notes, diff)
		}
	})
}

// between is a tree where something happens after each listing.
type between struct {
	tree
	listed func()
}

func (b between) find(ctx context.Context) ([]logFile, []string, error) {
	files, notes, err := b.tree.find(ctx)
	b.listed()
	return files, notes, err
}

func TestABackfillBetweenListingAndBooksIsNoticed(t *testing.T) {
	eachLake(t, func(t *testing.T, s Store, staging func(string) string) {
		backfillArchive(t, s, staging("run-a"), "run-a", "a", 10, 1, 2)
		source, err := OpenSource(t.Context(), strings.TrimSuffix(s.Name(""), "/")+"/raw", nil)
		if err != nil {
			t.Fatal(err)
		}
		listings := 0
		source.tree = between{source.tree, func() {
			if listings++; listings == 1 {
				backfillArchive(t, s, staging("run-b"), "run-b", "b", 7, 2)
			}
		}}
		got, _, err := payloadsOf(t, source)
		if diff := cmp.Diff(wanted("a 1 10", "b 2 7"), got); err != nil || diff != "" || listings != 2 {
			t.Errorf("after %d listings %v (-want +got):\n%s", listings, err, diff)
		}
	})
}
