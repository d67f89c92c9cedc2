package lakeio

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/schemas/record"
)

// Inputs that somebody has made to do harm. Each test states how much the heap may
// grow, beside what the input itself takes.

// bombOf is a gzip file of so many MiB of one byte, about a thousandth of that long.
func bombOf(tb testing.TB, mebibytes int, fill byte) []byte {
	tb.Helper()
	const member = 8
	var one bytes.Buffer
	z := gzip.NewWriter(&one)
	if _, err := z.Write(bytes.Repeat([]byte{fill}, member<<20)); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return bytes.Repeat(one.Bytes(), mebibytes/member)
}

// TestSourcesThatUnfoldTakeTheMemoryOfAFewBlocks: whatever a file unpacks to, a
// reader holds about four blocks of 1 MiB, and buffers.
func TestSourcesThatUnfoldTakeTheMemoryOfAFewBlocks(t *testing.T) {
	const limit = 24 << 20
	dir := t.TempDir()
	put := func(name string, content []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	long := put("long.log", nil) // a line of 1 GiB, all of it a hole
	if err := os.Truncate(long, 1<<30); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		file    string
		content int64
	}{
		"a line of 512 MiB in 512 KiB":   {put("line.log.gz", bombOf(t, 512, 'x')), 512 << 20},
		"2^29 empty lines in 512 KiB":    {put("lines.log.gz", bombOf(t, 512, '\n')), 512 << 20},
		"a line of 1 GiB without an end": {long, 1 << 30},
	} {
		var content int64
		peak := testenv.PeakHeap(t, func() {
			s, err := OpenSource(t.Context(), test.file, nil)
			if err != nil {
				t.Fatal(err)
			}
			splits, err := s.Splits(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, split := range splits {
				err := readMemorySplit(s, split, func(b record.Block) {
					if b.Oversize > 0 {
						content += b.Oversize
						return
					}
					content += int64(len(b.Data))
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		})
		if content != test.content || peak > limit {
			t.Errorf("%s: %d bytes of %d were read, the heap grew by %d MiB", name, content, test.content, peak>>20)
		}
	}
}

// TestBooksThatAreTooLargeAreNotRead: they are refused by their size, or as soon as
// they were read to their limit.
func TestBooksThatAreTooLargeAreNotRead(t *testing.T) {
	root := t.TempDir()
	s := openStore(t, root)
	key := "_ledger/2026-01-01/" + strings.Repeat("a", 32) + "-1.json"
	mustPut(t, s, key, "{}", PutOptions{})
	if err := os.Truncate(filepath.Join(root, key), 3<<29); err != nil { // as large as one of 10^7 files
		t.Fatal(err)
	}
	mustPut(t, s, currentKey("events"), "{}", PutOptions{})
	if err := os.Truncate(filepath.Join(root, currentKey("events")), maxJSON+1); err != nil {
		t.Fatal(err)
	}
	zero := "/dev/zero"
	if err := os.Symlink(zero, filepath.Join(root, "endless")); err != nil {
		t.Fatal(err)
	}
	peak := testenv.PeakHeap(t, func() {
		if _, _, err := readRecord(t.Context(), s, key); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), key) {
			t.Errorf("a record of 1.5 GiB: %v", err)
		}
		if _, err := LoadCurrent(t.Context(), s, "events"); !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("a list of files of 256 MiB: %v", err)
		}
		if _, _, err := ReadAll(t.Context(), s, "endless", 1<<20); !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("a book without end: %v", err)
		}
	})
	if peak > 8<<20 {
		t.Errorf("the heap grew by %d MiB", peak>>20)
	}
}

// TestARecordTakesAHundredTimesItsText at most: three bytes stand for a part, which
// takes a hundred, and as much again while the list grows. A record has 16 MiB at most.
func TestARecordTakesAHundredTimesItsText(t *testing.T) {
	text := []byte(`{"key":"_ledger/d/a.json","output":"events","parts":[` + strings.Repeat("{},", 2<<20/3) + `{}]}`)
	peak := testenv.PeakHeap(t, func() {
		if _, err := decodeRecord(text); err == nil {
			t.Error("parts without an output are a record")
		}
	})
	if peak > uint64(100*len(text)) {
		t.Errorf("%d MiB for %d MiB", peak>>20, len(text)>>20)
	}
}

// TestACompactedLedgerThatUnfoldsIsRefused: its lines are read up to the length of a
// record.
func TestACompactedLedgerThatUnfoldsIsRefused(t *testing.T) {
	s := oneObject{newFileStore("lake"), bombOf(t, 1<<10, 'x')}
	peak := testenv.PeakHeap(t, func() {
		err := readCompacted(t.Context(), s, "_ledger/d", func(*liveRecord, []byte) error { return nil })
		if !errors.Is(err, driver.ErrCorrupt) || !errors.Is(err, errLongLine) {
			t.Errorf("the error is %v", err)
		}
	})
	if peak > 4*maxRecord {
		t.Errorf("the heap grew by %d MiB", peak>>20)
	}
}

// TestPlacesThatAreTooLongAreNotRepeated, as an error would on every line of a log.
func TestPlacesThatAreTooLongAreNotRepeated(t *testing.T) {
	for _, raw := range []string{strings.Repeat("a/", 1<<19), "s3://bucket/" + strings.Repeat("a", 1<<20), "file:///" + strings.Repeat("%41", 1<<19)} {
		if _, err := OpenSource(t.Context(), raw, nil); !errors.Is(err, driver.ErrInvalid) || len(err.Error()) > 300 {
			t.Errorf("%.20s...: %.300v", raw, err)
		}
		if _, err := OpenStore(t.Context(), raw); !errors.Is(err, driver.ErrInvalid) || len(err.Error()) > 300 {
			t.Errorf("%.20s...: %.300v", raw, err)
		}
	}
}
