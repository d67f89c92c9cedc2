package lakeio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// smallCut makes several row groups and files of few rows.
var smallCut = cut{groupRows: 200, fileBytes: 4_000}

// mergeAll merges the runs of every part and gives the content of each file.
func mergeAll(t *testing.T, s *table.Schema, c cut, parts map[Part][]Run) ([]File, map[string]string) {
	t.Helper()
	var files []File
	content := map[string]string{}
	for _, p := range slices.SortedFunc(maps.Keys(parts), func(a, b Part) int { return cmpOr(a.Day-b.Day, int64(a.Shard-b.Shard)) }) {
		rows := 0
		m := &fileMerger{ctx: t.Context(), cut: c, schema: s, part: p, to: folderFiles(t.TempDir()), written: func(n int) { rows += n }}
		made, err := m.merge(localRuns(parts[p]))
		if err != nil {
			t.Fatal(err)
		}
		var total int64
		for _, f := range made {
			if _, twice := content[f.Key]; twice {
				t.Errorf("two files are called %s", f.Key)
			}
			data := read(t, f.Staged)
			sum := sha256.Sum256([]byte(data))
			if f.SHA256 != hex.EncodeToString(sum[:]) || f.Bytes != int64(len(data)) || f.Schema != s.ID() || f.Part != p {
				t.Errorf("%+v is not what %s holds", f, f.Staged)
			}
			content[f.Key] = data
			total += f.Rows
		}
		if int64(rows) != total {
			t.Errorf("%d rows were told of, the files of %v hold %d", rows, p, total)
		}
		files = append(files, made...)
	}
	return files, content
}

func stored[T any](t *testing.T, path string) []T {
	t.Helper()
	return decodeFile[T](t, []byte(read(t, path)))
}

func TestBytesDependOnRowsAlone(t *testing.T) {
	rows := makeNumbers(seeded(3), 24_000, 3)
	ways := []struct {
		name         string
		procs        int
		batch, frame int
	}{
		{"one batch", 4, len(rows), frameRows},
		{"one core", 1, len(rows), frameRows},
		{"small batches", 4, 1500, frameRows},
		{"small batches on one core", 1, 1500, frameRows},
		{"small frames", 2, 3000, 37},
		{"many batches", 3, 150, 16},
	}
	for _, shards := range []int{1, 3} {
		var first map[string]string
		for _, way := range ways {
			t.Run(fmt.Sprintf("%d shards/%s", shards, way.name), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(way.procs))
				s := NewSpiller(t.TempDir(), "x", shards)
				s.frame = way.frame
				files, got := mergeAll(t, numbers, smallCut, spillAll(t, s, inBatches(seeded(uint64(way.batch)), numbers, rows, way.batch)))
				if len(files) < 2*3*shards {
					t.Errorf("only %d files: the cut is not tested", len(files))
				}
				if first == nil {
					first = got
					return
				}
				if diff := cmp.Diff(slices.Sorted(maps.Keys(first)), slices.Sorted(maps.Keys(got))); diff != "" {
					t.Fatalf("other files (-%s +%s):\n%s", ways[0].name, way.name, diff)
				}
				for key := range first {
					if first[key] != got[key] {
						t.Errorf("%s has other bytes", key)
					}
				}
			})
		}
	}
}

func TestFilesOfADayHoldItsRowsOnceInOrder(t *testing.T) {
	for _, shards := range []int{1, 4} {
		rows := makeNumbers(seeded(4), 6_000, 2)
		parts := spillAll(t, NewSpiller(t.TempDir(), "x", shards), inBatches(seeded(5), numbers, rows, 900))
		if len(parts) != 2*shards {
			t.Errorf("%d shards of 2 days are %d parts", shards, len(parts))
		}
		files, _ := mergeAll(t, numbers, smallCut, parts)
		byPart := map[Part][]number{}
		var all []number
		for _, f := range files {
			list := stored[number](t, f.Staged)
			if int64(len(list)) != f.Rows {
				t.Errorf("%s says %d rows and holds %d", f.Key, f.Rows, len(list))
			}
			byPart[f.Part] = append(byPart[f.Part], list...)
			all = append(all, list...)
		}
		order := func(a, b number) int {
			return cmpOr(int64(a.At)-int64(b.At), int64(a.Source[0])-int64(b.Source[0]), a.N-b.N)
		}
		for p, list := range byPart {
			if !slices.IsSortedFunc(list, order) {
				t.Errorf("the files of %v, one after the other, are not in order", p)
			}
			for _, row := range list {
				if table.FloorDay(int64(row.At)) != p.Day {
					t.Fatalf("%v is stored as of %s", row, DayText(p.Day))
				}
			}
		}
		slices.SortFunc(all, order)
		slices.SortFunc(rows, order)
		if diff := cmp.Diff(rows, all); diff != "" {
			t.Errorf("%d shards (-written +stored):\n%s", shards, diff)
		}
	}
}

func TestAFileEndsAtTheFirstRowGroupPastItsSize(t *testing.T) {
	rows := makeNumbers(seeded(6), 20_000, 1)
	files, content := mergeAll(t, numbers, smallCut, spillAll(t, NewSpiller(t.TempDir(), "x", 1), inBatches(seeded(7), numbers, rows, 2_000)))
	if len(files) < 4 {
		t.Fatalf("only %d files", len(files))
	}
	for i, f := range files {
		groups := openParquet(t, []byte(content[f.Key])).RowGroups()
		for k, g := range groups {
			if last := i == len(files)-1 && k == len(groups)-1; !last && g.NumRows() != int64(smallCut.groupRows) {
				t.Errorf("row group %d of file %d has %d rows", k, i, g.NumRows())
			}
		}
		average := f.Bytes / int64(len(groups))
		if most := smallCut.fileBytes + (settled+2)*average; f.Bytes > most {
			t.Errorf("file %d has %d bytes, more than %d", i, f.Bytes, most)
		}
		if i < len(files)-1 && f.Bytes < smallCut.fileBytes {
			t.Errorf("file %d ends early, after %d bytes", i, f.Bytes)
		}
	}
}

func TestFilesWithEqualFirstRowsHaveNamesOfTheirOwn(t *testing.T) {
	rows := make([]number, 20_000)
	r := seeded(8)
	for i := range rows {
		note := fmt.Sprint(r.Uint64())
		rows[i] = number{Source: "s", Note: &note}
	}
	files, content := mergeAll(t, numbers, smallCut, spillAll(t, NewSpiller(t.TempDir(), "x", 1), []*table.Batch{batchOf(numbers, rows)}))
	if len(files) < 2 || len(content) != len(files) {
		t.Errorf("%d files have %d names", len(files), len(content))
	}
}

func TestTheDayOfARowIsCutAtMidnight(t *testing.T) {
	const day = 86_400_000
	for at, want := range map[table.Millis]string{
		0: "1970-01-01", day - 1: "1970-01-01", day: "1970-01-02", -1: "1969-12-31", -day: "1969-12-31", -day - 1: "1969-12-30",
		951_868_799_999: "2000-02-29", 951_868_800_000: "2000-03-01", -62_135_596_800_000: "0001-01-01",
	} {
		parts := spillAll(t, NewSpiller(t.TempDir(), "x", 1), []*table.Batch{batchOf(numbers, []number{{At: at}})})
		for p := range parts {
			if got := DayText(p.Day); got != want {
				t.Errorf("%d ms is of %s, not %s", at, got, want)
			}
			if back, err := ParseDay(want); err != nil || back != p.Day {
				t.Errorf("%s is day %d, not %d: %v", want, back, p.Day, err)
			}
		}
	}
	if got := PartitionKey("events", -1); got != "events/year=1969/month=12/day=31" {
		t.Errorf("the folder is %s", got)
	}
	parts := spillAll(t, NewSpiller(t.TempDir(), "x", 1), []*table.Batch{batchOf(words, []word{{Day: -1}, {Day: 0}, {Day: -1, N: 2}})})
	if n := parts[Part{Output: "x", Day: -1}]; len(parts) != 2 || n[0].Rows != 2 {
		t.Errorf("a date cuts days into %v", parts)
	}
}

func TestAMergeThatFailsLeavesNoFile(t *testing.T) {
	spilled := func(t *testing.T) []Run {
		return spillAll(t, NewSpiller(t.TempDir(), "x", 1), inBatches(seeded(9), numbers, makeNumbers(seeded(9), 20_000, 1), 2_000))[Part{Output: "x"}]
	}
	merge := func(ctx context.Context, t *testing.T, dir string, runs []Run, written func(int)) error {
		t.Helper()
		m := &fileMerger{ctx: ctx, cut: smallCut, schema: numbers, part: runs[0].Part, to: folderFiles(dir), written: written}
		files, err := m.merge(localRuns(runs))
		if err == nil || len(files) > 0 {
			t.Errorf("it gives %d files and the error %v", len(files), err)
		}
		if left, err := os.ReadDir(dir); err == nil && len(left) > 0 {
			t.Errorf("%d files are left", len(left))
		}
		return err
	}
	t.Run("by a damaged run", func(t *testing.T) {
		runs := spilled(t)
		late := slices.MaxFunc(runs, func(a, b Run) int { return cmpOr(a.First - b.First) })
		write(t, late.Path, read(t, late.Path)[:60])
		_ = merge(t.Context(), t, t.TempDir(), runs, func(int) {})
	})
	t.Run("by a missing run", func(t *testing.T) {
		runs := spilled(t)
		os.Remove(slices.MaxFunc(runs, func(a, b Run) int { return cmpOr(a.First - b.First) }).Path)
		if err := merge(t.Context(), t, t.TempDir(), runs, func(int) {}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("by a cancellation", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		rows := 0
		err := merge(ctx, t, t.TempDir(), spilled(t), func(n int) {
			if rows += n; rows > 10_000 {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) || rows > 13_000 {
			t.Errorf("it goes on up to row %d, then gives %v", rows, err)
		}
	})
	t.Run("by a folder that is not there", func(t *testing.T) {
		_ = merge(t.Context(), t, filepath.Join(t.TempDir(), "absent"), spilled(t), func(int) {})
	})
}

func TestNoRowsMakeNoFile(t *testing.T) {
	dir := t.TempDir()
	files, err := MergeRuns(t.Context(), weblog.Events, Part{Output: "events"}, 0, nil, dir, func(int) { t.Error("rows") })
	if err != nil || len(files) > 0 || len(filesIn(t, dir)) > 0 {
		t.Errorf("%v, %v", files, err)
	}
}

func openParquet(t *testing.T, data []byte) *parquet.File {
	t.Helper()
	f, err := parquet.OpenFile(readerAt(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
