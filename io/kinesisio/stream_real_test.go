package kinesisio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/io/iotest"
	"millrace/schemas/record"
)

// readReal reads a whole stream of a server, by two readers.
func readReal(t *testing.T, name, params string) iotest.StreamReading {
	t.Helper()
	open := func() driver.Stream {
		return openSuite(t, name, "&until=tip"+params, driver.StreamOptions{EventTime: testTimes, RollBytes: 64 << 10, RollEvery: time.Hour})
	}
	cursors, err := open().Begin(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	got := iotest.ReadStream(t, open, cursors, 0, nil)
	got.Check(t)
	return got
}

func TestWhatTheProducerLibraryPutsIsTakenApart(t *testing.T) {
	server := testenv.Kinesis(t)
	server.CreateStream(t, "logs", 3)
	want := map[string]int{}
	var records []testenv.KinesisRecord
	for i := range 1000 {
		text := fmt.Sprintf("%d %d %s", 1_600_000_000_000+i, i, strings.Repeat("x", i%50))
		want[text]++
		records = append(records, testenv.KinesisRecord{Key: fmt.Sprint("key ", i%97), Data: []byte(text)})
	}
	testenv.KPL(t, server, "logs", records)
	got := readReal(t, "logs", "")
	if diff := cmp.Diff(want, got.Texts()); diff != "" {
		t.Fatalf("records (-put +read):\n%s", diff)
	}
	aggregated, plain := 0, map[string]int{}
	for _, r := range got.Records {
		plain[r.Sequence]++
		if r.Position > 0 {
			aggregated++
		}
	}
	if aggregated < 500 || len(plain) < 3 {
		t.Errorf("%d records were inside others, %d stream records: the test proves nothing", aggregated, len(plain))
	}
}

func TestOneBadRecordStopsNothing(t *testing.T) {
	server := testenv.Kinesis(t)
	server.CreateStream(t, "logs", 2)
	garbage := bytes.Repeat([]byte{0xf3, 0x89, 0x9a, 0xc2, 0, 0xff}, 1<<20/6-10)
	long := bytes.Repeat([]byte("long "), 1<<20/5-10)
	first := hashKey{}.String() // one shard stays empty
	for _, data := range [][]byte{[]byte("1 first"), garbage, []byte("2 between"), long, {}, aggregateOf(hashKey{}, "3 a", "4 b"), []byte("5 last\n")} {
		if len(data) == 0 {
			data = []byte("\n") // no service takes nothing
		}
		server.Put(t, "logs", testenv.KinesisRecord{Key: "k", HashKey: first, Data: data})
	}
	got := readReal(t, "logs", "&max_line=1000000")
	var texts []string
	for _, r := range got.Records {
		if r.Oversize > 0 {
			texts = append(texts, fmt.Sprintf("%d bytes, of which %d", r.Oversize, len(r.Text)))
			continue
		}
		texts = append(texts, r.Text)
	}
	want := []string{
		"1 first", fmt.Sprintf("%d bytes, of which 4096", len(garbage)), "2 between", fmt.Sprintf("%d bytes, of which 4096", len(long)), "", "3 a", "4 b", "5 last",
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("records (-put +read):\n%s", diff)
	}
}

func TestAStreamOfAnotherRegionIsNotFound(t *testing.T) {
	server := testenv.Kinesis(t)
	server.CreateStream(t, "logs", 1)
	s := openSuite(t, "logs", "&region=eu-west-1", driver.StreamOptions{})
	_, err := s.Begin(t.Context(), 1)
	var e *driver.Error
	if !errors.Is(err, driver.ErrNotFound) || !errors.As(err, &e) || !strings.Contains(e.Cure, "eu-west-1") {
		t.Errorf("the error is %v", err)
	}
}

func TestAStreamIsReadByItsARN(t *testing.T) {
	server := testenv.Kinesis(t)
	server.CreateStream(t, "logs", 1)
	server.Put(t, "logs", testenv.KinesisRecord{Key: "k", Data: []byte("1 here")})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	named := openSuite(t, "logs", "", driver.StreamOptions{}).(*Stream)
	sum, err := named.describe(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if limit, err := named.RecordLimit(ctx); err != nil || limit < 1<<20 || limit > 10<<20 {
		t.Errorf("the largest record has %d bytes, %v", limit, err)
	}
	got := readReal(t, sum.arn, "")
	if len(got.Records) != 1 || got.Records[0].Source != record.ShardIdentity(sum.arn, "shardId-000000000000").String() {
		t.Errorf("by its ARN the stream gives %+v", got.Records)
	}
}

func linesOf(b *record.Block) (lines []string) {
	at := 0
	for _, end := range b.Ends {
		lines = append(lines, string(b.Data[at:end]))
		at = end
	}
	return lines
}
