package kinesisio

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"millrace/io/driver"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
)

// onward is what a roll says of how its shard is read on behind it: record.Close
// has it as text.
type onward struct {
	Version int         `json:"v"`
	Stream  string      `json:"stream"` // ARN
	Created int64       `json:"created,omitempty"`
	Shard   string      `json:"shard"`
	First   string      `json:"first"` // hash keys
	Last    string      `json:"last"`
	Clock   *eventClock `json:"clock"`
}

const onwardVersion = 1

// next is the text for a roll that ends here.
func (r *reader) next(sh *shard) string {
	text, err := json.Marshal(onward{
		Version: onwardVersion, Stream: r.state.Stream, Created: r.state.Created, Shard: sh.ID, First: sh.First, Last: sh.Last,
		Clock: sh.Clock.lean(r.opt.MaxDisorder.Milliseconds()),
	})
	if err != nil {
		return "" // numbers and texts can always be written
	}
	return string(text)
}

func readOnward(c *record.Close) (*onward, error) {
	if c.Next == "" {
		return nil, errors.New("it does not say of which shard it is: an earlier version of the program has written it")
	}
	var o onward
	if err := json.Unmarshal([]byte(c.Next), &o); err != nil {
		return nil, err
	}
	if o.Version != onwardVersion || o.Stream == "" || o.Shard == "" || o.Clock == nil {
		return nil, fmt.Errorf("what it says of how to read on is of form %d, this program reads %d", o.Version, onwardVersion)
	}
	return &o, nil
}

// Accounted is what a lake knows of the streams that were read into it: where its
// runs began, and the rolls that they have committed.
type Accounted struct {
	Lake   string   // for errors
	Begun  [][]byte // what Positions gave when its runs began, the earliest first
	Rolls  []ledger.Part
	Stream string // the name or ARN of the stream that is meant, if there are several
	// Reread goes on before holes: the rolls behind them are read once more.
	Reread bool
}

// Onward is where the reading of a stream goes on behind what a lake has.
type Onward struct {
	Positions []byte // for start=positions
	Stream    string // ARN
	Shards    int    // that are to be read on, new ones not among them
	Ended     int    // that were read to their end
	Holes     []ledger.Break
	// Low and High are event times in Unix milliseconds: of the shard that is the
	// furthest behind, and of the one ahead of all. Zero when no record had one.
	Low, High int64
}

// Positions finds where the reading of a stream goes on so that its records and
// those of the lake's rolls together are all, each once: each shard behind the last
// roll up to which there is no hole.
func (a Accounted) Positions() (Onward, error) {
	w, err := a.choose()
	if err != nil {
		return Onward{}, err
	}
	breaks, err := ledger.Chain(w.rolls)
	if err != nil {
		return Onward{}, a.fail(driver.ErrCorrupt, err, "restore its ledger from a backup")
	}
	found := Onward{Stream: w.all.Stream}
	limits := map[string]string{} // of a shard's identity: where the first hole is
	for _, b := range breaks {
		switch b.Kind {
		case ledger.Overlap:
			return Onward{}, a.fail(driver.ErrInvalid, errors.New(b.String()), "records are in the lake twice, so two jobs wrote it or rolls were cut otherwise: begin a new lake from its raw archive with --archive")
		case ledger.Hole:
			if _, known := limits[b.Shard]; !known {
				limits[b.Shard] = b.After
			}
			found.Holes = append(found.Holes, b)
		case ledger.Beginning:
			if id := w.ids[b.Shard]; w.begins(id, b.Last) {
				continue // it went on from another lake
			}
			b.Kind, limits[b.Shard] = ledger.Hole, ""
			found.Holes = append(found.Holes, b)
		case ledger.Loss, ledger.Unfinished:
		}
	}
	if len(found.Holes) > 0 && !a.Reread {
		return Onward{}, a.fail(driver.ErrInvalid, errors.New(found.Holes[0].String()), "wait until the roll comes if the job still runs; else --reread goes on before the hole, with the same --roll")
	}
	for identity, rolls := range w.shards {
		limit, bounded := limits[identity]
		w.goOn(rolls, func(c *record.Close) bool { return !bounded || c.After < limit })
	}
	found.measure(w.all)
	found.Positions, err = w.all.encode()
	return found, err
}

// reading is what is known of one stream.
type reading struct {
	all    positions
	rolls  []ledger.Part
	shards map[string][]placedRoll // by identity
	ids    map[string]string       // of shards, by identity
}

// placedRoll is a roll with what it says of its shard.
type placedRoll struct {
	close *record.Close
	next  *onward
}

func (a Accounted) fail(class, cause error, cure string) error {
	return &driver.Error{Doing: "find positions in", Object: a.Lake, Class: class, Cause: cause, Cure: cure}
}

// choose collects what belongs to the stream that is meant.
func (a Accounted) choose() (*reading, error) {
	streams := map[string]*reading{}
	of := func(stream string, created int64) (*reading, error) {
		w := streams[stream]
		if w == nil {
			w = &reading{shards: map[string][]placedRoll{}, ids: map[string]string{}}
			w.all = positions{Version: positionsVersion, Stream: stream, Created: created, Shards: map[string]*shardPosition{}}
			streams[stream] = w
		}
		if w.all.Created != created {
			return nil, a.fail(driver.ErrChanged, fmt.Errorf("the stream %s was deleted and created again while the lake was written", stream), "begin a new lake")
		}
		return w, nil
	}
	for _, text := range a.Begun {
		p, err := decodePositions(text)
		if err != nil {
			return nil, a.fail(driver.ErrCorrupt, fmt.Errorf("where a run began cannot be read: %w", err), "restore the lake's _live folder from a backup")
		}
		w, err := of(p.Stream, p.Created)
		if err != nil {
			return nil, err
		}
		if compareShards(p.Newest, w.all.Newest) > 0 {
			w.all.Newest = p.Newest
		}
		for id, s := range p.Shards {
			if _, known := w.all.Shards[id]; !known {
				w.all.Shards[id] = s
			}
		}
	}
	begun := slices.Collect(maps.Keys(streams))
	for i := range a.Rolls {
		part := &a.Rolls[i]
		if part.Close == nil || ofArchive(part.Close) {
			continue
		}
		next, err := readOnward(part.Close)
		if err != nil {
			return nil, a.fail(driver.ErrInvalid, fmt.Errorf("roll %s: %w", part.Roll, err), "go on from a savepoint with millrace resume, or begin a new lake from its raw archive with --archive")
		}
		w, err := of(next.Stream, next.Created)
		if err != nil {
			return nil, err
		}
		identity := record.ShardIdentity(next.Stream, next.Shard).String()
		w.ids[identity] = next.Shard
		w.shards[identity] = append(w.shards[identity], placedRoll{part.Close, next})
		w.rolls = append(w.rolls, *part)
	}
	arns := slices.Sorted(maps.Keys(streams))
	if a.Stream != "" {
		arns = slices.DeleteFunc(arns, func(arn string) bool { return arn != a.Stream && streamName(arn) != a.Stream })
	}
	all := strings.Join(slices.Sorted(maps.Keys(streams)), ", ")
	switch {
	case len(streams) == 0:
		return nil, a.fail(driver.ErrNotFound, errors.New("no live run has noted where it began, and there is no ledger of one"), "name the lake of a live run")
	case len(arns) == 0:
		return nil, a.fail(driver.ErrNotFound, fmt.Errorf("nothing of the stream %s is in it, but of %s", a.Stream, all), "name one of these with --stream")
	case len(arns) > 1:
		return nil, a.fail(driver.ErrInvalid, fmt.Errorf("it has several streams: %s", all), "name one of them with --stream")
	case !slices.Contains(begun, arns[0]):
		return nil, a.fail(driver.ErrNotFound, fmt.Errorf("it does not say where the reading of %s began: an earlier version of the program has written it", arns[0]), "go on from a savepoint with millrace resume")
	}
	return streams[arns[0]], nil
}

// ofArchive tells the roll of a file that a run read before its stream.
func ofArchive(c *record.Close) bool {
	return c.Next == "" && c.First == record.Sequence("0") && c.Last == c.First && c.After == ""
}

func streamName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// begins tells whether the reading of a shard began behind a record.
func (w *reading) begins(id, after string) bool {
	s, known := w.all.Shards[id]
	if !known {
		return false
	}
	var state shardState
	return state.setPosition(s.At) == nil && state.After == after
}

// goOn moves the position of a shard behind the last of its rolls that is within.
func (w *reading) goOn(rolls []placedRoll, within func(*record.Close) bool) {
	var last *placedRoll
	for i := range rolls {
		r := &rolls[i]
		if within(r.close) && (last == nil || later(r.close.After, last.close.After)) {
			last = r
		}
	}
	if last == nil {
		return
	}
	s := &shardPosition{At: positionEnd, First: last.next.First, Last: last.next.Last, Clock: last.next.Clock}
	if !last.close.End {
		s.At = decimal(last.close.Last)
	}
	w.all.Shards[last.next.Shard] = s
}

// measure tells how far the shards are.
func (o *Onward) measure(p positions) {
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	for _, s := range p.Shards {
		open := s.At != positionEnd
		if open {
			o.Shards++
		} else {
			o.Ended++
		}
		if s.Clock == nil || s.Clock.Latest == nil {
			continue
		}
		high = max(high, *s.Clock.Latest)
		if open {
			low = min(low, *s.Clock.Latest)
		}
	}
	if high != math.MinInt64 {
		o.Low, o.High = min(low, high), high
	}
}
