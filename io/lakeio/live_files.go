package lakeio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"millrace/schemas/table"
)

// heldFiles is how many finished files wait for the others of their roll; with
// more days than that, which only wrong clocks give, some appear earlier.
const heldFiles = 32

// liveFiles writes the files of one record. They appear together, when all of
// them are written; until then an error leaves nothing.
type liveFiles struct {
	ctx    context.Context
	live   *Live
	held   []Writer
	placed []string // keys that are in the lake
	keys   []string // of those held
}

// write makes the files of one output and day. fill hands its rows over, in order.
func (f *liveFiles) write(p *livePart, name string, schema *table.Schema, fill func(add func(piece) error) error) error {
	day, err := ParseDay(p.Day)
	if err != nil {
		return err
	}
	n := 0
	m := &fileMerger{
		cut: f.live.cut, schema: schema, part: Part{Output: p.Output, Day: day}, revision: p.Revision, written: func(int) {},
		create: func([]byte) (string, destination, error) {
			key := liveKey(p.Output, day, p.Revision, name, n)
			n++
			w, err := f.live.store.Create(f.ctx, key, PutOptions{})
			return key, heldFile{w, f}, err
		},
	}
	err = fill(m.add)
	if err == nil {
		err = m.finish()
	}
	if err != nil {
		m.abandon()
		return fmt.Errorf("writing %s of %s: %w", p.Output, p.Day, err)
	}
	var rows int64
	for _, file := range m.files {
		p.Files = append(p.Files, CurrentFile{Key: file.Key, Rows: file.Rows, Bytes: file.Bytes, SHA256: file.SHA256})
		f.keys = append(f.keys, file.Key)
		rows += file.Rows
	}
	if rows != p.Rows {
		return fmt.Errorf("writing %s of %s: %w: %d rows of %d", p.Output, p.Day, errDamaged, rows, p.Rows)
	}
	if len(f.held) >= heldFiles {
		return f.publish()
	}
	return nil
}

// publish makes what is held appear.
func (f *liveFiles) publish() error {
	for len(f.held) > 0 {
		if _, err := f.held[0].Commit(f.ctx); err != nil {
			return err
		}
		f.placed = append(f.placed, f.keys[0])
		f.held, f.keys = f.held[1:], f.keys[1:]
	}
	return nil
}

// abort drops what is held.
func (f *liveFiles) abort() {
	for _, w := range f.held {
		w.Abort()
	}
	f.held, f.keys = nil, nil
}

// heldFile is a file whose writing is complete, and which waits.
type heldFile struct {
	Writer
	files *liveFiles
}

func (h heldFile) finish() error {
	h.files.held = append(h.files.held, h.Writer)
	return nil
}

func (h heldFile) abandon() { h.Abort() }

// liveKey names the n-th file of a day by what it belongs to, a roll or a window.
func liveKey(output string, day int64, revision int32, name string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", name, output, n))
	return fmt.Sprintf("%s/%s-s00-r%d-%s.parquet", PartitionKey(output, day), DayText(day), revision, hex.EncodeToString(sum[:8]))
}
