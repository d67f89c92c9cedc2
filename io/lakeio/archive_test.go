package lakeio

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/raw"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// archivedRows are rows in the order of an archive: a few logs side by side.
func archivedRows(seed uint64, n int) []raw.Row {
	rng := rand.New(rand.NewPCG(seed, 1))
	rows := make([]raw.Row, n)
	for i := range rows {
		r := raw.Row{
			Source: fmt.Sprintf("%032x", 1+rng.IntN(3)), Position: int64(200 * i), NotedTime: table.Millis(1_772_359_200_000 + int64(i/5)*1000),
			Payload: make([]byte, rng.IntN(300)),
		}
		for j := range r.Payload {
			r.Payload[j] = byte(rng.Uint32()) // line feeds, too
		}
		if rng.IntN(4) > 0 {
			r.KeyID = ptr([]string{"k1", "k2"}[rng.IntN(2)])
		}
		if rng.IntN(3) == 0 {
			r.ArrivalTime = ptr(int64(r.NotedTime))
		}
		if rng.IntN(3) > 0 {
			r.Format = ptr([]string{"combined", "common"}[rng.IntN(2)])
		}
		if rng.IntN(50) == 0 {
			r.Length = ptr(int64(5 << 20))
		}
		rows[i] = r
	}
	sortRows(rows)
	return rows
}

// archivedStream are rows of a live archive: shards side by side, a few records
// of each stream record, all with their arrival.
func archivedStream(seed uint64, n int) []raw.Row {
	rng := rand.New(rand.NewPCG(seed, 2))
	rows := archivedRows(seed, n)
	sequence, arrival, number := "", int64(0), int64(0)
	for i := range rows {
		r := &rows[i]
		if number--; number < 0 {
			number = rng.Int64N(5)
			sequence = record.Sequence(fmt.Sprintf("4962%d%04d", seed, i))
			arrival = 1_772_359_200_000 + int64(i/7)*250
		}
		r.Source = fmt.Sprintf("%032x", 0xabc+i%2)
		r.Sequence, r.Position = ptr(sequence), int64(i)
		r.ArrivalTime, r.NotedTime = ptr(arrival), table.Millis(arrival)
	}
	sortRows(rows)
	return rows
}

func sortRows(rows []raw.Row) {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	slices.SortStableFunc(rows, func(a, b raw.Row) int {
		return cmp.Or(cmp.Compare(a.NotedTime, b.NotedTime), cmp.Compare(a.Source, b.Source), cmp.Compare(text(a.Sequence), text(b.Sequence)), cmp.Compare(a.Position, b.Position))
	})
}

func ptr[T any](v T) *T { return &v }

// writeRows writes a Parquet file of rows as a lake would, in row groups of so many.
func writeParquet[T any](t *testing.T, name string, s *table.Schema, rows []T, group int) {
	t.Helper()
	var out bytes.Buffer
	w := newParquetWriter(&out, s, group)
	if err := w.add(piece{batchOf(s, rows), 0, len(rows)}); err != nil {
		t.Fatal(err)
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// readBlocks gives all blocks of a source, split by split.
func readBlocks(t *testing.T, location string) (splits []driver.Split, blocks []record.Block) {
	t.Helper()
	s, err := OpenSource(t.Context(), location, func([]byte) driver.Head { return driver.Head{Format: "detected"} })
	if err != nil {
		t.Fatal(err)
	}
	if splits, err = s.Splits(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, split := range splits {
		r, err := s.Open(t.Context(), split)
		if err != nil {
			t.Fatal(err)
		}
		for {
			b, err := r.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			blocks = append(blocks, b)
		}
		if p, ok := r.(driver.Progress); !ok || p.Progress() > split.Size || p.Progress() == 0 {
			t.Errorf("progress is not between 0 and %d", split.Size)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return splits, blocks
}

// rowsIn turns blocks back into the rows they were read from.
func rowsIn(blocks []record.Block) (rows []raw.Row, duplicates int) {
	for _, b := range blocks {
		if b.Duplicate {
			duplicates += b.Records()
			continue
		}
		at := 0
		for i, end := range b.Ends {
			r := raw.Row{Source: b.Source, Position: b.Positions[i], NotedTime: table.Millis(b.Noted[i]), Payload: slices.Clone(b.Data[at:end])}
			at = end
			if b.Arrivals != nil && b.Arrivals[i] != 0 {
				r.ArrivalTime = ptr(b.Arrivals[i])
			}
			if b.Sequences != nil {
				r.Sequence = ptr(b.Sequences[i])
			}
			if b.KeyID != "" {
				r.KeyID = ptr(b.KeyID)
			}
			if b.Format != "" {
				r.Format = ptr(b.Format)
			}
			if b.Oversize != 0 {
				r.Length = ptr(b.Oversize)
			}
			rows = append(rows, r)
		}
	}
	sortRows(rows)
	return rows, duplicates
}

func TestAnArchiveIsReadRowByRowAsItWasWritten(t *testing.T) {
	for _, n := range []int{1, 17, 5000} {
		for _, group := range []int{100, 1024, 128 << 10} {
			for _, block := range []string{"1KiB", "64KiB", "1MiB"} {
				name := filepath.Join(t.TempDir(), "raw.parquet")
				want := archivedRows(uint64(n), n)
				writeParquet(t, name, raw.Rows, want, group)
				splits, blocks := readBlocks(t, "file://"+name+"?block="+block)
				got, duplicates := rowsIn(blocks)
				if diff := gocmp.Diff(want, got, gocmp.Transformer("text", func(b []byte) string { return string(b) })); diff != "" || duplicates > 0 {
					t.Fatalf("%d rows in groups of %d, blocks of %s, %d duplicates (-want +got):\n%s", n, group, block, duplicates, diff)
				}
				for _, b := range blocks {
					if b.Oversize == 0 && len(b.Data) > 1<<20+300 || b.Name != name {
						t.Errorf("a block of %d bytes of %s", len(b.Data), b.Name)
					}
					if _, err := record.Encode(b); err != nil {
						t.Error(err)
					}
				}
				s := splits[0]
				if len(splits) != 1 || s.Schema != "raw/1" || s.Format != "" || s.Size != s.Length || !slices.IsSorted(s.Origins()) || !slices.IsSorted(s.Keys) {
					t.Errorf("splits %+v", splits)
				}
				if n == 5000 && (len(s.Origins()) != 3 || !slices.Equal(s.Keys, []string{"k1", "k2"})) {
					t.Errorf("origins %v, keys %v", s.Origins(), s.Keys)
				}
			}
		}
	}
}

func TestALiveArchiveIsReadRowByRowAsItWasWritten(t *testing.T) {
	for _, group := range []int{100, 128 << 10} {
		for _, block := range []string{"1KiB", "1MiB"} {
			name := filepath.Join(t.TempDir(), "raw.parquet")
			want := archivedStream(15, 3000)
			writeParquet(t, name, raw.Rows, want, group)
			splits, blocks := readBlocks(t, "file://"+name+"?block="+block)
			got, duplicates := rowsIn(blocks)
			if diff := gocmp.Diff(want, got, gocmp.Transformer("text", func(b []byte) string { return string(b) })); diff != "" || duplicates > 0 {
				t.Fatalf("groups of %d, blocks of %s, %d duplicates (-want +got):\n%s", group, block, duplicates, diff)
			}
			if want := []string{fmt.Sprintf("%032x", 0xabc), fmt.Sprintf("%032x", 0xabd)}; !slices.Equal(splits[0].Origins(), want) {
				t.Errorf("origins %v", splits[0].Origins())
			}
			// The arrivals of a shard are many and do not cut its blocks.
			if most := 3000/10 + 3*12; block == "1MiB" && len(blocks) > most {
				t.Errorf("%d records became %d blocks", len(want), len(blocks))
			}
			for _, b := range blocks {
				if _, err := record.Encode(b); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// TestLogsAndStreamsShareAnArchive: rows without and with a sequence number.
func TestLogsAndStreamsShareAnArchive(t *testing.T) {
	name := filepath.Join(t.TempDir(), "raw.parquet")
	want := append(archivedRows(16, 300), archivedStream(16, 300)...)
	sortRows(want)
	writeParquet(t, name, raw.Rows, want, 128)
	_, blocks := readBlocks(t, name)
	got, duplicates := rowsIn(blocks)
	if diff := gocmp.Diff(want, got, gocmp.Transformer("text", func(b []byte) string { return string(b) })); diff != "" || duplicates > 0 {
		t.Errorf("%d duplicates (-want +got):\n%s", duplicates, diff)
	}
}

func TestASequenceNumberThatIsNoneIsDamage(t *testing.T) {
	name := filepath.Join(t.TempDir(), "raw.parquet")
	rows := archivedStream(17, 3)
	rows[1].Sequence = ptr("77")
	writeParquet(t, name, raw.Rows, rows, 128)
	s, err := OpenSource(t.Context(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	splits, err := s.Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), splits[0])
	for err == nil {
		_, err = r.Next(t.Context())
	}
	if !errors.Is(err, driver.ErrCorrupt) || !strings.Contains(err.Error(), `"77"`) {
		t.Errorf("error %v", err)
	}
}

func TestTheSameArchiveGivesTheSameBlocks(t *testing.T) {
	name := filepath.Join(t.TempDir(), "raw.parquet")
	writeParquet(t, name, raw.Rows, archivedRows(3, 3000), 700)
	_, first := readBlocks(t, "file://"+name+"?block=4KiB")
	_, second := readBlocks(t, "file://"+name+"?block=4KiB")
	if diff := gocmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
}

func TestAFormatThatIsNamedWinsOverTheArchives(t *testing.T) {
	name := filepath.Join(t.TempDir(), "raw.parquet")
	writeParquet(t, name, raw.Rows, archivedRows(4, 50), 100)
	_, blocks := readBlocks(t, "file://"+name+"?format=vhost_combined")
	for _, b := range blocks {
		if b.Format != "vhost_combined" {
			t.Errorf("format %s", b.Format)
		}
	}
}

func TestAnOriginTwiceInAFileIsADuplicate(t *testing.T) {
	name := filepath.Join(t.TempDir(), "raw.parquet")
	rows := archivedRows(5, 40)
	writeParquet(t, name, raw.Rows, append(append(slices.Clone(rows[:20]), rows[19]), rows[20:]...), 20)
	_, blocks := readBlocks(t, name)
	got, duplicates := rowsIn(blocks)
	if len(got) != 40 || duplicates != 1 {
		t.Errorf("%d rows and %d duplicates", len(got), duplicates)
	}
	// Of a stream, the same number in another stream record is another origin.
	rows = archivedStream(5, 40)
	for i := range rows {
		rows[i].Position = 0
		rows[i].Sequence, rows[i].Length = ptr(record.Sequence(fmt.Sprint(i))), nil
		rows[i].ArrivalTime, rows[i].NotedTime = ptr(int64(7)), 7
	}
	sortRows(rows)
	writeParquet(t, name, raw.Rows, append(append(slices.Clone(rows[:20]), rows[19]), rows[20:]...), 20)
	_, blocks = readBlocks(t, name)
	if got, duplicates := rowsIn(blocks); len(got) != 40 || duplicates != 1 {
		t.Errorf("%d rows and %d duplicates of a stream", len(got), duplicates)
	}
}

func TestACopyOfAnArchiveCountsAsDuplicates(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		writeParquet(t, filepath.Join(dir, name, "2026-03-01-s00-r0-0011223344556677.parquet"), raw.Rows, archivedRows(6, 30), 100)
	}
	splits, blocks := readBlocks(t, dir)
	got, duplicates := rowsIn(blocks)
	if len(got) != 30 || duplicates != 30 || splits[0].ID == splits[1].ID {
		t.Errorf("%d rows and %d duplicates in %+v", len(got), duplicates, splits)
	}
}

func TestAnArchiveOlderThanAColumnIsRead(t *testing.T) {
	older := *raw.Rows
	older.Columns = slices.DeleteFunc(slices.Clone(older.Columns), func(c table.Column) bool {
		return slices.Contains([]string{"sequence", "format", "length"}, c.Name)
	})
	name := filepath.Join(t.TempDir(), "raw.parquet")
	rows := archivedRows(7, 30)
	b := table.NewBatch(&older)
	for i := range rows {
		r := &rows[i]
		r.Format, r.Length = nil, nil
		for col, put := range []func(col int){
			func(col int) { b.PutString(col, r.Source) },
			func(col int) { b.PutInt(col, r.Position) },
			func(col int) { b.PutInt(col, int64(r.NotedTime)) },
			func(col int) { b.PutNull(col) },
			func(col int) { b.PutNull(col) },
			func(col int) { b.PutText(col, r.Payload) },
		} {
			put(col)
		}
		r.ArrivalTime, r.KeyID = nil, nil
		b.EndRow()
	}
	var out bytes.Buffer
	w := newParquetWriter(&out, &older, 100)
	if err := errors.Join(b.Check(), w.add(piece{b, 0, len(rows)}), w.close(), os.WriteFile(name, out.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	_, blocks := readBlocks(t, name)
	if got, _ := rowsIn(blocks); gocmp.Diff(rows, got) != "" {
		t.Error(gocmp.Diff(rows, got))
	}
}

func TestWhatIsNoRawArchiveIsRefused(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "raw.parquet")
	writeParquet(t, whole, raw.Rows, archivedRows(8, 2000), 500)
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	log := []byte("a line\n")
	id := "" // of log
	{
		name := filepath.Join(t.TempDir(), "a.log")
		if err := os.WriteFile(name, log, 0o644); err != nil {
			t.Fatal(err)
		}
		splits, _ := readBlocks(t, name)
		id = splits[0].Source
	}
	ofLog := archivedRows(9, 20)
	for i := range ofLog {
		ofLog[i].Source = id
	}
	for name, c := range map[string]struct {
		put   func(t *testing.T, dir string)
		class error
		words string
	}{
		"events": {func(t *testing.T, dir string) {
			writeParquet(t, filepath.Join(dir, "e.parquet"), weblog.Events, []weblog.Event{{VisitorID: "v", Source: "s"}}, 10)
		}, driver.ErrInvalid, "weblog.events/1"},
		"rows of another program": {func(t *testing.T, dir string) {
			foreign := bytes.Replace(data, []byte(schemaKey), []byte("someone.schema!"[:len(schemaKey)]), 1)
			putBytes(t, dir, "f.parquet", foreign)
		}, driver.ErrInvalid, "of another program"},
		"a later schema": {func(t *testing.T, dir string) {
			putBytes(t, dir, "f.parquet", bytes.Replace(data, []byte("raw/1"), []byte("raw/2"), 1))
		}, driver.ErrInvalid, "raw/2"},
		"a file cut short": {func(t *testing.T, dir string) { putBytes(t, dir, "f.parquet", data[:len(data)-20]) }, driver.ErrCorrupt, "damaged"},
		"a log beside its archive": {func(t *testing.T, dir string) {
			putBytes(t, dir, "a.log", log)
			writeParquet(t, filepath.Join(dir, "x.parquet"), raw.Rows, ofLog, 10)
		}, driver.ErrInvalid, "would count twice"},
		"two archives of a day": {func(t *testing.T, dir string) {
			writeParquet(t, filepath.Join(dir, "a", "x.parquet"), raw.Rows, archivedRows(9, 100), 10)
			writeParquet(t, filepath.Join(dir, "b", "x.parquet"), raw.Rows, archivedRows(10, 100), 10)
		}, driver.ErrInvalid, "would count twice"},
		"two revisions of a day": {func(t *testing.T, dir string) {
			writeParquet(t, filepath.Join(dir, "2026-03-01-s00-r0-00.parquet"), raw.Rows, archivedRows(9, 100), 10)
			writeParquet(t, filepath.Join(dir, "2026-03-01-s01-r1-00.parquet"), raw.Rows, archivedRows(10, 100), 10)
		}, driver.ErrInvalid, "would count twice"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.put(t, dir)
			s, err := OpenSource(t.Context(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = s.Splits(t.Context()); !errors.Is(err, c.class) || !strings.Contains(fmt.Sprint(err), c.words) {
				t.Errorf("error %v, want one of class %v that says %q", err, c.class, c.words)
			}
		})
	}
}

func putBytes(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTheFilesOfADayOfAnArchiveBelongTogether(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		rows := archivedRows(uint64(20+i), 50)
		writeParquet(t, filepath.Join(dir, fmt.Sprintf("2026-03-01-s%02d-r2-0011223344556677.parquet", i)), raw.Rows, rows, 100)
	}
	_, blocks := readBlocks(t, dir)
	if got, duplicates := rowsIn(blocks); len(got) != 150 || duplicates > 0 {
		t.Errorf("%d rows, %d duplicates", len(got), duplicates)
	}
}

// TestTheManyFilesOfALiveArchiveAreNoOverlap: rolls become files one by one, all
// of revision 0 and of the same shards.
func TestTheManyFilesOfALiveArchiveAreNoOverlap(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "raw", "year=2026", "month=03", "day=01")
	for i := range 40 {
		writeParquet(t, filepath.Join(dir, fmt.Sprintf("2026-03-01-s00-r0-%016x.parquet", 77*i)), raw.Rows, archivedStream(uint64(100+i), 25), 100)
	}
	splits, blocks := readBlocks(t, dir)
	got, duplicates := rowsIn(blocks)
	if len(splits) != 40 || len(got) != 40*25 || duplicates > 0 {
		t.Errorf("%d splits, %d rows, %d duplicates", len(splits), len(got), duplicates)
	}
	ids := map[string]bool{}
	for _, s := range splits {
		ids[s.ID] = true
	}
	if len(ids) != 40 {
		t.Errorf("%d splits have an id of their own", len(ids))
	}
	// A backfill's rows of that day, beside them, are one.
	writeParquet(t, filepath.Join(dir, "2026-03-01-s00-r1-0011223344556677.parquet"), raw.Rows, archivedStream(200, 25), 100)
	s, err := OpenSource(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Splits(t.Context()); !errors.Is(err, driver.ErrInvalid) {
		t.Errorf("two revisions: %v", err)
	}
}

// TestADamagedArchiveIsAnErrorAndNeverAPanic turns bytes around, one at a time.
func TestADamagedArchiveIsAnErrorAndNeverAPanic(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "raw.parquet")
	writeParquet(t, name, raw.Rows, append(archivedRows(11, 200), archivedStream(11, 100)...), 100)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(12, 1))
	damaged := 0
	for range 300 {
		bad := slices.Clone(data)
		at := 4 + rng.IntN(len(bad)-8)
		bad[at] ^= byte(1 + rng.IntN(255))
		putBytes(t, dir, "raw.parquet", bad)
		s, err := OpenSource(t.Context(), name, nil)
		if err != nil {
			t.Fatal(err)
		}
		splits, err := s.Splits(t.Context())
		for _, split := range splits {
			var r driver.Reader
			if r, err = s.Open(t.Context(), split); err != nil {
				break
			}
			for err == nil {
				_, err = r.Next(t.Context())
			}
			r.Close()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			damaged++
			if !errors.Is(err, driver.ErrCorrupt) && !errors.Is(err, driver.ErrInvalid) {
				t.Fatalf("byte %d: %v", at, err)
			}
		}
	}
	if damaged == 0 {
		t.Error("no damage was noticed")
	}
}

func TestAnArchiveThatChangesAfterItWasPlannedIsAnError(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "raw.parquet")
	writeParquet(t, name, raw.Rows, archivedRows(13, 300), 100)
	s, err := OpenSource(t.Context(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	splits, err := s.Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name, name+".old"); err != nil {
		t.Fatal(err)
	}
	writeParquet(t, name, raw.Rows, archivedRows(14, 300), 100)
	r, err := s.Open(t.Context(), splits[0])
	for err == nil {
		_, err = r.Next(t.Context())
	}
	if !errors.Is(err, driver.ErrChanged) {
		t.Errorf("error %v", err)
	}
}
