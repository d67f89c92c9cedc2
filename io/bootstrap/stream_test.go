package bootstrap_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/io/bootstrap"
	"millrace/io/driver"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
)

const until = int64(1_000_000)

// archived is a file of an archive: blocks of records with arrival times.
type archived [][]int64

// archive gives files; a record's text tells its file, block and number.
type archive []archived

func (a archive) Splits(context.Context) ([]driver.Split, error) {
	var splits []driver.Split
	for i := range a {
		splits = append(splits, driver.Split{Name: fmt.Sprint(i), Source: fmt.Sprintf("%032d", i), Keys: []string{"k"}})
	}
	return splits, nil
}

func (a archive) Open(_ context.Context, s driver.Split) (driver.Reader, error) {
	if s.Keys != nil {
		return nil, errors.New("what serves the plan travels")
	}
	var i int
	if _, err := fmt.Sscan(s.Name, &i); err != nil {
		return nil, err
	}
	return &archiveReader{file: i, blocks: a[i]}, nil
}

type archiveReader struct {
	file, at int
	blocks   archived
}

func (r *archiveReader) Next(context.Context) (record.Block, error) {
	if r.at == len(r.blocks) {
		return record.Block{}, io.EOF
	}
	b := record.Block{Source: "shard", Ends: []int{}}
	for i, arrival := range r.blocks[r.at] {
		b.Data = fmt.Appendf(b.Data, "f%d.%d.%d", r.file, r.at, i)
		b.Ends = append(b.Ends, len(b.Data))
		b.Positions = append(b.Positions, int64(i))
		b.Arrivals = append(b.Arrivals, arrival)
		b.Noted = append(b.Noted, arrival)
		b.Sequences = append(b.Sequences, record.Sequence("1"))
	}
	r.at++
	return b, nil
}

func (r *archiveReader) Close() error { return nil }

// live is a stream of three blocks a reader; its cursor is the next one.
type live struct{}

type liveCursor struct{ Reader, Next int }

func (live) Begin(_ context.Context, readers int) (cursors []driver.Cursor, err error) {
	for i := range readers {
		b, err := json.Marshal(liveCursor{Reader: i})
		if err != nil {
			return nil, err
		}
		cursors = append(cursors, b)
	}
	return cursors, nil
}

func (live) Read(_ context.Context, at driver.Cursor) (driver.StreamReader, error) {
	r := &liveReader{}
	return r, json.Unmarshal(at, &r.at)
}

type liveReader struct{ at liveCursor }

func (r *liveReader) Next(context.Context) (*record.Block, error) {
	if r.Done() {
		return nil, nil //nolint:nilnil // the contract: nothing came
	}
	b := &record.Block{Data: fmt.Appendf(nil, "l%d.%d", r.at.Reader, r.at.Next), Roll: "live"}
	b.Ends = []int{len(b.Data)}
	r.at.Next++
	return b, nil
}

func (r *liveReader) Cursor() (driver.Cursor, error) { return json.Marshal(r.at) }

func (r *liveReader) Watermark() int64 {
	if r.Done() {
		return math.MaxInt64
	}
	return int64(r.at.Next)
}
func (r *liveReader) Done() bool                   { return r.at.Next == 3 }
func (r *liveReader) Status() []driver.ShardStatus { return nil }
func (r *liveReader) Close() error                 { return nil }

// TestEveryRecordOnceWhereverReadingIsTakenUpAgain reads random archives and a
// stream behind, and now and then goes back to the last cursor, as a runner does
// that restores a checkpoint.
func TestEveryRecordOnceWhereverReadingIsTakenUpAgain(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var a archive
		want := map[string]bool{}
		for f := range rng.IntN(5) {
			var file archived
			for b := range rng.IntN(4) {
				var block []int64
				for i := range rng.IntN(4) {
					arrival := until - 5 + rng.Int64N(10)
					block = append(block, arrival)
					if arrival < until {
						want[fmt.Sprintf("f%d.%d.%d", f, b, i)] = true
					}
				}
				file = append(file, block)
			}
			a = append(a, file)
		}
		readers := 1 + rng.IntN(3)
		for r := range readers {
			for i := range 3 {
				want[fmt.Sprintf("l%d.%d", r, i)] = true
			}
		}
		s := &bootstrap.Stream{Archive: a, Live: live{}, Until: time.UnixMilli(until)}
		cursors, err := s.Begin(t.Context(), readers)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		parts := map[string]*ledger.Part{}
		for _, c := range cursors {
			readAll(t, rng, s, c, got, parts)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
		for roll, p := range parts {
			if !p.Whole() || p.Check() != nil || p.Close.FirstArrival > p.Close.LastArrival || p.Close.LastArrival >= until {
				t.Errorf("seed %d: roll %s: %+v of %+v", seed, roll, p.Ledger, p.Close)
			}
		}
	}
}

// readAll reads with one reader to its end. What came after a cursor that is gone
// back to is forgotten, as a runner forgets it.
func readAll(t *testing.T, rng *rand.Rand, s *bootstrap.Stream, at driver.Cursor, got map[string]bool, parts map[string]*ledger.Part) {
	t.Helper()
	r, err := s.Read(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	watermark := int64(math.MinInt64)
	for !r.Done() {
		b, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if rng.IntN(3) == 0 { // it is lost, and read again
			if r.Close() != nil {
				t.Fatal("closing")
			}
			if r, err = s.Read(t.Context(), at); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if at, err = r.Cursor(); err != nil {
			t.Fatal(err)
		}
		if w := r.Watermark(); w < watermark {
			t.Errorf("the watermark fell from %d to %d", watermark, w)
		} else {
			watermark = w
		}
		if b == nil {
			continue
		}
		from := 0
		for _, end := range b.Ends {
			text := string(b.Data[from:end])
			from = end
			if got[text] {
				t.Errorf("%s came twice", text)
			}
			if got[text] = true; strings.HasPrefix(text, "f") && watermark > math.MinInt64 && !r.Done() && b.Roll != "live" {
				t.Errorf("%s of the archive came behind the watermark %d", text, watermark)
			}
		}
		if b.Roll == "live" {
			continue
		}
		p := ledger.Part{Roll: b.Roll, Ledger: ledger.Ledger{In: int64(len(b.Ends)), Events: int64(len(b.Ends))}, Close: b.Close}
		if sum := parts[b.Roll]; sum == nil {
			parts[b.Roll] = &p
		} else if err := sum.Add(p); err != nil {
			t.Error(err)
		}
	}
}

func TestAPositionOfAnotherFormIsRefused(t *testing.T) {
	s := &bootstrap.Stream{Archive: archive{}, Live: live{}}
	for _, text := range []string{"", "{}", `{"form":2}`} {
		if _, err := s.Read(t.Context(), []byte(text)); !errors.Is(err, driver.ErrCorrupt) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestEveryFileHasARoll: so the ledger tells when an archive has been read.
func TestEveryFileHasARoll(t *testing.T) {
	s := &bootstrap.Stream{Archive: archive{{{until}}, {}, {{until - 1, until}}}, Live: live{}, Until: time.UnixMilli(until)}
	cursors, err := s.Begin(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Read(t.Context(), cursors[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	records := map[string]int64{}
	for {
		b, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b.Roll == "live" {
			break
		}
		if b.Close != nil {
			records[b.Source] = b.Close.Records
		}
	}
	if diff := cmp.Diff(map[string]int64{fmt.Sprintf("%032d", 0): 0, fmt.Sprintf("%032d", 1): 0, fmt.Sprintf("%032d", 2): 1}, records); diff != "" {
		t.Errorf("records of the files' rolls (-want +got):\n%s", diff)
	}
}

// cutArchive is one whose first file is cut into splits and has a copy.
type cutArchive struct{ archive }

func (a cutArchive) Splits(ctx context.Context) ([]driver.Split, error) {
	splits, err := a.archive.Splits(ctx)
	copied := splits[0]
	copied.Duplicate = true
	var cut []driver.Split
	for at := range int64(3) {
		part := splits[0]
		part.Start, part.End, part.Size = 10*at, 10*(at+1), 10
		cut = append(cut, part)
	}
	return slices.Concat(cut, []driver.Split{copied}, splits[1:]), err
}

// TestAFileIsOneRollHoweverOftenItIsThere: rolls of the same name would be closed twice, or never.
func TestAFileIsOneRollHoweverOftenItIsThere(t *testing.T) {
	for readers := 1; readers <= 3; readers++ {
		s := &bootstrap.Stream{Archive: cutArchive{archive{{{until - 1, until - 2}, {until - 3}}, {{until - 1}}}}, Live: live{}, Until: time.UnixMilli(until)}
		cursors, err := s.Begin(t.Context(), readers)
		if err != nil {
			t.Fatal(err)
		}
		got, parts := map[string]bool{}, map[string]*ledger.Part{}
		for _, c := range cursors {
			readAll(t, rand.New(rand.NewPCG(1, 1)), s, c, got, parts)
		}
		records := map[string]int64{}
		for roll, p := range parts {
			if !p.Whole() || p.Check() != nil {
				t.Errorf("%d readers: roll %s: %+v of %+v", readers, roll, p.Ledger, p.Close)
			}
			records[strings.TrimLeft(p.Roll[:32], "0")] = p.Ledger.In
		}
		if diff := cmp.Diff(map[string]int64{"": 3, "1": 1}, records); diff != "" {
			t.Errorf("%d readers: records by file (-want +got):\n%s", readers, diff)
		}
	}
}

// placing is a stream that tells positions.
type placing struct{ live }

func (placing) Positions(cursors []driver.Cursor) ([]byte, error) {
	return json.Marshal(cursors)
}

func (placing) BeginAt(_ context.Context, positions []byte, _ int) (cursors []driver.Cursor, err error) {
	return cursors, json.Unmarshal(positions, &cursors)
}

func TestPositionsAreThoseOfTheStream(t *testing.T) {
	s := &bootstrap.Stream{Archive: archive{{}, {}, {}}, Live: placing{}}
	cursors, err := s.Begin(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	positions, err := s.Positions(cursors)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.BeginAt(t.Context(), positions, 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(cursors, again); diff != "" {
		t.Errorf("cursors (-begun +begun there):\n%s", diff)
	}
	s.Live = live{}
	if _, err := s.Positions(cursors); !errors.Is(err, driver.ErrInvalid) {
		t.Errorf("a stream that tells none gives %v", err)
	}
}

func TestFilesAreSpreadOverTheReaders(t *testing.T) {
	s := &bootstrap.Stream{Archive: archive{{}, {}, {}, {}, {}}, Live: live{}}
	cursors, err := s.Begin(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	var counts []int
	for _, c := range cursors {
		counts = append(counts, strings.Count(string(c), `"name"`))
	}
	slices.Sort(counts)
	if diff := cmp.Diff([]int{2, 3}, counts); diff != "" {
		t.Errorf("files of the readers (-want +got):\n%s", diff)
	}
}
