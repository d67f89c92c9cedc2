package transforms

import (
	"encoding/binary"
	"sync"

	"github.com/cespare/xxhash/v2"

	"millrace/schemas/table"
	"millrace/transforms/internal/wire"
)

// shownRows is what a worker remembers of rows that it gave while they could still change: hashes of all
// rows of a key as they were the last time. Those of a key that it knows nothing of are given all.
type shownRows struct {
	mu sync.Mutex
	of map[string]map[uint64]bool
}

// rowsShown is shared by all DoFns of a process: a key may come to any of them.
var rowsShown shownRows

// mostShown bounds the keys that are remembered, of all runs of a process.
const mostShown = 1024

// news gives the rows of a place that are not as they were, whatever their versions.
func (s *shownRows) news(place string, rows *table.Batch) *table.Batch {
	version, ok := rows.Schema().Versioned()
	if !ok {
		version = -1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, now := s.of[place], make(map[uint64]bool, rows.Len())
	var changed []uint32
	for row := range rows.Len() {
		h := rowHash(rows, row, version)
		if now[h] = true; !before[h] {
			changed = append(changed, uint32(row))
		}
	}
	if s.of == nil {
		s.of = map[string]map[uint64]bool{}
	}
	for other := range s.of {
		if len(s.of) < mostShown {
			break
		}
		delete(s.of, other)
	}
	s.of[place] = now
	if len(changed) == rows.Len() {
		return rows
	}
	news := table.NewBatch(rows.Schema())
	news.Gather(rows, changed)
	return news
}

// forget forgets a place.
func (s *shownRows) forget(place string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, place)
}

// rowHash is of all columns but one.
func rowHash(b *table.Batch, row, without int) uint64 {
	h := xxhash.New()
	for col, c := range b.Schema().Columns {
		switch {
		case col == without:
		case b.Null(col, row):
			_, _ = h.Write([]byte{0})
		case c.Kind == table.UUID:
			_, _ = h.Write(b.UUIDBytes(col, row))
		case c.Kind == table.String || c.Kind == table.Bytes:
			_, _ = h.Write(wire.AppendText([]byte{1}, b.Text(col, row)))
		default:
			_, _ = h.Write(binary.BigEndian.AppendUint64([]byte{1}, uint64(b.Int(col, row))))
		}
	}
	return h.Sum64()
}
