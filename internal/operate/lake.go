package operate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"millrace/io/lakeio"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
)

// Lake is what live jobs have put into a lake, by its own account.
type Lake struct {
	Location string        `json:"location"`
	Rolls    int           `json:"rolls"`
	Ledger   ledger.Ledger `json:"ledger"`
	Balanced bool          `json:"balanced"`
	Shards   []Shard       `json:"shards"`
	Breaks   []string      `json:"breaks"` // where rolls do not follow one another, one line each
	// Waiting has, by output, since when a sink does not take rows.
	Waiting []lakeio.Waiting `json:"waiting,omitempty"`
	kinds   map[string]bool  // of the breaks
	faults  []string
}

// Shard is one of the stream, by its identity in the lake.
type Shard struct {
	Identity string    `json:"identity"`
	Rolls    int       `json:"rolls"`
	Records  int64     `json:"records"`
	Last     time.Time `json:"last_arrival"` // of the latest record of a roll
	Age      float64   `json:"last_age_seconds"`
	Closed   bool      `json:"closed"` // it was split or merged and is read
}

// readLake reads the ledger of a lake.
func readLake(ctx context.Context, location string, now time.Time) (*Lake, error) {
	store, err := lakeio.OpenStore(ctx, location)
	if err != nil {
		return nil, err
	}
	parts, err := lakeio.ReadLedger(ctx, store)
	if err != nil {
		return nil, err
	}
	l, err := account(location, parts, now)
	if err != nil {
		return nil, err
	}
	l.Waiting, err = lakeio.ReadWaiting(ctx, store, now)
	return l, err
}

// account sums up the rolls of a lake.
func account(location string, parts []ledger.Part, now time.Time) (*Lake, error) {
	l := &Lake{Location: location, Rolls: len(parts), Shards: []Shard{}, Breaks: []string{}, kinds: map[string]bool{}}
	shards := map[string]*Shard{}
	for i := range parts {
		p := &parts[i]
		l.Ledger.Add(p.Ledger)
		if err := p.Check(); err != nil {
			l.faults = append(l.faults, err.Error())
		}
		identity, _, err := record.ParseRoll(p.Roll)
		if err != nil {
			return nil, fmt.Errorf("reading the ledger of %s: %w", location, err)
		}
		s := shards[identity.String()]
		if s == nil {
			s = &Shard{Identity: identity.String()}
			shards[identity.String()] = s
		}
		s.Rolls++
		if c := p.Close; c != nil {
			s.Records += c.Records
			s.Closed = s.Closed || c.End
			if last := time.UnixMilli(c.LastArrival).UTC(); last.After(s.Last) {
				s.Last, s.Age = last, now.Sub(last).Seconds()
			}
		}
	}
	for _, s := range shards {
		l.Shards = append(l.Shards, *s)
	}
	slices.SortFunc(l.Shards, func(a, b Shard) int { return b.Last.Compare(a.Last) })
	l.Balanced = l.Ledger.Balanced() && len(l.faults) == 0
	breaks, err := ledger.Chain(parts)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger of %s: %w", location, err)
	}
	for _, b := range breaks {
		l.Breaks = append(l.Breaks, b.String())
		l.kinds[string(b.Kind)] = true
	}
	return l, nil
}

func (l *Lake) judge(problem, note say) {
	for _, w := range l.Waiting {
		problem("put it right, the job goes on by itself and nothing is lost as long as the stream keeps it; millrace doctor looks at the sink",
			"the sink of %s has taken no rows since %s (%s): %s", w.Output, clock(w.Since), span(w.Noted.Sub(w.Since)), oneLine(w.Error))
	}
	for _, fault := range l.faults {
		problem("keep the lake as it is and compare with a backfill over its raw archive", "the lake's ledger: %s", fault)
	}
	if l.kinds[string(ledger.Hole)] {
		problem("wait for the roll that is missing; when it does not come within minutes, run a backfill over the raw archive or the stream", "the lake misses records: %s", l.first(ledger.Hole))
	}
	if l.kinds[string(ledger.Overlap)] {
		problem("two jobs may write the same stream into this lake: stop one", "records are in the lake twice: %s", l.first(ledger.Overlap))
	}
	if l.kinds[string(ledger.Loss)] {
		problem("lengthen the stream's retention, or resume sooner after a stop", "the stream dropped records before they were read: %s", l.first(ledger.Loss))
	}
}

// first is the line of the first break of a kind.
func (l *Lake) first(kind ledger.BreakKind) string {
	for _, b := range l.Breaks {
		if len(b) > len(kind) && b[:len(kind)] == string(kind) {
			return b
		}
	}
	return string(kind)
}
