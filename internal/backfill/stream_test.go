package backfill

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/io/lakeio"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms/accesslog"
	"millrace/transforms/mask"
	"millrace/transforms/seal"
)

// request is a line of about a time; some are broken, of a time that nobody can
// believe, or the beginning of one that is too long.
func request(rng *rand.Rand, at time.Time) (line string, oversize int64) {
	stamp := at.Add(-time.Duration(rng.Int64N(int64(4 * time.Minute))))
	switch rng.IntN(60) {
	case 0:
		return fmt.Sprintf("garbage %d", rng.IntN(1000)), 0
	case 1:
		return fmt.Sprintf(`203.0.113.9 - - [02/Mar/2026:10:00:00 +0000] "GET /cut-%d`, rng.IntN(1000)), 0
	case 2:
		stamp = at.Add(24*time.Hour + time.Duration(rng.Int64N(int64(2*time.Minute))) - time.Minute) // about the bound
	case 3:
		return "203.0.113.9 - - [", 5 << 20
	}
	return fmt.Sprintf(`203.0.%d.%d - - [%s] "GET /page/%d?q=ann%%40example.com HTTP/1.1" 200 %d "-" "agent %d"`,
		rng.IntN(4), rng.IntN(250), stamp.UTC().Format("02/Jan/2006:15:04:05 +0000"), rng.IntN(40), rng.IntN(5000), rng.IntN(9)), 0
}

// rolls are what a reader of a few shards gives: blocks of records that came one
// by one or many in a stream record, over the end of a day. late marks some.
func rolls(rng *rand.Rand, late bool) (blocks []record.Block) {
	const shards, perShard, perRoll = 3, 4, 5
	for shard := range shards {
		id := record.ShardIdentity("arn:aws:kinesis:eu-central-1:000000000000:stream/access-logs", fmt.Sprintf("shardId-%012d", shard))
		arrival := time.Date(2026, 3, 2, 23, 40, 0, 0, time.UTC)
		number := 1000 * shard
		for range perShard {
			roll := ""
			for range perRoll {
				b := record.Block{Source: id.String(), Name: "access-logs", Format: "combined", Ends: []int{}}
				var long []record.Block
				for range 1 + rng.IntN(40) { // stream records
					number += 1 + rng.IntN(9)
					arrival = arrival.Add(time.Duration(rng.IntN(4000)) * time.Millisecond)
					sequence := record.Sequence(fmt.Sprintf("49621738512830123348%020d", number))
					if roll == "" {
						roll = record.RollOf(id, sequence)
					}
					for position := range []int{1, 1, 30}[rng.IntN(3)] {
						line, oversize := request(rng, arrival)
						into := &b
						if oversize > 0 {
							long = append(long, record.Block{Source: b.Source, Name: b.Name, Format: b.Format, Oversize: oversize, Roll: roll})
							into = &long[len(long)-1]
						}
						into.Data = append(into.Data, line...)
						into.Ends = append(into.Ends, len(into.Data))
						into.Positions = append(into.Positions, int64(position))
						into.Sequences = append(into.Sequences, sequence)
						into.Arrivals = append(into.Arrivals, arrival.UnixMilli())
						if late {
							into.Behind = append(into.Behind, max(0, rng.Int64N(50_000)-40_000))
						}
					}
				}
				b.Roll = roll
				blocks = append(append(blocks, b), long...)
			}
		}
	}
	return blocks
}

// nobody is no bot.
type nobody struct{}

func (nobody) Why([]byte) (name, reason string, bot bool) { return "", "", false }

// work is what a worker made of blocks.
type work struct {
	outputs map[string][]*table.Batch
	account ledger.Ledger
	counted map[string]int // origins and times of events that aggregates were given
	visited map[string]int
}

// process runs blocks through a worker, each as a runner would hand it on, and
// takes its rows after each roll.
func process(t *testing.T, raw string, blocks []record.Block) work {
	t.Helper()
	key := [32]byte{7}
	sealer, err := seal.New(key)
	if err != nil {
		t.Fatal(err)
	}
	done := work{outputs: map[string][]*table.Batch{}, counted: map[string]int{}, visited: map[string]int{}}
	tell := func(of map[string]int) func(*accesslog.Event) {
		return func(e *accesslog.Event) {
			of[fmt.Sprintf("%s %d %d %s %s", e.Source, e.Position, e.Time, e.Visitor.ID, e.Path)]++
		}
	}
	c := accesslog.Config{
		Masker: mask.New("k1", key, mask.Options{}), Bots: nobody{}, Count: tell(done.counted), Visit: tell(done.visited),
		Keep: func(dst, line []byte, _ record.Identity, _ string, _ int64) ([]byte, string) {
			return append(dst, line...), ""
		},
	}
	if raw == "sealed" {
		c.Keep = func(dst, line []byte, source record.Identity, sequence string, position int64) ([]byte, string) {
			return sealer.Append(dst, line, source, sequence, position), "k1"
		}
	}
	c.Open = func(dst, payload []byte, _ string, source record.Identity, sequence string, position int64) ([]byte, error) {
		return sealer.Open(dst, payload, source, sequence, position)
	}
	w := accesslog.New(c)
	for i, b := range blocks {
		encoded, err := record.Encode(b)
		if err != nil {
			t.Fatal(err)
		}
		if b, err = record.Decode(encoded); err != nil {
			t.Fatal(err)
		}
		span, err := w.Lines(&b)
		if err != nil {
			t.Fatal(err)
		}
		w.Settle(span, span.First)
		if i+1 < len(blocks) && blocks[i+1].Roll == b.Roll {
			continue
		}
		events, bad, late, raw := w.Take()
		for name, rows := range map[string]*table.Batch{"events": events, "bad_rows": bad, "late": late, "raw": raw} {
			done.outputs[name] = append(done.outputs[name], rows)
		}
	}
	done.account = w.TakeLedger()
	if !done.account.Balanced() {
		t.Errorf("ledger %s", done.account)
	}
	return done
}

// files makes Parquet files of batches, as a lake names them, and their hashes.
func files(t *testing.T, lake, output string, batches ...*table.Batch) map[string]string {
	t.Helper()
	dir := t.TempDir()
	spiller := lakeio.NewSpiller(dir, output, 1)
	for _, b := range batches {
		if err := spiller.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := spiller.Finish()
	if err != nil {
		t.Fatal(err)
	}
	parts := map[lakeio.Part][]lakeio.Run{}
	for _, r := range runs {
		parts[r.Part] = append(parts[r.Part], r)
	}
	hashes := map[string]string{}
	for part, runs := range parts {
		made, err := lakeio.MergeRuns(t.Context(), batches[0].Schema(), part, 0, runs, dir, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range made {
			hashes[f.Key] = f.SHA256
			to := filepath.Join(lake, filepath.FromSlash(f.Key))
			if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.Rename(f.Staged, to)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return hashes
}

// archived reads an archive's blocks.
func archived(t *testing.T, folder, block string) (blocks []record.Block) {
	t.Helper()
	s, err := lakeio.OpenSource(t.Context(), "file://"+folder+"?block="+block, nil)
	if err != nil {
		t.Fatal(err)
	}
	splits, err := s.Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, split := range splits {
		r, err := s.Open(t.Context(), split)
		if err != nil {
			t.Fatal(err)
		}
		for {
			b, err := r.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			blocks = append(blocks, b)
		}
		r.Close()
	}
	return blocks
}

// again archives what was processed, roll by roll as a live run does, and
// processes the archive.
func again(t *testing.T, raw, block string, live work) work {
	t.Helper()
	lake := t.TempDir()
	names := map[string]string{}
	for _, roll := range live.outputs["raw"] {
		maps.Copy(names, files(t, lake, "raw", roll))
	}
	if want := len(live.outputs["raw"]); len(names) < want {
		t.Fatalf("%d rolls became %d files", want, len(names))
	}
	blocks := archived(t, filepath.Join(lake, "raw"), block)
	rand.New(rand.NewPCG(8, 8)).Shuffle(len(blocks), func(i, j int) { blocks[i], blocks[j] = blocks[j], blocks[i] })
	return process(t, raw, blocks)
}

func TestTheArchiveOfAStreamGivesItsRowsAgain(t *testing.T) {
	for raw, block := range map[string]string{"plain": "2KiB", "sealed": "1MiB"} {
		t.Run(raw+" "+block, func(t *testing.T) {
			live := process(t, raw, rolls(rand.New(rand.NewPCG(1, 1)), false))
			batch := again(t, raw, block, live)
			for _, output := range slices.Sorted(maps.Keys(live.outputs)) {
				want := files(t, t.TempDir(), output, live.outputs[output]...)
				got := files(t, t.TempDir(), output, batch.outputs[output]...)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-live +batch):\n%s", output, diff)
				}
				if len(want) == 0 && output != "late" {
					t.Errorf("no files of %s", output)
				}
			}
			for name, pair := range map[string][2]any{
				"ledger": {live.account, batch.account}, "counted": {live.counted, batch.counted}, "visited": {live.visited, batch.visited},
			} {
				if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
					t.Errorf("%s (-live +batch):\n%s", name, diff)
				}
			}
			if live.account.Events < 1000 || len(live.account.Reasons) < 4 || len(live.counted) != int(live.account.Events) {
				t.Errorf("too little was tried: %s", live.account)
			}
		})
	}
}

// TestABackfillCountsWhatCameLate: the mark is of the live run and not kept.
func TestABackfillCountsWhatCameLate(t *testing.T) {
	marked, inTime := rolls(rand.New(rand.NewPCG(2, 2)), true), rolls(rand.New(rand.NewPCG(2, 2)), true)
	for i := range inTime {
		inTime[i].Behind = nil
	}
	live, want := process(t, "sealed", marked), process(t, "sealed", inTime)
	if live.account.Late < 100 || len(live.counted) != int(live.account.Events-live.account.Late) {
		t.Fatalf("%d events counted live, ledger %s", len(live.counted), live.account)
	}
	batch := again(t, "sealed", "64KiB", live)
	for _, output := range []string{"events", "bad_rows", "late", "raw"} {
		if diff := cmp.Diff(files(t, t.TempDir(), output, want.outputs[output]...), files(t, t.TempDir(), output, batch.outputs[output]...)); diff != "" {
			t.Errorf("%s (-as if nothing were late +batch):\n%s", output, diff)
		}
	}
	if diff := cmp.Diff(want.counted, batch.counted); diff != "" {
		t.Errorf("counted (-as if nothing were late +batch):\n%s", diff)
	}
	if diff := cmp.Diff(want.account, batch.account); diff != "" {
		t.Errorf("ledger (-as if nothing were late +batch):\n%s", diff)
	}
}
