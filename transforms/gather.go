package transforms

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"

	"millrace/transforms/internal/wire"
)

// Rules and boards watch very many keys, each of which has little to say at a time. Such
// keys cross a shuffle, and live in state, by the shard: what a bundle has for the keys of a
// shard is one element, and what a shard knows of them is one value.

// gatheredAtMost is how many bytes wait for the end of a bundle.
const gatheredAtMost = 4 << 20

// gatherer collects what a bundle has for keys.
type gatherer struct {
	shards [LiveShards][]byte
	size   int
	packer packer
}

// add appends a blob of a key, and hands everything on when it is much.
func (g *gatherer) add(key string, blob []byte, emit func(string, []byte)) error {
	h := fnv.New32a()
	h.Write([]byte(key))
	shard := &g.shards[h.Sum32()%LiveShards]
	before := len(*shard)
	*shard = wire.AppendText(wire.AppendText(*shard, key), blob)
	if g.size += len(*shard) - before; g.size < gatheredAtMost {
		return nil
	}
	return g.flush(emit)
}

// flush hands on what was added.
func (g *gatherer) flush(emit func(string, []byte)) error {
	for i, blob := range g.shards {
		if len(blob) == 0 {
			continue
		}
		packed, err := g.packer.pack(blob)
		if err != nil {
			return err
		}
		emit(strconv.Itoa(i), packed)
		g.shards[i] = nil
	}
	g.size = 0
	return nil
}

// eachGathered reads what a gatherer handed on, unpacked. A key may come several times.
func eachGathered(blob []byte, use func(key string, blob []byte) error) error {
	r := wire.NewReader(blob)
	for r.Rest() > 0 {
		key, b := r.Text(), r.Text()
		if err := r.Err(); err != nil {
			return fmt.Errorf("reading the keys of a shard: %w", err)
		}
		if err := use(string(key), b); err != nil {
			return err
		}
	}
	return nil
}

// byKey puts together what blobs have for each key.
func byKey(blobs [][]byte) (map[string][][]byte, error) {
	of := map[string][][]byte{}
	for _, blob := range blobs {
		if err := eachGathered(blob, func(key string, b []byte) error { of[key] = append(of[key], b); return nil }); err != nil {
			return nil, err
		}
	}
	return of, nil
}

// eachKeyOf gives the keys of a group of packed elements of a shard, in order, each with all there is of it.
func eachKeyOf(next func(*[]byte) bool, use func(key string, blobs [][]byte) error) error {
	var blobs [][]byte
	for b := []byte(nil); next(&b); b = nil {
		blob, err := unpack(b)
		if err != nil {
			return err
		}
		blobs = append(blobs, blob)
	}
	of, err := byKey(blobs)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(of)) {
		if err := use(key, of[key]); err != nil {
			return err
		}
	}
	return nil
}

// inShards is what a live shard keeps of its keys, and rounds of all of them together.
type inShards struct {
	kept
	*alarm
}

// leaves is what a fold of a key leaves: its state, nil for nothing, when more of it can be
// decided at first, never for not before more comes, and of when the last that waits is.
type leaves struct {
	state        []byte
	next, latest int64
}

// foldKey folds what came for a key into what it knows, as of a time.
type foldKey func(key string, open []byte, blobs [][]byte, at int64) (leaves, error)

// round folds a shard as of a time: the keys for which something came, and those that wait for no later one.
func (s inShards) round(sp state.Provider, tp timers.Provider, at int64, fold foldKey) error {
	_, open, blobs, err := s.read(sp)
	if err != nil {
		return err
	}
	came, err := byKey(blobs)
	if err != nil {
		return err
	}
	all := leaves{next: never, latest: at}
	keep := func(key string, l leaves) {
		if l.state == nil {
			return
		}
		if all.state == nil {
			all.state = []byte{}
		}
		all.state = wire.AppendText(all.state, key)
		all.state = wire.AppendText(all.state, appendLeaves(l))
		all.next, all.latest = min(all.next, l.next), max(all.latest, l.latest)
	}
	err = eachGathered(open, func(key string, b []byte) error {
		l, err := readLeaves(b)
		if err != nil {
			return err
		}
		if blobs, news := came[key]; news || l.next <= at {
			delete(came, key)
			if l, err = fold(key, l.state, blobs, at); err != nil {
				return err
			}
		}
		keep(key, l)
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(came)) {
		l, err := fold(key, nil, came[key], at)
		if err != nil {
			return err
		}
		keep(key, l)
	}
	return s.write(sp, tp, s.alarm, at, all.state, all.next, all.latest)
}

func appendLeaves(l leaves) []byte {
	b := binary.AppendVarint(nil, l.next)
	return append(binary.AppendVarint(b, l.latest), l.state...)
}

func readLeaves(b []byte) (l leaves, err error) {
	next, n := binary.Varint(b)
	latest, m := binary.Varint(b[max(n, 0):])
	if n <= 0 || m <= 0 {
		return l, errors.New("what a key knows is cut short: resume with the version of the program that wrote it")
	}
	return leaves{b[n+m:], next, latest}, nil
}
