package kinesisio

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"

	"millrace/internal/testenv"
	"millrace/io/driver"
)

// Inputs that somebody has made to do harm. Each test states how much the heap may
// grow.

// readAnswer reads an answer of which the server claims a length.
func readAnswer(body io.Reader, claims int64) (*kinesis.GetRecordsOutput, error) {
	operation := smithy.NewOperationSchema(schemas.GetRecords, schemas.GetRecordsInput, schemas.GetRecordsOutput)
	var out kinesis.GetRecordsOutput
	ctx := context.WithValue(context.Background(), answerBuffer{}, new([]byte))
	err := quickAnswers{awsjson.New11(schemas.Kinesis_20131202)}.DeserializeResponse(ctx, operation, kinesis.TypeRegistry, &smithyhttp.Response{Response: &http.Response{
		StatusCode: http.StatusOK, Body: io.NopCloser(body), ContentLength: claims, Header: http.Header{},
	}}, &out)
	return &out, err
}

// endless gives one byte for ever.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

// TestAnswersThatLie: what a server claims costs nothing, and what it sends no more
// than a few times maxAnswer.
func TestAnswersThatLie(t *testing.T) {
	for name, test := range map[string]struct {
		body   io.Reader
		claims int64
		limit  uint64
		want   error
	}{
		"a length of 2 GiB":    {strings.NewReader("{}"), math.MaxInt32, 1 << 20, nil},
		"no end":               {io.MultiReader(strings.NewReader(`{"NextShardIterator":"`), endless('x')), -1, 4 * maxAnswer, errAnswerLong},
		"10^6 brackets":        {strings.NewReader(`{"x":` + strings.Repeat("[", 1_000_000)), -1, 64 << 20, io.ErrUnexpectedEOF},
		"10^6 closed brackets": {strings.NewReader(`{"x":` + strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000) + "}"), -1, 64 << 20, nil},
		"2^21 records":         {strings.NewReader(`{"Records":[` + strings.Repeat("{},", 1<<21) + "{}]}"), -1, 64 << 20, errAnswerMany},
	} {
		var err error
		peak := testenv.PeakHeap(t, func() { _, err = readAnswer(test.body, test.claims) })
		switch {
		case test.want == nil && err != nil, test.want == io.ErrUnexpectedEOF && err == nil: //nolint:errorlint // it stands for any error
			t.Errorf("%s: %v", name, err)
		case test.want != nil && test.want != io.ErrUnexpectedEOF && !errors.Is(err, test.want): //nolint:errorlint // see above
			t.Errorf("%s: %v", name, err)
		}
		if peak > test.limit {
			t.Errorf("%s: the heap grew by %d MiB", name, peak>>20)
		}
	}
}

// TestRecordsThatLieArePlain: a count or a length in an aggregated record is not
// believed, and tables of millions take a few times their bytes.
func TestRecordsThatLieArePlain(t *testing.T) {
	varint := func(n uint64) string { return string(binary.AppendUvarint(nil, n)) }
	keys := strings.Repeat("\x0a\x00", 1<<20)
	for name, test := range map[string]struct {
		message    string
		aggregated bool
		users      int
	}{
		"2^40 bytes of records":  {"\x0a\x01k\x1a" + varint(1<<40), false, 0},
		"a key of 2^63 bytes":    {"\x0a" + varint(1<<63), false, 0},
		"key number 2^40":        {"\x0a\x01k\x1a\x0a\x08" + varint(1<<40) + "\x1a\x01x", false, 0},
		"a million keys":         {keys + "\x1a\x05\x08\x00\x1a\x01x", true, 1},
		"a million user records": {"\x0a\x01k" + strings.Repeat("\x1a\x04\x08\x00\x1a\x00", 1<<20), true, 1 << 20},
	} {
		data := sealAggregate([]byte(test.message))
		for _, shard := range []hashRange{wholeRange, {hashKey{1, 0}, wholeRange.last}} {
			var users [][]byte
			var ok bool
			peak := testenv.PeakHeap(t, func() { users, ok = deaggregate(data, shard) })
			if ok != test.aggregated || shard == wholeRange && len(users) != test.users {
				t.Errorf("%s: %d user records, aggregated %v", name, len(users), ok)
			}
			if peak > uint64(64*len(data))+1<<20 {
				t.Errorf("%s: the heap grew by %d MiB for %d KiB", name, peak>>20, len(data)>>10)
			}
		}
	}
}

// TestChunksOfEmptyLinesAreBounded: a record of line feeds takes lineBytes of memory
// for each, which counts as what it is, and its lines are spread over chunks.
func TestChunksOfEmptyLinesAreBounded(t *testing.T) {
	const size = 1 << 20
	var packed bytes.Buffer // 100 MiB
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(make([]byte, 100<<20))
	_ = z.Close()
	for name, test := range map[string]struct {
		data  []byte
		lines int
	}{
		"a record of line feeds":                  {bytes.Repeat(newline, size), size},
		"an aggregated record of empty records":   {sealAggregate([]byte("\x0a\x01k" + strings.Repeat("\x1a\x04\x08\x00\x1a\x00", size/6))), size / 6},
		"gzip data that unfolds a thousand times": {packed.Bytes(), bytes.Count(packed.Bytes(), newline) + 1},
		"one line of 1 MiB":                       {bytes.Repeat([]byte{'x'}, size), 1},
	} {
		cut := framer{framing: framing{eventTime: testTime, hashes: wholeRange, block: defaultBlock, maxLine: defaultMaxLine}, size: len(test.data)}
		peak := testenv.PeakHeap(t, func() { cut.add(part{sequence: "1"}, test.data, 0) })
		lines, held := 0, 0
		for _, c := range cut.chunks {
			if len(c.ends) > maxChunkLines {
				t.Errorf("%s: a chunk has %d lines", name, len(c.ends))
			}
			lines, held = lines+len(c.ends), held+c.held()
		}
		if lines != test.lines || held != len(test.data)+lines*lineBytes {
			t.Errorf("%s: %d lines of %d, which count as %d bytes", name, lines, test.lines, held)
		}
		if peak > uint64(6*held)+4<<20 {
			t.Errorf("%s: the heap grew by %d MiB, of which %d count", name, peak>>20, held>>20)
		}
	}
}

// TestALineCutByAFullChunkIsGivenOnce: the lines of one record lie in several
// chunks, and reading goes on inside it.
func TestALineCutByAFullChunkIsGivenOnce(t *testing.T) {
	server := newGetServer(t, 1)
	data := bytes.Repeat(newline, maxChunkLines+10)
	server.put(0, 0, data)
	server.put(0, 0, []byte("end"))
	s := openQuick(t, "&until=tip", driver.StreamOptions{})
	cursors, err := s.Begin(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	at, lines := cursors[0], 0
	for done := false; !done; { // taken up again behind each block
		r := startAt(t, s, at)
		for {
			b, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if done = r.Done(); done || b != nil {
				if b != nil {
					lines += b.Records()
				}
				break
			}
		}
		if at, err = r.Cursor(); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if lines != maxChunkLines+11 {
		t.Errorf("%d lines are given of %d", lines, maxChunkLines+11)
	}
}

// TestCursorsOfTooManyShardsAreRefused, at the cost of their text and of the shards
// that are counted.
func TestCursorsOfTooManyShardsAreRefused(t *testing.T) {
	for name, shards := range map[string]string{
		"a million shards":    strings.Repeat(`{"id":"s","first":"0","last":"9"},`, 1_000_000) + "{}",
		"nothing, 2^22 times": strings.Repeat("{},", 1<<22) + "{}",
		"brackets":            strings.Repeat("[", 1_000_000),
	} {
		text := []byte(`{"version":1,"stream":"arn","readers":1,"shards":[` + shards + "]}")
		peak := testenv.PeakHeap(t, func() {
			if _, err := decodeCursor(text); !errors.Is(err, driver.ErrInvalid) || len(err.Error()) > 500 {
				t.Errorf("%s: %.500v", name, err)
			}
		})
		if peak > uint64(2*len(text))+128<<20 {
			t.Errorf("%s: the heap grew by %d MiB for %d", name, peak>>20, len(text)>>20)
		}
	}
}

// TestAListingWithoutEndEnds, where a stream can have no more shards.
func TestAListingWithoutEndEnds(t *testing.T) {
	newGetServer(t, 1) // for the environment
	pages := 0
	var page bytes.Buffer
	for i := range 10_000 {
		fmt.Fprintf(&page, `{"ShardId":"s%d","HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"1"},"SequenceNumberRange":{"StartingSequenceNumber":"1"}},`, i)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		pages++
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = fmt.Fprintf(w, `{"Shards":[%s],"NextToken":"more"}`, bytes.TrimSuffix(page.Bytes(), []byte(",")))
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_KINESIS", server.URL)
	s := openQuick(t, "", driver.StreamOptions{})
	peak := testenv.PeakHeap(t, func() {
		if _, err := s.listShards(t.Context()); !errors.Is(err, errTooManyShards) {
			t.Errorf("the error is %v", err)
		}
	})
	if want := maxShards/10_000 + 1; pages != want || peak > 256<<20 {
		t.Errorf("%d pages were asked for, not %d; the heap grew by %d MiB", pages, want, peak>>20)
	}
}

// TestFilesOfPositionsThatAreNoneAreNotRead to their end.
func TestFilesOfPositionsThatAreNoneAreNotRead(t *testing.T) {
	sparse := filepath.Join(t.TempDir(), "positions.json")
	if err := os.WriteFile(sparse, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(sparse, 1<<40); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{sparse, "/dev/zero"} {
		peak := testenv.PeakHeap(t, func() {
			if _, err := readPositions(file); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), file) || len(err.Error()) > 500 {
				t.Errorf("%s: %.500v", file, err)
			}
		})
		if peak > 4*maxPositions {
			t.Errorf("%s: the heap grew by %d MiB", file, peak>>20)
		}
	}
}

// TestURLsThatAreTooLongAreNotRepeated, as an error would on every line of a log.
func TestURLsThatAreTooLongAreNotRepeated(t *testing.T) {
	for _, raw := range []string{"kinesis://" + strings.Repeat("a", 1<<20), "kinesis://arn:aws:kinesis:r:1:stream/" + strings.Repeat("a", 1<<20), "kinesis://logs?start=" + strings.Repeat("%41", 1<<19)} {
		if _, err := OpenStream(t.Context(), raw, driver.StreamOptions{}); !errors.Is(err, driver.ErrInvalid) || len(err.Error()) > 300 {
			t.Errorf("%.20s...: %.300v", raw, err)
		}
	}
}
