package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/ledger"
	"millrace/schemas/record"

	"millrace/io/lakeio"
)

func TestATrackerSplitsWhatWasReadFromWhatWasNot(t *testing.T) {
	tr := &cursorTracker{at: cursor{At: []byte("a")}}
	if !tr.TryClaim(cursor{At: []byte("b")}) {
		t.Fatal("an open reader cannot go on")
	}
	if p, r, err := tr.TrySplit(0.5); err != nil || r != nil || tr.IsDone() {
		t.Errorf("a reader was cut in two: %v, %v, %v", p, r, err)
	}
	p, r, err := tr.TrySplit(0)
	if err != nil || !tr.IsDone() {
		t.Fatalf("not done after a checkpoint: %v", err)
	}
	if diff := cmp.Diff([]any{cursor{Over: true}, cursor{At: []byte("b")}}, []any{p, r}); diff != "" {
		t.Errorf("primary and residual (-want +got):\n%s", diff)
	}
	if tr.TryClaim(cursor{At: []byte("c")}) {
		t.Error("read on after the rest was split off")
	}
	if _, r, _ := tr.TrySplit(0); r != nil {
		t.Errorf("the rest was given twice: %v", r)
	}
	if tr.TryClaim("d"); tr.GetError() == nil {
		t.Error("claimed what is no cursor")
	}
}

func TestAStreamThatIsOverLeavesNoRest(t *testing.T) {
	tr := &cursorTracker{at: cursor{At: []byte("a")}}
	if tr.IsBounded() || !tr.TryClaim(cursor{Over: true}) || !tr.IsDone() || !tr.IsBounded() {
		t.Errorf("got %+v", tr)
	}
	if _, r, _ := tr.TrySplit(0); r != nil {
		t.Errorf("a rest of nothing: %v", r)
	}
}

// TestCursorsOfSavepointsStayReadable holds the form in which a position lies in
// savepoints: an older one has to be read by every later program.
func TestCursorsOfSavepointsStayReadable(t *testing.T) {
	for text, want := range map[string]cursor{
		"\x01\x00{\"v\":1}": {At: driver.Cursor(`{"v":1}`)},
		"\x01\x01":          {At: driver.Cursor(nil), Over: true},
	} {
		got, err := decodeCursor([]byte(text))
		if err != nil || !bytes.Equal(got.At, want.At) || got.Over != want.Over {
			t.Errorf("%q is read as %+v, %v", text, got, err)
		}
		if back := encodeCursor(got); string(back) != text {
			t.Errorf("%q is written as %q", text, back)
		}
	}
	for _, text := range []string{"", "\x01", "\x02\x00", "{}"} {
		if got, err := decodeCursor([]byte(text)); err == nil || !strings.Contains(err.Error(), "version of the program") {
			t.Errorf("%q is read as %+v, %v", text, got, err)
		}
	}
}

// countingStream tells where its readers were opened.
type countingStream struct {
	driver.Stream
	opened []string
	fault  error
}

type countingReader struct {
	driver.StreamReader
	at     driver.Cursor
	closed bool
}

func (s *countingStream) Read(_ context.Context, at driver.Cursor) (driver.StreamReader, error) {
	if s.fault != nil {
		return nil, s.fault
	}
	s.opened = append(s.opened, string(at))
	return &countingReader{at: at}, nil
}

func (r *countingReader) Cursor() (driver.Cursor, error)              { return r.at, nil }
func (r *countingReader) Next(context.Context) (*record.Block, error) { return nil, nil } //nolint:nilnil // nothing comes
func (r *countingReader) Watermark() int64                            { return math.MinInt64 }
func (r *countingReader) Close() error                                { r.closed = true; return nil }

func TestAReaderStaysOpenUnlessTheRunnerSaysThatItStandsElsewhere(t *testing.T) {
	pool := readerPool{open: map[readerKey]*openReader{}}
	key := readerKey{t.Name(), "element"}
	s := &countingStream{}
	take := func(at string) *openReader {
		t.Helper()
		r, err := pool.take(t.Context(), key, s, []byte(at))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := take("a")
	pool.give(first)
	if again := take("a"); again != first {
		t.Error("another reader was opened for where the first stands")
	}
	pool.give(first)
	restored := take("earlier")
	if restored == first || !first.StreamReader.(*countingReader).closed {
		t.Error("the reader went on where it stood, though a checkpoint was restored")
	}
	if diff := cmp.Diff([]string{"a", "earlier"}, s.opened); diff != "" {
		t.Errorf("opened (-want +got):\n%s", diff)
	}
	pool.drop(restored)
	s.fault = errors.New("gone")
	if _, err := pool.take(t.Context(), key, s, []byte("b")); !errors.Is(err, s.fault) {
		t.Errorf("got %v", err)
	}
}

func TestARollIsWholeWhenAllRowsOfItsAccountAreThere(t *testing.T) {
	roll := strings.Repeat("0", 32) + "/" + record.Sequence("7")
	segment := func(output string, rows int) lakeio.Segment {
		return lakeio.Segment{Output: output, Roll: roll, Parts: []lakeio.SegmentPart{{Rows: rows}}}
	}
	part := ledger.Part{Roll: roll, Ledger: ledger.Ledger{In: 10, Events: 7, Bad: 2, Late: 1, Skipped: 1}, Close: &record.Close{Records: 10}, Read: 10, Vault: 5}
	all := []lakeio.Segment{segment("events", 3), segment("events", 4), segment("bad_rows", 2), segment("late", 1), segment("raw", 9), segment("vault", 2), segment("vault", 3)}
	fn := &rollFn{Lake: LiveLake{Raw: true}}
	if !fn.whole(part, all) {
		t.Error("a whole roll is not taken for one")
	}
	for i := range all {
		if fn.whole(part, append(append([]lakeio.Segment{}, all[:i]...), all[i+1:]...)) {
			t.Errorf("whole without %s of %d rows", all[i].Output, all[i].Rows())
		}
	}
	open := part
	open.Close = nil
	if fn.whole(open, all) {
		t.Error("whole before its end is known")
	}
	unread := part
	unread.Read = 9
	if fn.whole(unread, all) {
		t.Error("whole though the account of a block is missing, and what it knows of the vault")
	}
	short := part
	short.Ledger.In = 9
	if fn.whole(short, all) {
		t.Error("whole though a record is not accounted for")
	}
}

func TestBucketsOfKeys(t *testing.T) {
	end, output, err := parseBucket("1772359200000/top_pages")
	if err != nil || output != "top_pages" || time.UnixMilli(end).UTC().Hour() != 10 {
		t.Errorf("got %d, %s, %v", end, output, err)
	}
	for _, key := range []string{"", "5", "x/traffic"} {
		if _, _, err := parseBucket(key); err == nil {
			t.Errorf("%q is taken for a bucket", key)
		}
	}
}

// TestMessagesOfSavepointsStayReadable holds the form in which what came of a roll
// lies in savepoints.
func TestMessagesOfSavepointsStayReadable(t *testing.T) {
	roll := strings.Repeat("0", 32) + "/" + record.Sequence("7")
	part, segments, err := gather(roll, [][]byte{
		[]byte(`{"segment":{"output":"events","roll":"` + roll + `","key":"_staging/run/segments/a","parts":[{"day":20000,"offset":1,"length":2,"rows":3,"first":4,"digest":5}]}}`),
		[]byte(`{"part":{"roll":"` + roll + `","ledger":{"in":2,"events":2,"bad":0,"late":0,"duplicate":0,"skipped":0}}}`),
		[]byte(`{"part":{"roll":"` + roll + `","ledger":{"in":1,"events":1,"bad":0,"late":0,"duplicate":0,"skipped":0},"close":{"Records":3,"First":"1","Last":"2","FirstArrival":1,"LastArrival":2}}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	wantSegments := []lakeio.Segment{{Output: "events", Roll: roll, Key: "_staging/run/segments/a", Parts: []lakeio.SegmentPart{{Day: 20000, Offset: 1, Length: 2, Rows: 3, First: 4, Digest: 5}}}}
	if diff := cmp.Diff(wantSegments, segments); diff != "" {
		t.Errorf("segments (-want +got):\n%s", diff)
	}
	want := ledger.Part{Roll: roll, Ledger: ledger.Ledger{In: 3, Events: 3}, Close: &record.Close{Records: 3, First: "1", Last: "2", FirstArrival: 1, LastArrival: 2}}
	if diff := cmp.Diff(want, part); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}
	for _, later := range []string{"rows", "{}", `{"rows":1}`, `{"part":{"roll":"` + roll + `","ledger":{"in":1,"lost":1}}}`} {
		if _, _, err := gather(roll, [][]byte{[]byte(later)}); err == nil || !strings.Contains(err.Error(), "version of the program") {
			t.Errorf("%s: %v", later, err)
		}
	}
	// What this program writes of all that there is; a change needs a thought for
	// those that lie in savepoints.
	b, err := json.Marshal(message{Segment: &wantSegments[0], Part: &want})
	const now = `{"segment":{"output":"events","roll":"ROLL","key":"_staging/run/segments/a","parts":[{"day":20000,"offset":1,"length":2,"rows":3,"first":4,"digest":5}]},` +
		`"part":{"roll":"ROLL","ledger":{"in":3,"events":3,"bad":0,"late":0,"duplicate":0,"skipped":0},"close":{"Records":3,"First":"1","Last":"2","FirstArrival":1,"LastArrival":2}}}`
	if diff := cmp.Diff(strings.ReplaceAll(now, "ROLL", roll), string(b)); diff != "" || err != nil {
		t.Errorf("messages are written differently (-want +got), %v:\n%s", err, diff)
	}
}
