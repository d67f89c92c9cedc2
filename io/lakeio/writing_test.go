package lakeio

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/table"
)

func TestAFinishedPartIsNotWrittenAgain(t *testing.T) {
	dir := t.TempDir()
	area := openStaging(t, dir)
	if err := area.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := Writing{Run: "r", Output: "x", Schema: numbers.ID(), Staging: dir}
	rows := makeNumbers(seeded(1), 500, 1)
	merge := func(rows []number) (told int) {
		t.Helper()
		out := openWriter(t, w)
		runs := spillAll(t, out.Spiller(t.Context()), inBatches(seeded(2), numbers, rows, 90))[Part{Output: "x"}]
		if err := out.Merge(t.Context(), runs, func(n int) { told += n }); err != nil {
			t.Fatal(err)
		}
		return told
	}
	staged := func() []File {
		t.Helper()
		files, err := area.Files(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	if n := merge(rows); n != 500 {
		t.Errorf("%d rows are told of", n)
	}
	first := staged()
	if n := merge(rows); n != 500 || !cmp.Equal(first, staged()) {
		t.Errorf("again: %d rows are told of, and %v", n, cmp.Diff(first, staged()))
	}
	if left := filesIn(t, filepath.Join(dir, "runs")); len(left) > 0 {
		t.Errorf("runs stay: %q", left)
	}
	if err := os.Truncate(first[0].Staged, 10); err != nil {
		t.Fatal(err)
	}
	merge(rows)
	if now := staged(); now[0].Staged == first[0].Staged || now[0].SHA256 != first[0].SHA256 {
		t.Errorf("over a damaged file: %+v", now)
	}
	if merge(rows[:400]); staged()[0].Rows != 400 {
		t.Errorf("of other rows: %+v", staged())
	}
	if len(first) != 1 || !slices.Equal(first[0].Sources, []string{"a", "b", "c"}) {
		t.Errorf("%+v", first)
	}
	if _, err := (Writing{Schema: "none/1"}).Open(t.Context()); err == nil || !strings.Contains(err.Error(), "none/1") {
		t.Errorf("an unknown schema: %v", err)
	}
	write(t, filepath.Join(dir, "runs", "x-0-0-old.run"), "left by an earlier attempt")
	if err := area.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := filesIn(t, filepath.Join(dir, "runs")); len(left) > 0 || len(staged()) != 1 {
		t.Errorf("a new attempt finds runs %q and parts %v", left, staged())
	}
}

// Another run may have rewritten the day between two attempts, so that the rows'
// versions and the files' names are old.
func TestAFinishedPartOfAnOldRevisionIsWrittenAgain(t *testing.T) {
	dir := t.TempDir()
	area := openStaging(t, dir)
	if err := area.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	for revision := range int32(2) {
		w := Writing{Run: "r", Output: "x", Schema: numbers.ID(), Staging: dir, Revisions: map[int64]int32{0: revision}}
		out := openWriter(t, w)
		if err := out.Merge(t.Context(), spillAll(t, out.Spiller(t.Context()), []*table.Batch{batchOf(numbers, []number{{N: 1}})})[Part{Output: "x"}], func(int) {}); err != nil {
			t.Fatal(err)
		}
		files, err := area.Files(t.Context())
		if err != nil || len(files) != 1 || !strings.Contains(files[0].Key, fmt.Sprintf("-r%d-", revision)) {
			t.Errorf("revision %d is staged as %+v, %v", revision, files, err)
		}
	}
}
