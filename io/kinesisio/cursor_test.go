package kinesisio

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/io/driver"
	"millrace/io/iotest"
	"millrace/schemas/record"
)

func FuzzCursor(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(`{"version":1,"stream":"arn","reader":0,"readers":1,"shards":[{"id":"s","first":"0","last":"9","clock":{"latest":5}}]}`))
	f.Add([]byte(`{"version":1,"stream":"arn","reader":1,"readers":2,"shards":null,"low":-9223372036854775808}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := decodeCursor(text)
		if err != nil {
			if !errors.Is(err, driver.ErrInvalid) {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		written, err := c.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeCursor(written)
		if err != nil {
			t.Fatal(err)
		}
		if rewritten, err := again.encode(); err != nil || !bytes.Equal(written, rewritten) {
			t.Fatalf("%s becomes %s, %v", written, rewritten, err)
		}
		// What was exported starts a shard where the cursor had it.
		for _, s := range c.Shards {
			from := &shardState{}
			if err := from.setPosition(s.position()); err != nil {
				t.Fatalf("position %s: %v", s.position(), err)
			}
			if from.After != "" && from.After != s.After || from.Given != 0 && from.Given != s.Given {
				t.Fatalf("position %s becomes %+v", s.position(), from)
			}
		}
	})
}

func TestSequenceNumbersAreComparedAndCounted(t *testing.T) {
	for _, pair := range [][2]string{{"", "1"}, {"9", "10"}, {"99", "100"}, {strings.Repeat("9", 56), "1" + strings.Repeat("0", 56)}} {
		a, b := pair[0], record.Sequence(pair[1])
		if a != "" {
			a = record.Sequence(a)
		}
		if !later(b, a) || later(a, b) || later(a, a) {
			t.Errorf("%s and %s are in the wrong order", a, b)
		}
		if a != "" && behind(a) != b {
			t.Errorf("behind %s is %s", a, behind(a))
		}
		if decimal(b) != pair[1] {
			t.Errorf("%s is %s", b, decimal(b))
		}
	}
	if !isSequence(behind("")) {
		t.Error("behind nothing is nothing")
	}
}

// savePositions writes positions to a file and gives the parameters that name it.
func savePositions(t *testing.T, text []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "positions.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return "&start=positions&positions=" + file
}

func TestPositionsGoOnWithAnyNumberOfReaders(t *testing.T) {
	for seed := range uint64(4) {
		w := newWorld(t, seed, 2)
		w.fill(0, 40, 0)
		w.fill(1, 40, 0)
		w.split(0) // 2, 3
		w.fill(2, 20, 1)
		w.merge(3, 1) // 4
		w.fill(4, 20, 1)
		cursors := w.begin(t, 2, "")
		first := iotest.StreamReading{Closes: map[string]record.Close{}}
		for i := range cursors {
			r := startAt(t, w.open(t, ""), cursors[i])
			mark := r.Watermark()
			for range w.rng.IntN(60) {
				if b, err := r.Next(t.Context()); err != nil {
					t.Fatal(err)
				} else if b != nil {
					first.Add(t, b, mark)
				}
				mark = r.Watermark()
			}
			var err error
			if cursors[i], err = r.Cursor(); err != nil {
				t.Fatal(err)
			}
		}
		text, err := Positions(cursors...)
		params := savePositions(t, text, err)
		rest := iotest.ReadStream(t, func() driver.Stream { return w.open(t, params) }, w.begin(t, 1+w.rng.IntN(4), params), 5, w.rng)
		got := w.lines(t, first)
		for line, n := range w.lines(t, rest) {
			got[line] += n
		}
		if diff := cmp.Diff(w.want, got); diff != "" {
			t.Fatalf("seed %d: lines (-put +read):\n%s", seed, diff)
		}
	}
}

func TestShardsAreDealtOutOnceAndEvenly(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		server := newGetServer(t, 4)
		open := []int{0, 1, 2, 3}
		for range rng.IntN(20) {
			i := rng.IntN(len(open))
			if rng.IntN(2) == 0 && len(open) < 10 {
				server.split(open[i])
				open = slices.Replace(open, i, i+1, len(server.shards)-2, len(server.shards)-1)
			} else if i+1 < len(open) {
				server.merge(open[i], open[i+1])
				open = slices.Replace(open, i, i+2, len(server.shards)-1)
			}
		}
		readers := 1 + rng.IntN(5)
		cursors, err := openQuick(t, "", driver.StreamOptions{}).Begin(t.Context(), readers)
		if err != nil {
			t.Fatal(err)
		}
		owners := map[string]int{}
		shares := make([]int, readers)
		for i, text := range cursors {
			c, err := decodeCursor(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range c.Shards {
				if other, twice := owners[s.ID]; twice {
					t.Fatalf("readers %d and %d have %s", other, i, s.ID)
				}
				owners[s.ID] = i
				if !server.shard(s.ID).closed {
					shares[i]++
				}
			}
		}
		if len(owners) != len(server.shards) || slices.Max(shares)-slices.Min(shares) > 1 {
			t.Fatalf("%d shards of %d are dealt out, the open ones as %v", len(owners), len(server.shards), shares)
		}
	}
}

func TestAShardHasOneHeirAmongReaders(t *testing.T) {
	server := newGetServer(t, 3)
	server.split(1)    // 3, 4
	server.merge(0, 3) // 5
	server.merge(5, 4) // 6
	s := openQuick(t, "", driver.StreamOptions{})
	listed, err := s.listShards(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := newLineage(listed)
	want := map[int][]int{0: {5}, 1: {3, 4}, 3: nil, 4: nil, 5: {6}}
	for shard, heirs := range want {
		got, found := l.successors(l.shards[server.shards[shard].id])
		var ids []int
		for _, h := range got {
			id, err := strconv.Atoi(strings.TrimPrefix(h.ID, "shardId-"))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		if !found || !slices.Equal(ids, heirs) {
			t.Errorf("shard %d goes on as %v, not %v", shard, ids, heirs)
		}
	}
	if _, found := l.successors(l.shards[server.shards[6].id]); found {
		t.Error("a shard without children has heirs")
	}
}

func TestWhereReadingStarts(t *testing.T) {
	server := newGetServer(t, 1)
	now := time.Now().UnixMilli()
	for i := range 5 {
		server.put(0, now-10_000+int64(i)*1000, []byte(fmt.Sprint(i)))
	}
	at := func(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano) }
	for params, want := range map[string][]string{
		"":                            {"0", "1", "2", "3", "4"},
		"&start=trim_horizon":         {"0", "1", "2", "3", "4"},
		"&start=latest":               nil,
		"&start=" + at(now-7000):      {"3", "4"},
		"&until=" + at(now-8000):      {"0", "1"},
		"&until=" + at(now-10_000):    nil,
		"&start=2001-01-01T00:00:00Z": {"0", "1", "2", "3", "4"},
	} {
		if !strings.Contains(params, "until") {
			params += "&until=tip"
		}
		r := startReader(t, openQuick(t, params, driver.StreamOptions{}))
		var lines []string
		for !r.Done() {
			b, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if b != nil {
				lines = append(lines, linesOf(b)...)
			}
		}
		if !slices.Equal(want, lines) {
			t.Errorf("%s gives %v, not %v", params, lines, want)
		}
	}
	s := openQuick(t, "&start="+at(now+1_000_000), driver.StreamOptions{})
	if _, err := s.Begin(t.Context(), 1); !errors.Is(err, driver.ErrInvalid) {
		t.Errorf("a start in the future gives %v", err)
	}
}

func TestWhatArrivesAfterLatestIsRead(t *testing.T) {
	server := newGetServer(t, 1)
	putNumbers(server, 0, 3)
	server.shards[0].records[2].ApproximateArrivalTimestamp -= 5
	server.shards[0].records[1].ApproximateArrivalTimestamp -= 5
	server.shards[0].records[0].ApproximateArrivalTimestamp -= 5
	s := openQuick(t, "&start=latest", driver.StreamOptions{})
	cursors, err := s.Begin(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	want := putNumbers(server, 3, 6)
	for range 2 { // also when a reader fails before its first record
		if got := readLines(t, startAt(t, s, cursors[0]), 3); !slices.Equal(want, got) {
			t.Errorf("%v is read, not %v", got, want)
		}
	}
}

func TestURLsOfStreams(t *testing.T) {
	newGetServer(t, 1)
	arn := "arn:aws:kinesis:eu-west-1:123456789012:stream/logs"
	for url, region := range map[string]string{
		"kinesis://logs": "us-east-1", "kinesis://my_logs.v-2/": "us-east-1", "kinesis://logs?region=eu-west-1": "eu-west-1",
		"kinesis://" + arn: "eu-west-1", "kinesis://" + arn + "?region=eu-west-1&until=tip": "eu-west-1",
	} {
		s, err := OpenStream(t.Context(), url, driver.StreamOptions{})
		if err != nil {
			t.Errorf("%s gives %v", url, err)
			continue
		}
		name, given := s.place.target()
		if s.place.region != region || (given != nil) != strings.Contains(url, "arn:") || (name != nil) == (given != nil) {
			t.Errorf("%s is %+v", url, s.place)
		}
	}
	for _, url := range []string{
		"kinesis://", "kinesis:///logs", "kinesis://logs/x", "kinesis://lo%20gs", "s3://logs", "logs", "kinesis://logs?strat=latest", "kinesis://logs?start=now",
		"kinesis://logs?until=5", "kinesis://logs?start=latest&positions=x", "kinesis://logs?start=positions",
		"kinesis://" + arn + "?region=us-east-1", "kinesis://arn:aws:s3:::bucket", "kinesis://arn:aws", "kinesis://arn:aws:kinesis:eu-west-1:1:consumer/x",
		"kinesis://logs?poll=0s", "kinesis://logs?max_line=11MiB", "kinesis://logs?secret_key=x", "kinesis://" + arn + "?access_key=x",
	} {
		_, err := OpenStream(t.Context(), url, driver.StreamOptions{})
		var e *driver.Error
		if !errors.Is(err, driver.ErrInvalid) || !errors.As(err, &e) || e.Object == "" || e.Cure == "" && !strings.Contains(err.Error(), "parameter") {
			t.Errorf("%s gives %v", url, err)
		}
	}
}

func TestParametersAreThoseThatAreRead(t *testing.T) {
	newGetServer(t, 1)
	s, err := OpenStream(t.Context(), "kinesis://logs", driver.StreamOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defaults := map[string]string{
		"start": "trim_horizon", "poll": s.limits.poll.String(), "rate": driver.FormatBytes(s.limits.rate), "ahead": driver.FormatBytes(s.limits.ahead),
		"block": driver.FormatBytes(int64(s.limits.block)), "max_line": driver.FormatBytes(int64(s.limits.maxLine)), "positions": "", "until": "", "region": "", "format": "",
	}
	documented := map[string]string{}
	for _, p := range Parameters() {
		if p.Source {
			documented[p.Name] = p.Default
		}
	}
	if !maps.Equal(defaults, documented) {
		t.Errorf("parameters (-read +documented):\n%s", cmp.Diff(defaults, documented))
	}
}
