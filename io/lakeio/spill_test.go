package lakeio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"millrace/schemas/raw"
	"millrace/schemas/table"
)

func TestARunTellsWhatItHolds(t *testing.T) {
	rows := []number{{At: 5, Source: "b"}, {At: 3, Source: "a"}, {At: 4, Source: "b"}, {At: -86_400_001, Source: "c"}}
	parts := spillAll(t, NewSpiller(t.TempDir(), "x", 1), []*table.Batch{batchOf(numbers, rows)})
	r := parts[Part{Output: "x"}][0]
	if r.Rows != 3 || r.First != 3 || !slices.Equal(r.Sources, []string{"a", "b"}) {
		t.Errorf("%+v", r)
	}
	if r := parts[Part{Output: "x", Day: -2}][0]; r.Rows != 1 || r.First != -86_400_001 || !slices.Equal(r.Sources, []string{"c"}) {
		t.Errorf("%+v", r)
	}
}

// TestAFileKeepsItsNameWhenAColumnEntersTheOrder: old rows have null there.
func TestAFileKeepsItsNameWhenAColumnEntersTheOrder(t *testing.T) {
	row := func(sequence *string) []byte {
		return sortKey(nil, batchOf(raw.Rows, []raw.Row{{Source: "s", Sequence: sequence, Position: 7, NotedTime: 5}}), 0)
	}
	before := append(binary.BigEndian.AppendUint64(nil, 5), 's', 0)
	before = binary.BigEndian.AppendUint64(before, 7)
	if got := row(nil); !bytes.Equal(got, before) {
		t.Errorf("the key is %x and was %x", got, before)
	}
	one, other := "1", "2"
	if bytes.Equal(row(&one), row(&other)) || bytes.Equal(row(&one), before) {
		t.Error("rows of different stream records have one key")
	}
}

func TestASpillThatFailsIsReportedAndLeavesNothing(t *testing.T) {
	batches := func() []*table.Batch { return inBatches(seeded(1), numbers, makeNumbers(seeded(1), 5_000, 4), 500) }
	// spill adds batches up to the first error, as a bundle does.
	spill := func(s *Spiller) error {
		for _, b := range batches() {
			if err := s.Add(b); err != nil {
				return err
			}
		}
		runs, err := s.Finish()
		if err != nil && len(runs) > 0 {
			return fmt.Errorf("beside the error there are %d runs: %w", len(runs), err)
		}
		return err
	}
	t.Run("a folder that is not there", func(t *testing.T) {
		err := spill(NewSpiller(filepath.Join(t.TempDir(), "absent"), "x", 2))
		if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "spilling") || !strings.Contains(err.Error(), "a folder that all machines share") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("a frozen day", func(t *testing.T) {
		dir := t.TempDir()
		w := Writing{Staging: dir, Output: "x", Schema: numbers.ID(), Frozen: map[int64]string{2: "1970-01-03 is kept"}}
		if err := openStaging(t, dir).Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := spill(openWriter(t, w).Spiller(t.Context())); err == nil || !strings.Contains(err.Error(), "1970-01-03 is kept") {
			t.Errorf("the error is %v", err)
		}
		if left := filesIn(t, dir); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	})
	t.Run("a full disk", func(t *testing.T) {
		dir := t.TempDir()
		child := again(t, "TestHelperSpillsWithoutRoom", "LAKEIO_SPILL="+dir)
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if left := filesIn(t, dir); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	})
	t.Run("and then goes on with other rows", func(t *testing.T) {
		dir := t.TempDir()
		s := NewSpiller(dir, "x", 1)
		s.frozen = map[int64]string{2: "frozen"}
		if err := spill(s); err == nil {
			t.Fatal("no error")
		}
		if _, err := s.Finish(); err == nil {
			t.Error("Finish forgot the error")
		}
		if parts := spillAll(t, s, []*table.Batch{batchOf(numbers, []number{{At: 1}})}); len(parts) != 1 || len(filesIn(t, dir)) != 1 {
			t.Errorf("the next bundle gives %v", parts)
		}
	})
}

// TestHelperSpillsWithoutRoom runs in a process of its own, which may write no
// file beyond 4 KiB: writing fails midway as on a full disk.
func TestHelperSpillsWithoutRoom(t *testing.T) {
	dir := os.Getenv("LAKEIO_SPILL")
	if dir == "" {
		t.Skip("is run by another test")
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4 << 10, Max: 4 << 10}); err != nil {
		t.Fatal(err)
	}
	s := NewSpiller(dir, "x", 1)
	for _, n := range []int{10, 10, 5_000, 10} {
		if err := s.Add(batchOf(numbers, makeNumbers(seeded(uint64(n)), n, 1))); err != nil {
			break
		}
	}
	if runs, err := s.Finish(); !errors.Is(err, syscall.EFBIG) || len(runs) > 0 {
		t.Errorf("%d runs, the error is %v", len(runs), err)
	}
}

// oneRun spills rows as one run of small frames.
func oneRun(t testing.TB, rows []number) Run {
	t.Helper()
	s := NewSpiller(t.TempDir(), "x", 1)
	s.frame = 10
	return spillAll(t, s, []*table.Batch{batchOf(numbers, rows)})[Part{Output: "x"}][0]
}

func readRun(r Run) (rows int, err error) {
	err = mergeRuns(noContext{}, numbers, []Run{r}, func(p piece) error { rows += p.to - p.from; return nil })
	return rows, err
}

func TestADamagedRunIsAnError(t *testing.T) {
	run := oneRun(t, makeNumbers(seeded(1), 55, 1))
	whole := read(t, run.Path)
	other := oneRun(t, makeNumbers(seeded(1), 60, 1))
	if n, err := readRun(run); n != 55 || err != nil {
		t.Fatalf("undamaged it gives %d rows, %v", n, err)
	}
	t.Run("cut anywhere", func(t *testing.T) {
		for n := range len(whole) {
			write(t, run.Path, whole[:n])
			if rows, err := readRun(run); err == nil {
				t.Errorf("cut to %d of %d bytes it gives %d rows and no error", n, len(whole), rows)
			}
		}
	})
	t.Run("changed anywhere", func(t *testing.T) {
		for n := range len(whole) {
			data := []byte(whole)
			data[n] ^= 0x10
			write(t, run.Path, string(data))
			if _, err := readRun(run); err == nil {
				t.Errorf("with byte %d of %d changed there is no error", n, len(whole))
			}
		}
	})
	t.Run("longer than it was", func(t *testing.T) {
		write(t, run.Path, whole+read(t, other.Path))
		if _, err := readRun(run); err == nil {
			t.Error("no error")
		}
	})
	t.Run("empty beside others", func(t *testing.T) {
		write(t, run.Path, "")
		list := []Run{{First: 0, Rows: other.Rows, Path: other.Path}, {First: 1 << 40, Rows: run.Rows, Path: run.Path}}
		calls := 0
		err := mergeRuns(t.Context(), numbers, list, func(piece) error {
			if calls++; calls > 1_000 {
				return errors.New("it does not end")
			}
			return nil
		})
		if err == nil || calls > 1_000 {
			t.Errorf("after %d pieces: %v", calls, err)
		}
	})
	t.Run("of another schema", func(t *testing.T) {
		foreign := spillAll(t, NewSpiller(t.TempDir(), "x", 1), []*table.Batch{batchOf(words, []word{{Word: "a"}})})[Part{Output: "x"}]
		if _, err := MergeRuns(t.Context(), numbers, Part{Output: "x"}, 0, append(foreign, other), t.TempDir(), func(int) {}); err == nil {
			t.Error("no error")
		}
	})
}
