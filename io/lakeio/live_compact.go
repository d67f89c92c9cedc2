package lakeio

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"millrace/io/driver"
)

// compactedExt is that of the object that has all records of a past day, one a
// line: LAKE/_ledger/<day>.jsonl.gz for LAKE/_ledger/<day>/*.json.
const compactedExt = ".jsonl.gz"

// keptApart is for how many days records stay objects of their own. Live jobs add
// to the present day, and soon after midnight to the one before.
const keptApart = 2

// CompactLedger brings the records of each day before the given time's together
// in one object, so that reading the ledger stays cheap. It can be interrupted
// anywhere and repeated, beside others of its kind and beside live jobs.
func CompactLedger(ctx context.Context, s Store, before time.Time) error {
	l, err := listLedger(ctx, s)
	if err != nil {
		return err
	}
	limit := before.UTC().Format(time.DateOnly)
	for _, folder := range slices.Sorted(maps.Keys(l.single)) {
		if path.Base(folder) >= limit {
			continue
		}
		if err := compactDay(ctx, s, folder); err != nil {
			return err
		}
	}
	return nil
}

// compactDay puts a day's records together, and only then removes them.
func compactDay(ctx context.Context, s Store, folder string) error {
	for {
		err := compactOnce(ctx, s, folder)
		if !errors.Is(err, driver.ErrConflict) {
			return err
		}
		// Another did the same at the same time; what it left is for us.
	}
}

func compactOnce(ctx context.Context, s Store, folder string) error {
	opt := PutOptions{IfNoneMatch: true}
	if info, err := s.Stat(ctx, folder+compactedExt); err == nil {
		opt = PutOptions{IfMatch: info.Version}
	} else if !errors.Is(err, driver.ErrNotFound) {
		return err
	}
	infos, err := s.List(ctx, folder+"/")
	if err != nil || len(infos) == 0 {
		return err
	}
	lines := map[string][]byte{}
	if opt.IfMatch != "" {
		if err := readCompacted(ctx, s, folder, func(r *liveRecord, line []byte) error {
			lines[r.Key] = bytes.Clone(line)
			return nil
		}); err != nil {
			return err
		}
	}
	var taken []string
	versions := map[string]string{}
	err = readRecords(ctx, s, keysOf(infos), func(key string, r *liveRecord, info Info) error {
		if r == nil {
			return nil // another compacted it meanwhile, which our condition tells
		}
		line, err := json.Marshal(r)
		lines[key], versions[key] = line, info.Version
		taken = append(taken, key)
		return err
	})
	if err != nil {
		return err
	}
	w, err := s.Create(ctx, folder+compactedExt, opt)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := writeCompacted(w, lines); err != nil {
		return err
	}
	if _, err := w.Commit(ctx); err != nil {
		return err
	}
	return removeUnchanged(ctx, s, folder, taken, versions)
}

// removeUnchanged removes records that are as they were read: one that was put
// anew meanwhile stays for the next time.
func removeUnchanged(ctx context.Context, s Store, folder string, taken []string, versions map[string]string) error {
	now, err := s.List(ctx, folder+"/")
	if err != nil {
		return err
	}
	present := map[string]string{}
	for _, info := range now {
		present[info.Key] = info.Version
	}
	taken = slices.DeleteFunc(taken, func(key string) bool { return present[key] != versions[key] })
	slices.Sort(taken)
	return s.Delete(ctx, taken...)
}

func keysOf(infos []Info) []string {
	keys := make([]string, len(infos))
	for i, info := range infos {
		keys[i] = info.Key
	}
	return keys
}

func writeCompacted(to io.Writer, lines map[string][]byte) error {
	z := gzip.NewWriter(to)
	for _, key := range slices.Sorted(maps.Keys(lines)) {
		if _, err := z.Write(append(lines[key], '\n')); err != nil {
			return err
		}
	}
	return z.Close()
}

// readCompacted visits the records of a past day. It is silent when there are none.
func readCompacted(ctx context.Context, s Store, folder string, visit func(r *liveRecord, line []byte) error) error {
	key := folder + compactedExt
	body, _, err := s.Get(ctx, key)
	if errors.Is(err, driver.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer body.Close()
	z, err := gzip.NewReader(body)
	if err != nil {
		return brokenLedger(s, key, err)
	}
	lines := bufio.NewReaderSize(z, 64<<10)
	for {
		line, err := readLine(lines, maxRecord)
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil {
			return brokenLedger(s, key, err)
		}
		r, err := decodeRecord(line)
		if err == nil && path.Dir(r.Key) != folder {
			err = fmt.Errorf("it has the record %s", r.Key)
		}
		if err != nil {
			return corruptRecord(s, key, err)
		}
		if err := visit(r, bytes.TrimSuffix(line, []byte{'\n'})); err != nil {
			return err
		}
	}
}

var errLongLine = errors.New("a line is longer than a record can be")

// readLine reads a line of at most most bytes, with its end; a few bytes of a
// compressed file can stand for gigabytes.
func readLine(r *bufio.Reader, most int) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > most {
			return nil, errLongLine
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// brokenLedger keeps the errors of the store and calls others damage.
func brokenLedger(s Store, key string, err error) error {
	var known *driver.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return corruptRecord(s, key, err)
}

// folderOf is the day's folder that an object of the ledger belongs to, and
// whether the object is the compacted one.
func folderOf(key string) (folder string, compacted bool) {
	if folder, ok := strings.CutSuffix(key, compactedExt); ok {
		return folder, true
	}
	return path.Dir(key), false
}
