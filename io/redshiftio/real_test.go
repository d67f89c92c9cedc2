package redshiftio

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv/redshift"
	"millrace/io/driver"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// measure has a column of each kind.
type measure struct {
	ID      table.ID     `col:"id" doc:"an id"`
	At      table.Millis `col:"at,sort1,day" doc:"a time, it's UTC"`
	Name    *string      `col:"name,null" mask:"none" doc:"a text"`
	Small   *int32       `col:"small,null" doc:"a number"`
	Ratio   *float64     `col:"ratio,null" doc:"a number"`
	On      *table.Day   `col:"on,null" doc:"a day"`
	Payload *[]byte      `col:"payload,null" mask:"sealed" doc:"bytes"`
	User    bool         `col:"user" doc:"a truth, of a name that is a word of SQL"`
}

var measures = table.MustOf[measure]("redshiftio.measures", 1)

func TestValuesArriveAsTheyAre(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	inBothWays(t, w, func(t *testing.T, via string) {
		name := w.name()
		s := open(t, w.url(name, via, ""), measures, driver.SinkOptions{})
		s.mustWrite(
			t, table.Sealed,
			measure{ID: id(1), At: 1_741_003_200_007, Name: pointer("naïve 'quoted'\n\\N\t日本語"), Small: pointer(int32(math.MinInt32)), Ratio: pointer(0.1), On: pointer(table.Day(-1)), Payload: &[]byte{0, 1, 255}, User: true},
			measure{ID: id(2), At: -1, Name: pointer(""), Ratio: pointer(math.NaN())},
			measure{ID: id(3), At: lastMillis},
		)
		want := [][]string{
			{"00000000-0000-0000-0000-000000000001", "2025-03-03 12:00:00.007", "naïve 'quoted'\n\\N\t日本語", "-2147483648", "0.1", "1969-12-31", `\x0001ff`, "t"},
			{"00000000-0000-0000-0000-000000000002", "1969-12-31 23:59:59.999", "", "NULL", "NaN", "NULL", "NULL", "f"},
			{"00000000-0000-0000-0000-000000000003", "9999-12-31 23:59:59.999", "NULL", "NULL", "NULL", "NULL", "NULL", "f"},
		}
		if d := cmp.Diff(want, w.all(t, "SELECT * FROM "+name+" ORDER BY 1")); d != "" {
			t.Errorf("rows (-want +got):\n%s", d)
		}
	})
	if left := w.staged(t); len(left) > 0 {
		t.Errorf("objects that are left on the stage: %q", left)
	}
}

func visit(id string, version, events int64) weblog.Session {
	return weblog.Session{SessionID: id, VisitorID: "v", StartTime: 1_741_000_000_000, Version: version, Events: events}
}

func TestTheNewestRowStaysAndWithdrawnOnesAreHidden(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	inBothWays(t, w, func(t *testing.T, via string) {
		name := w.name()
		s := open(t, w.url(name, via, ""), weblog.Sessions, driver.SinkOptions{})
		for _, step := range []struct {
			kind table.RowKind
			row  weblog.Session
		}{
			{table.Provisional, visit("open", 3, 3)},
			{table.Provisional, visit("open", 2, 2)}, // stale
			{table.Provisional, visit("final", 5, 5)},
			{table.Sealed, visit("final", 5, 5)},
			{table.Provisional, visit("final", 5, 6)}, // comes after it was sealed
			{table.Provisional, visit("gone", 3, 3)},
			{table.Withdrawn, visit("gone", 4, 0)},
			{table.Provisional, visit("gone", 3, 4)}, // comes after it was withdrawn
			{table.Withdrawn, visit("back", 4, 0)},
			{table.Sealed, visit("back", 1<<32|2, 2)}, // a corrected backfill
		} {
			s.mustWrite(t, step.kind, step.row)
		}
		want := [][]string{{"back", "2", "t"}, {"final", "5", "t"}, {"open", "3", "f"}}
		if d := cmp.Diff(want, w.all(t, "SELECT session_id, events, sealed FROM "+name+"_current ORDER BY 1")); d != "" {
			t.Errorf("behind the view (-want +got):\n%s", d)
		}
		want = [][]string{{"back", "f"}, {"final", "f"}, {"gone", "t"}, {"open", "f"}}
		if d := cmp.Diff(want, w.all(t, "SELECT session_id, withdrawn FROM "+name+" ORDER BY 1")); d != "" {
			t.Errorf("in the table (-want +got):\n%s", d)
		}
		if st := s.Stats(); st.Stale != 3 || st.Stored != 7 || st.Loads != 10 || st.Replays != 0 {
			t.Errorf("stats %+v", st)
		}
	})
}

// The oracle is a map; rows come in any order, in loads of any size.
func TestOfManyRowsTheGreatestVersionsStay(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	name := w.name()
	want := map[string]weblog.Session{}
	s := open(t, w.url(name, viaWire, "&rows=60"), weblog.Sessions, driver.SinkOptions{})
	var rows []any
	for i := range 300 {
		version := int64(i * 7919 % 211)
		row := visit(fmt.Sprint("s", i%40), version, version*3)
		if old, ok := want[row.SessionID]; !ok || old.Version < version {
			want[row.SessionID] = row
		}
		rows = append(rows, row)
	}
	for part := range slices.Chunk(rows, 100) {
		s.mustWrite(t, table.Sealed, part...)
	}
	got := w.all(t, "SELECT session_id, version, events FROM "+name)
	if len(got) != len(want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	for _, r := range got {
		if o := want[r[0]]; r[1] != fmt.Sprint(o.Version) || r[2] != fmt.Sprint(o.Events) {
			t.Errorf("session %s has version %s and %s events, want %d, %d", r[0], r[1], r[2], o.Version, o.Events)
		}
	}
	if st := s.Stats(); st.Written != 300 || st.Stored+st.Stale+st.Duplicates != 300 || st.Duplicates == 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestOfRowsWithoutVersionsTheFirstStays(t *testing.T) {
	type part struct {
		At       table.Millis `col:"at,sort1,day" doc:"a time"`
		Sequence *string      `col:"sequence,null,sort2" mask:"none" doc:"part of the identity, and may be null"`
		N        int64        `col:"n" doc:"a number"`
	}
	parts := table.MustOf[part]("redshiftio.parts", 1)
	w := newWorld(t, redshift.Options{})
	inBothWays(t, w, func(t *testing.T, via string) {
		name := w.name()
		for n := range int64(2) {
			s := open(t, w.url(name, via, ""), parts, driver.SinkOptions{})
			s.mustWrite(t, table.Sealed, part{At: 1, N: 10 * n}, part{At: 1, N: 10*n + 1}, part{At: 1, Sequence: pointer(""), N: 10*n + 2}, part{At: 1, Sequence: pointer("a"), N: 10*n + 3})
			if st := s.Stats(); st.Duplicates != 1 || st.Stale != 3*n || st.Stored != 3-3*n {
				t.Errorf("stats %+v", st)
			}
		}
		want := [][]string{{"0", "NULL"}, {"2", ""}, {"3", "a"}}
		if d := cmp.Diff(want, w.all(t, "SELECT n, sequence FROM "+name+" ORDER BY n")); d != "" {
			t.Errorf("rows (-want +got):\n%s", d)
		}
	})
}

func TestALoadThatComesAgainChangesNothing(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	inBothWays(t, w, func(t *testing.T, via string) {
		name := w.name()
		rows := []any{measure{ID: id(1)}, measure{ID: id(2)}}
		open(t, w.url(name, via, ""), measures, driver.SinkOptions{}).mustWrite(t, table.Sealed, rows...)
		w.exec(t, "DELETE FROM "+name) // what the load did is undone by someone else
		slices.Reverse(rows)
		again := open(t, w.url(name, via, ""), measures, driver.SinkOptions{})
		again.mustWrite(t, table.Sealed, rows...)
		if st := again.Stats(); st.Replays != 1 || st.Stale != 2 || st.Stored != 0 {
			t.Errorf("stats %+v", st)
		}
		if n := w.all(t, "SELECT count(*) FROM "+name)[0][0]; n != "0" {
			t.Errorf("the load was carried out again: %s rows", n)
		}
		if got := w.all(t, "SELECT count(*), sum(row_count) FROM "+name+"_loads")[0]; got[0] != "1" || got[1] != "2" {
			t.Errorf("the ledger has %v loads and rows", got)
		}
	})
}

func TestLoadsAtTheSameTimeDoNotHurtEachOther(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	inBothWays(t, w, func(t *testing.T, via string) {
		const writers, keys = 4, 50
		name := w.name()
		var writing sync.WaitGroup
		for writer := range writers {
			writing.Go(func() {
				s, err := Open(t.Context(), w.url(name, via, "&rows=20"), weblog.Sessions, driver.SinkOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				b := table.NewBatch(weblog.Sessions)
				for i := range keys {
					version := int64((i + writer) % writers)
					b.Append(visit(fmt.Sprint("s", (i*7+writer)%keys), 1+version, 1+version))
				}
				if err := s.Write(t.Context(), table.Rows{Batch: b}); err != nil {
					t.Error(err)
				}
				if err := s.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		writing.Wait()
		want := map[string]int64{}
		for writer := range writers {
			for i := range keys {
				key := fmt.Sprint("s", (i*7+writer)%keys)
				want[key] = max(want[key], int64(1+(i+writer)%writers))
			}
		}
		got := w.all(t, "SELECT session_id, version FROM "+name)
		if len(got) != len(want) {
			t.Errorf("%d rows, want %d", len(got), len(want))
		}
		for _, r := range got {
			if r[1] != fmt.Sprint(want[r[0]]) {
				t.Errorf("session %s has version %s, want %d", r[0], r[1], want[r[0]])
			}
		}
	})
}

func TestColumnsThatComeLaterAreAdded(t *testing.T) {
	type first struct {
		At      table.Millis `col:"at,sort1,day" doc:"a time"`
		Version int64        `col:"version" doc:"the greater one wins"`
	}
	type later struct {
		At      table.Millis `col:"at,sort1,day" doc:"a time"`
		Version int64        `col:"version" doc:"the greater one wins"`
		Name    *string      `col:"name,null" mask:"scanned" doc:"a text"`
		Payload *[]byte      `col:"payload,null" mask:"sealed" doc:"bytes"`
	}
	type other struct {
		At      table.Millis `col:"at,sort1,day" doc:"a time"`
		Version int64        `col:"version" doc:"the greater one wins"`
		Name    *int64       `col:"name,null" doc:"a number"`
	}
	w := newWorld(t, redshift.Options{})
	inBothWays(t, w, func(t *testing.T, via string) {
		name := w.name()
		url := w.url(name, via, "")
		open(t, url, table.MustOf[first]("redshiftio.columns", 1), driver.SinkOptions{}).mustWrite(t, table.Sealed, first{At: 1, Version: 1})
		laterSchema := table.MustOf[later]("redshiftio.columns", 2)
		if err := open(t, w.url(name, via, "&ddl=skip"), laterSchema, driver.SinkOptions{}).write(t, table.Sealed, later{At: 2}); err == nil || !strings.Contains(err.Error(), "lacks the column name") {
			t.Errorf("with ddl=skip: %v", err)
		}
		var adding sync.WaitGroup // workers do it at the same time
		for range 3 {
			adding.Go(func() {
				s, err := Open(t.Context(), url, laterSchema, driver.SinkOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				b := table.NewBatch(laterSchema)
				b.Append(later{At: 2, Version: 1, Name: pointer("x"), Payload: &[]byte{7}})
				if err := s.Write(t.Context(), table.Rows{Batch: b}); err != nil {
					t.Error(err)
				}
				if err := s.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		adding.Wait()
		want := [][]string{{"1970-01-01 00:00:00.001", "NULL", "NULL"}, {"1970-01-01 00:00:00.002", "x", `\x07`}}
		if d := cmp.Diff(want, w.all(t, "SELECT at, name, payload FROM "+name+"_current ORDER BY 1")); d != "" {
			t.Errorf("rows (-want +got):\n%s", d)
		}
		// A writer of the earlier schema goes on beside them.
		open(t, url, table.MustOf[first]("redshiftio.columns", 1), driver.SinkOptions{}).mustWrite(t, table.Sealed, first{At: 3, Version: 1})
		err := open(t, url, table.MustOf[other]("redshiftio.columns", 3), driver.SinkOptions{}).write(t, table.Sealed, other{At: 3})
		if err == nil || !strings.Contains(err.Error(), "name is character varying") {
			t.Errorf("a column of another type gives %v", err)
		}
	})
}

// staged lists the objects on the stage.
func (w *world) staged(t *testing.T) (keys []string) {
	t.Helper()
	out, err := w.s3.Client(t).ListObjectsV2(t.Context(), listing(w.s3.Bucket))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out.Contents {
		keys = append(keys, *o.Key)
	}
	return keys
}
