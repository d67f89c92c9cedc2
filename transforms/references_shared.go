package transforms

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"millrace/transforms/enrich"
)

// Tables are shared by all DoFns of a process: a large one is in memory once, and
// twice while a newer one takes its place.
var (
	sharedAgents = tableShelf[*enrich.Agents]{parse: func(_ tablePlace, b []byte) (*enrich.Agents, error) { return enrich.ParseAgents(b) }}
	sharedGeo    = tableShelf[*enrich.Geo]{parse: func(_ tablePlace, b []byte) (*enrich.Geo, error) { return enrich.ParseGeo(b) }}
	sharedCodes  = tableShelf[*enrich.Codes]{parse: parseCodes}
)

// tablePlace is where a table is, and as of which date; of a table of codes also the
// column that has its key.
type tablePlace struct{ place, asOf, key string }

func parseCodes(at tablePlace, content []byte) (*enrich.Codes, error) {
	format, err := enrich.CodesFormat(placeName(at.place))
	if err != nil {
		return nil, err
	}
	return enrich.ParseCodes(format, content, at.key)
}

// placeName is a place without the parameters of a URL.
func placeName(place string) string {
	if strings.Contains(place, "://") {
		place, _, _ = strings.Cut(place, "?")
	}
	return place
}

// tableShelf holds the tables of one kind that are in use.
type tableShelf[T enrich.Table] struct {
	parse func(at tablePlace, content []byte) (T, error)

	mu     sync.Mutex
	tables map[tablePlace]*sharedTable[T]
}

// sharedTable is a table with those who use it.
type sharedTable[T enrich.Table] struct {
	shelf  *tableShelf[T]
	at     tablePlace
	holder enrich.Holder[T]
	users  int           // under the lock of the shelf
	every  time.Duration // 0 for no refresh; likewise
	stop   context.CancelFunc
	load   sync.Mutex
}

// acquire gives the table at a place, as it is there now. One that cannot be loaded
// has the error in its holder. Each acquire needs a release.
func (s *tableShelf[T]) acquire(ctx context.Context, at tablePlace, refresh time.Duration) *sharedTable[T] {
	s.mu.Lock()
	t := s.tables[at]
	if t == nil {
		if s.tables == nil {
			s.tables = map[tablePlace]*sharedTable[T]{}
		}
		t = &sharedTable[T]{shelf: s, at: at}
		s.tables[at] = t
	}
	t.users++
	if refresh > 0 && t.every == 0 {
		t.every = refresh
		keep, stop := context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // release stops it
		t.stop = stop
		go t.keepFresh(keep, refresh)
	}
	first := t.users == 1
	s.mu.Unlock()
	if first {
		_ = t.refresh(ctx) // the holder says it
	} else {
		t.await()
	}
	return t
}

// await waits for who came first, and may be loading.
func (t *sharedTable[T]) await() {
	t.load.Lock()
	defer t.load.Unlock()
}

func (t *sharedTable[T]) release() {
	if t == nil {
		return
	}
	t.shelf.mu.Lock()
	defer t.shelf.mu.Unlock()
	if t.users--; t.users > 0 {
		return
	}
	if t.stop != nil {
		t.stop()
	}
	delete(t.shelf.tables, t.at)
}

// refresh loads the table if it is another by now.
func (t *sharedTable[T]) refresh(ctx context.Context) error {
	t.load.Lock()
	defer t.load.Unlock()
	return t.holder.Refresh(func(etag string) (table T, newETag string, unchanged bool, err error) {
		if OpenReference == nil {
			return table, "", false, fmt.Errorf("%s cannot be read: this program reads no reference data", t.at.place)
		}
		content, newETag, unchanged, err := OpenReference(ctx, t.at.place, t.at.asOf, etag)
		if err != nil || unchanged {
			return table, etag, unchanged, err
		}
		if table, err = t.shelf.parse(t.at, content); err != nil {
			return table, "", false, fmt.Errorf("%s: %w", t.at.place, err)
		}
		return table, newETag, false, nil
	})
}

// keepFresh looks for a newer table until it is stopped. One that cannot be read
// leaves the present one in use, and a line in the log.
func (t *sharedTable[T]) keepFresh(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every) //nolint:forbidigo // when a table is looked at again; rows name the version they have
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := t.refresh(ctx); err != nil && ctx.Err() == nil {
				slog.WarnContext(ctx, "refreshing reference data; the present table stays in use", "place", t.at.place, "error", err)
			}
		}
	}
}

func (t *sharedTable[T]) version() (string, error) {
	table, err := t.holder.Get()
	if err != nil {
		return "", err
	}
	return table.Version(), nil
}
