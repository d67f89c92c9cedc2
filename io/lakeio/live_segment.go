package lakeio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/google/uuid"

	"millrace/io/driver"
	"millrace/schemas/record"
	"millrace/schemas/table"
)

// Segment refers to rows of one roll and output that lie in the lake's staging
// area. It is small JSON, to be kept in a runner's state until the roll is closed.
type Segment struct {
	Output string        `json:"output"`
	Roll   string        `json:"roll"`
	Key    string        `json:"key"` // of the object, which may hold segments of other rolls, too
	Parts  []SegmentPart `json:"parts"`
}

// SegmentPart is the rows of one day: a sorted run, in frames, in the object.
type SegmentPart struct {
	Day    int64  `json:"day"` // days since the Unix epoch
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	Rows   int    `json:"rows"`
	First  int64  `json:"first"`  // most significant sort value of the first row
	Digest uint64 `json:"digest"` // of the rows
}

// Rows is the number of rows in the segment.
func (s Segment) Rows() (n int) {
	for _, p := range s.Parts {
		n += p.Rows
	}
	return n
}

// LAKE/_staging/<run>/segments/<id>.<roll>.<roll>...: the name of an object says
// which rolls it has rows of, each by its hash.
const (
	segmentsName = "segments"
	closedName   = "closed"
	// segmentRolls keeps names below the 255 bytes that file systems allow.
	segmentRolls = 12
)

// Stage writes rows of an output, by roll, to the lake's staging area: one object
// for the rows of up to twelve rolls. Batches are only read. Staging the same rows
// again is harmless, as references to only one staging reach CloseRoll.
func (l *Live) Stage(ctx context.Context, output string, rows map[string][]*table.Batch) ([]Segment, error) {
	schema, err := l.schema(output)
	if err != nil {
		return nil, err
	}
	var rolls []string
	for _, roll := range slices.Sorted(maps.Keys(rows)) {
		if _, _, err := record.ParseRoll(roll); err != nil {
			return nil, fmt.Errorf("staging rows of %s: %w", output, err)
		}
		n := 0
		for _, b := range rows[roll] {
			if b.Schema() != schema {
				return nil, fmt.Errorf("staging rows of %s: they are of %s, not of %s", output, b.Schema().ID(), schema.ID())
			}
			n += b.Len()
		}
		if n > 0 {
			rolls = append(rolls, roll)
		}
	}
	var list []Segment
	for part := range slices.Chunk(rolls, segmentRolls) {
		staged, err := l.stageObject(ctx, schema, output, part, rows)
		if err != nil {
			return nil, err
		}
		list = append(list, staged...)
	}
	return list, nil
}

func (l *Live) stageObject(ctx context.Context, schema *table.Schema, output string, rolls []string, rows map[string][]*table.Batch) ([]Segment, error) {
	name := uuid.NewString()
	for _, roll := range rolls {
		name += "." + rollHash(roll)
	}
	key := path.Join(stagingName, l.run, segmentsName, name)
	w, err := l.store.Create(ctx, key, PutOptions{IfNoneMatch: true})
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	out := &countedWriter{w: w}
	var list []Segment
	for _, roll := range rolls {
		seg := Segment{Output: output, Roll: roll, Key: key}
		if seg.Parts, err = l.stageParts(out, concat(schema, rows[roll])); err != nil {
			return nil, err
		}
		list = append(list, seg)
	}
	_, err = w.Commit(ctx)
	return list, err
}

func (l *Live) stageParts(out *countedWriter, b *table.Batch) (parts []SegmentPart, err error) {
	days, rows := perDay(b)
	for _, day := range days {
		p := SegmentPart{Day: day, Offset: out.n, Rows: len(rows[day]), First: firstValue(b, rows[day][0]), Digest: digest(b, rows[day])}
		if err := writeFrames(out, b, rows[day], l.frame); err != nil {
			return nil, err
		}
		p.Length = out.n - p.Offset
		parts = append(parts, p)
	}
	return parts, nil
}

// countedWriter counts what passes through.
type countedWriter struct {
	w io.Writer
	n int64
}

func (c *countedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// rollHash is a short name of a roll.
func rollHash(roll string) string {
	sum := sha256.Sum256([]byte(roll))
	return hex.EncodeToString(sum[:8])
}

// rollsOf reads from the name of a staged object which rolls it has rows of, by
// their hashes; none when the name is not one of Stage's.
func rollsOf(key string) []string {
	_, rolls, ok := strings.Cut(path.Base(key), ".")
	if !ok {
		return nil
	}
	return strings.Split(rolls, ".")
}

// dropSegments removes what was staged of a roll that is committed. An object that
// other rolls share goes with the last of them: each leaves a mark and then looks
// for those of the others.
func (l *Live) dropSegments(ctx context.Context, roll string, segments []Segment) error {
	own := rollHash(roll)
	mark := func(s Segment, hash string) string {
		return path.Join(path.Dir(path.Dir(s.Key)), closedName, hash)
	}
	closed := map[string]bool{}
	var gone []string
	for _, s := range segments {
		rolls := rollsOf(s.Key)
		free := true
		for _, hash := range rolls {
			if hash == own {
				continue
			}
			if self := mark(s, own); !closed[self] {
				if _, err := l.store.Put(ctx, self, strings.NewReader(roll+"\n"), PutOptions{}); err != nil {
					return err
				}
				closed[self] = true
			}
			other := mark(s, hash)
			is, known := closed[other]
			if !known {
				_, err := l.store.Stat(ctx, other)
				if err != nil && !errors.Is(err, driver.ErrNotFound) {
					return err
				}
				is = err == nil
				closed[other] = is
			}
			free = free && is
		}
		if free {
			gone = append(gone, s.Key)
		}
	}
	slices.Sort(gone)
	return l.store.Delete(ctx, slices.Compact(gone)...)
}
