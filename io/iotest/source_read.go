package iotest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"millrace/io/driver"
	"millrace/schemas/record"
)

// Record is one record as a source gave it.
type Record struct {
	Source    string
	Position  int64
	Text      string
	Duplicate bool
	Oversize  int64
}

// ReadAll plans and reads everything, split by split.
func ReadAll(t *testing.T, s driver.Source) []Record {
	t.Helper()
	var records []Record
	for _, split := range plan(t, s) {
		records = append(records, recordsOf(t, readSplit(t, s, split))...)
	}
	return records
}

func plan(t *testing.T, s driver.Source) []driver.Split {
	t.Helper()
	splits, err := s.Splits(t.Context())
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	ids := map[string]bool{}
	for _, split := range splits {
		if ids[split.ID] {
			t.Errorf("the split ID %s is not unique", split.ID)
		}
		ids[split.ID] = true
	}
	return splits
}

func readSplit(t *testing.T, s driver.Source, split driver.Split) []record.Block {
	t.Helper()
	r, err := s.Open(t.Context(), split)
	if err != nil {
		t.Fatalf("open split %s: %v", split.ID, err)
	}
	var blocks []record.Block
	for {
		block, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("read split %s: %v", split.ID, err)
		}
		blocks = append(blocks, block)
	}
	if _, err := r.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("after the end Next gives %v, not io.EOF again", err)
	}
	if p, ok := r.(driver.Progress); ok && p.Progress() > split.Size {
		t.Errorf("progress is %d of %d", p.Progress(), split.Size)
	}
	if err := r.Close(); err != nil {
		t.Errorf("close split %s: %v", split.ID, err)
	}
	return blocks
}

// recordsOf takes blocks of one split apart and checks their order and form.
func recordsOf(t *testing.T, blocks []record.Block) []Record {
	t.Helper()
	var records []Record
	for i, b := range blocks {
		if b.Source == "" || b.Name == "" || len(b.Data) == 0 && b.Oversize == 0 {
			t.Errorf("block %d lacks source, name or data: %q %q, %d bytes", i, b.Source, b.Name, len(b.Data))
		}
		if i > 0 && (b.Source != blocks[i-1].Source || b.Base <= blocks[i-1].Base) {
			t.Errorf("block %d at %s:%d follows one at %s:%d", i, b.Source, b.Base, blocks[i-1].Source, blocks[i-1].Base)
		}
		if i < len(blocks)-1 && b.Oversize == 0 && !bytes.HasSuffix(b.Data, []byte("\n")) {
			t.Errorf("block %d ends inside a record", i)
		}
		if b.Oversize > 0 {
			records = append(records, Record{b.Source, b.Base, string(b.Data), b.Duplicate, b.Oversize})
			continue
		}
		at := b.Base
		for line := range bytes.Lines(b.Data) {
			records = append(records, Record{b.Source, at, string(bytes.TrimSuffix(line, []byte("\n"))), b.Duplicate, 0})
			at += int64(len(line))
		}
	}
	return records
}

// makeRecords makes bytes of records that differ, of very different lengths,
// some of them empty or not text.
func makeRecords(seed uint64, total int) []string {
	rng := rand.New(rand.NewPCG(seed, 0))
	var records []string
	for size := 0; size < total; {
		var text string
		switch rng.IntN(20) {
		case 0:
			text = ""
		case 1:
			text = fmt.Sprintf("%d.%d \x00\xff\xfe\r", seed, len(records))
		case 2:
			text = fmt.Sprintf("%d.%d %s", seed, len(records), strings.Repeat("long ", rng.IntN(200)))
		default:
			text = fmt.Sprintf("%d.%d %s", seed, len(records), strings.Repeat("x", rng.IntN(100)))
		}
		records = append(records, text)
		size += len(text) + 1
	}
	return records
}

// sortRecords orders by origin, what is read before its duplicates.
func sortRecords(records []Record) []Record {
	slices.SortStableFunc(records, func(a, b Record) int {
		dup := func(r Record) int {
			if r.Duplicate {
				return 1
			}
			return 0
		}
		return cmp.Or(dup(a)-dup(b), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Position, b.Position))
	})
	return records
}

// texts gives the sorted texts, to compare what was read with what was written.
func texts(records []Record) []string {
	var list []string
	for _, r := range records {
		list = append(list, r.Text)
	}
	slices.Sort(list)
	return list
}
