package endpoint

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"

	"millrace/io/driver"
)

// readerKey names a reader in this process: its run and where it began.
type readerKey struct{ run, begin string }

// openReader is a reader between two of its calls. It reads ahead meanwhile.
type openReader struct {
	driver.StreamReader
	key readerKey
	at  driver.Cursor // up to which the runner has what it read
	end *time.Timer

	shards *shardReport
}

// claim moves the runner's position behind what was read; not claimed when the runner took
// back what follows.
func (r *openReader) claim(rt *sdf.LockRTracker) (claimed bool, err error) {
	at, err := r.Cursor()
	if err != nil || !rt.TryClaim(cursor{At: at}) {
		return false, err
	}
	r.at = at
	return true, nil
}

// readerPool keeps readers open from call to call, as each call may be another
// DoFn's. A reader that stands elsewhere than the runner says (a checkpoint was
// restored) is closed and another opened.
type readerPool struct {
	mu   sync.Mutex
	open map[readerKey]*openReader
}

var readers = readerPool{open: map[readerKey]*openReader{}}

// leftAlone is how long a reader waits for its next call before it is closed: its
// element may have moved to another process.
const leftAlone = time.Minute

// take gives the reader that stands at a position, for one call.
func (p *readerPool) take(ctx context.Context, key readerKey, stream driver.Stream, at driver.Cursor) (*openReader, error) {
	p.mu.Lock()
	r := p.open[key]
	delete(p.open, key)
	p.mu.Unlock()
	if r != nil {
		r.end.Stop()
		if bytes.Equal(r.at, at) {
			return r, nil
		}
		_ = r.Close()
	}
	// It outlives the call.
	reader, err := stream.Read(context.WithoutCancel(ctx), at)
	if err != nil {
		return nil, err
	}
	return &openReader{StreamReader: reader, key: key, at: at, shards: newShardReport(key.run)}, nil
}

// give keeps a reader for its next call.
func (p *readerPool) give(r *openReader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.open[r.key]; other != nil {
		other.end.Stop()
		_ = other.Close()
	}
	p.open[r.key] = r
	r.end = time.AfterFunc(leftAlone, func() {
		p.mu.Lock()
		mine := p.open[r.key] == r
		if mine {
			delete(p.open, r.key)
		}
		p.mu.Unlock()
		if mine {
			_ = r.Close()
		}
	})
}

// drop closes a reader.
func (p *readerPool) drop(r *openReader) { _ = r.Close() }
