package lakeio

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"millrace/io/driver"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
)

// liveRecord is a commit record of a live job, LAKE/_ledger/<day>/....json: which
// files make up a roll, or a window's rows of one output. The files count from the
// moment it is there. It stays when a backfill replaces a day, for it also accounts
// for the records read.
type liveRecord struct {
	Key string `json:"key"` // its own place
	Run string `json:"run"`
	// Source is the identity of the roll's shard; empty for a window.
	Source string       `json:"source,omitempty"`
	Roll   *ledger.Part `json:"roll,omitempty"`
	// Output and Group name what a window's record seals.
	Output string     `json:"output,omitempty"`
	Group  string     `json:"group,omitempty"`
	Parts  []livePart `json:"parts"` // ordered by output and day
}

// livePart is the rows of one output and day.
type livePart struct {
	Output string `json:"output"`
	Day    string `json:"day"`
	Schema string `json:"schema"`
	// Revision is that of the day when its files were put there, or that of a
	// backfill which did not know them and so has not replaced them.
	Revision int32         `json:"revision"`
	Rows     int64         `json:"rows"`
	Digest   string        `json:"digest"` // of the rows, whatever their order
	Files    []CurrentFile `json:"files"`
}

const (
	ledgerDir = "_ledger"
	sealedDir = ledgerDir + "/sealed"
)

// maxRecord bounds the bytes of a commit record, which names the files of one roll or
// window: some hundreds of them are common, 100,000 fit. Many records are read side
// by side, and three bytes of JSON can become a hundred in memory.
const maxRecord = 16 << 20

// rollKey is the place of a roll's record: by the day its first record arrived.
func rollKey(p ledger.Part) (key, shard string, err error) {
	id, first, err := record.ParseRoll(p.Roll)
	if err != nil {
		return "", "", err
	}
	day := time.UnixMilli(p.Close.FirstArrival).UTC().Format(time.DateOnly)
	return path.Join(ledgerDir, day, id.String()+"-"+first+".json"), id.String(), nil
}

// sealKey is the place of the record of a window that ends at group.
func sealKey(output, group string) (string, error) {
	ms, err := strconv.ParseInt(group, 10, 64)
	if err != nil || strconv.FormatInt(ms, 10) != group {
		return "", fmt.Errorf("the group %q is no time in Unix milliseconds", group)
	}
	day := time.UnixMilli(ms).UTC().Format(time.DateOnly)
	return path.Join(sealedDir, day, output+"-"+group+".json"), nil
}

// expect adds rows to what the record is about.
func (r *liveRecord) expect(output, schema string, day int64, rows int, sum uint64) {
	text := DayText(day)
	at, found := slices.BinarySearchFunc(r.Parts, livePart{Output: output, Day: text}, comparePlace)
	if !found {
		r.Parts = slices.Insert(r.Parts, at, livePart{Output: output, Day: text, Schema: schema, Digest: digestText(0)})
	}
	p := &r.Parts[at]
	p.Rows += int64(rows)
	before, _ := strconv.ParseUint(p.Digest, 16, 64)
	p.Digest = digestText(before + sum)
}

func comparePlace(a, b livePart) int {
	return cmp.Or(strings.Compare(a.Output, b.Output), strings.Compare(a.Day, b.Day))
}

func digestText(sum uint64) string { return fmt.Sprintf("%016x", sum) }

// rows is how many rows each output has.
func (r *liveRecord) rows() map[string]int64 {
	m := map[string]int64{}
	for _, p := range r.Parts {
		m[p.Output] += p.Rows
	}
	return m
}

// differs says in which way two records are not about the same rows, if they are
// not.
func (r *liveRecord) differs(o *liveRecord) string {
	if (r.Roll == nil) != (o.Roll == nil) {
		return "one is of a roll and one of a window"
	}
	if r.Roll != nil {
		if r.Roll.Roll != o.Roll.Roll || !r.Roll.Close.Same(*o.Roll.Close) {
			return fmt.Sprintf("the roll was %+v and is %+v", *r.Roll.Close, *o.Roll.Close)
		}
		if !sameLedger(r.Roll.Ledger, o.Roll.Ledger) {
			return fmt.Sprintf("the ledger was %s and is %s", r.Roll.Ledger, o.Roll.Ledger)
		}
	}
	if was, is := r.rows(), o.rows(); !maps.Equal(was, is) {
		return fmt.Sprintf("the rows were %v and are %v", was, is)
	}
	same := slices.EqualFunc(r.Parts, o.Parts, func(a, b livePart) bool {
		return a.Output == b.Output && a.Day == b.Day && a.Rows == b.Rows && a.Digest == b.Digest
	})
	if !same {
		return "as many rows have another content"
	}
	return ""
}

func sameLedger(a, b ledger.Ledger) bool {
	if len(a.Reasons) == 0 && len(b.Reasons) == 0 {
		a.Reasons, b.Reasons = nil, nil
	}
	return reflect.DeepEqual(a, b)
}

// names tells which files the record names.
func (r *liveRecord) names() map[string]bool {
	named := map[string]bool{}
	for _, p := range r.Parts {
		for _, f := range p.Files {
			named[f.Key] = true
		}
	}
	return named
}

// decodeRecord reads a record and looks whether it can be one.
func decodeRecord(text []byte) (*liveRecord, error) {
	r := &liveRecord{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(r.Key, ledgerDir+"/") || path.Clean(r.Key) != r.Key {
		return nil, fmt.Errorf("%q is no place of a record", r.Key)
	}
	switch {
	case r.Roll == nil && r.Output == "":
		return nil, errors.New("it is neither of a roll nor of a window")
	case r.Roll != nil:
		if r.Roll.Close == nil {
			return nil, errors.New("the roll has no end")
		}
		if _, _, err := record.ParseRoll(r.Roll.Roll); err != nil {
			return nil, err
		}
	}
	for _, p := range r.Parts {
		if !isName(p.Output) {
			return nil, fmt.Errorf("%q is no output", p.Output)
		}
		if _, err := ParseDay(p.Day); err != nil {
			return nil, err
		}
		for _, f := range p.Files {
			if path.Clean(f.Key) != f.Key || !strings.HasPrefix(f.Key, p.Output+"/") {
				return nil, fmt.Errorf("the file %q is not one of %s", f.Key, p.Output)
			}
		}
	}
	return r, nil
}

func corruptRecord(s Store, key string, err error) error {
	return &driver.Error{
		Doing: "read", Object: s.Name(key), Class: driver.ErrCorrupt, Cause: err,
		Cure: "something else than this program has written it: restore it from a backup",
	}
}

// readRecord reads the record at its own place.
func readRecord(ctx context.Context, s Store, key string) (*liveRecord, Info, error) {
	text, info, err := ReadAll(ctx, s, key, maxRecord)
	if err != nil {
		return nil, info, err
	}
	r, err := decodeRecord(text)
	if err == nil && r.Key != key {
		err = fmt.Errorf("it is the record %s", r.Key)
	}
	if err != nil {
		return nil, info, corruptRecord(s, key, err)
	}
	return r, info, nil
}

// findRecord looks for a record at its own place and where those of past days
// were brought together. It is nil when there is none.
func findRecord(ctx context.Context, s Store, key string) (*liveRecord, error) {
	r, _, err := readRecord(ctx, s, key)
	if !errors.Is(err, driver.ErrNotFound) {
		return r, err
	}
	var found *liveRecord
	err = readCompacted(ctx, s, path.Dir(key), func(r *liveRecord, _ []byte) error {
		if r.Key == key {
			found = r
		}
		return nil
	})
	return found, err
}

// putRecord puts a record under a condition.
func putRecord(ctx context.Context, s Store, r *liveRecord, opt PutOptions) error {
	text, err := indent(r)
	if err != nil {
		return fmt.Errorf("writing %s: %w", s.Name(r.Key), err)
	}
	_, err = s.Put(ctx, r.Key, bytes.NewReader(text), opt)
	return err
}
