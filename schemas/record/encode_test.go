package record_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"millrace/internal/mutate"
	"millrace/schemas/record"
)

const source = "00112233445566778899aabbccddeeff"

func TestABlockSurvivesItsBinaryForm(t *testing.T) {
	for name, b := range map[string]record.Block{
		"nothing":   {},
		"lines":     {Source: source, Name: "logs/access.log.gz", Format: "combined", Base: 1 << 40, Data: []byte("a\nb\r\nlast"), Arrival: 1_700_000_000_000},
		"any bytes": {Source: source, Data: []byte{0, 0xff, '\n', 0x80, '"', '\n'}},
		"duplicate": {Source: source, Data: []byte("x\n"), Duplicate: true},
		"oversize":  {Source: source, Data: bytes.Repeat([]byte("x"), 4096), Oversize: 100 << 20},
		"odd name":  {Name: "a <b> \u2028 \"c\" &.log", Base: math.MaxInt64},
		"archived":  {Source: source, Data: []byte("abc"), Ends: []int{1, 1, 3}, Positions: []int64{7, math.MinInt64, math.MaxInt64}, Noted: []int64{0, -5, 1_700_000_000_000}},
		"sealed":    {Source: source, Data: []byte("a\nb"), Ends: []int{3}, Positions: []int64{9}, KeyID: "k1", Oversize: 1 << 30},
		"live": {
			Source: source, Name: "access-logs/shardId-000000000000", Data: []byte("abcd"), Ends: []int{1, 2, 3, 4}, Positions: []int64{0, 1, 0, 0},
			Sequences: []string{record.Sequence("7"), record.Sequence("7"), record.Sequence("19"), strings.Repeat("9", 129)},
			Arrivals:  []int64{5, 5, 1_700_000_000_000, 4}, Behind: []int64{0, 0, 86_400_000, 0}, Noted: []int64{5, 5, 6, 7},
			Roll:  record.RollOf(record.Identity{}, record.Sequence("7")),
			Close: &record.Close{Records: 4, First: record.Sequence("7"), Last: strings.Repeat("9", 129), After: record.Sequence("6"), Lost: true, FirstArrival: 4, LastArrival: 1_700_000_000_000, End: true},
		},
		"the end of a roll": {Source: source, Roll: record.RollOf(record.Identity{}, record.Sequence("7")), Close: &record.Close{}},
		"data alone":        {Data: bytes.Repeat([]byte("line\n"), 50_000)},
	} {
		encoded, err := record.Encode(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := record.Decode(encoded)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(b, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if len(encoded) > len(b.Data)+1200 {
			t.Errorf("%s: %d bytes of data became %d", name, len(b.Data), len(encoded))
		}
	}
}

func TestEncodeLeavesTheBlockAlone(t *testing.T) {
	b := record.Block{Source: source, Data: []byte("x\n")}
	if _, err := record.Encode(b); err != nil || string(b.Data) != "x\n" {
		t.Errorf("after Encode: %q, %v", b.Data, err)
	}
}

func TestBytesThatAreNoBlockAreRefused(t *testing.T) {
	encoded, err := record.Encode(record.Block{Source: source})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"nothing":                 nil,
		"an endless length":       bytes.Repeat([]byte{0xff}, 20),
		"a length beyond it":      binary.AppendUvarint(nil, math.MaxUint64),
		"a head cut short":        encoded[:len(encoded)/2],
		"a head that is no JSON":  {3, 'a', 'b', 'c'},
		"no head":                 {0, 'a'},
		"more records than bytes": withHead(`{"Records":3}`, "ab"),
		"fewer records than none": withHead(`{"Records":-1}`, "ab"),
		"ends that fall":          withHead(`{"Records":2}`, "\x02\x01\x00\x00ab"),
		"an end beyond the data":  withHead(`{"Records":1}`, "\x06\x00ab"),
		"data behind the records": withHead(`{"Records":1}`, "\x02\x00ab"),
		"times cut short":         withHead(`{"Records":1,"Noted":true}`, "\x00\x00"),
		"arrivals cut short":      withHead(`{"Records":1,"Arrivals":true}`, "\x00\x00"),
		"delays cut short":        withHead(`{"Records":1,"Behind":true}`, "\x00\x00"),
		"no sequence number":      withHead(`{"Records":1,"Sequences":true}`, "\x00\x00"),
		"no run of numbers":       withHead(`{"Records":1,"Sequences":true}`, "\x00\x00\x00\x00\x38"+record.Sequence("7")),
		"a run too long":          withHead(`{"Records":1,"Sequences":true}`, "\x00\x00\x02\x00\x38"+record.Sequence("7")),
		"a number without begin":  withHead(`{"Records":1,"Sequences":true}`, "\x00\x00\x01\x01\x38"+record.Sequence("7")),
		"a number beyond it":      withHead(`{"Records":1,"Sequences":true}`, "\x00\x00\x01\x00\x39"+record.Sequence("7")),
		"an endless number":       withHead(`{"Records":1,"Sequences":true}`, "\x00\x00\x01\x00\x80\x02"+strings.Repeat("7", 256)),
		"a number that is a word": withHead(`{"Records":1,"Sequences":true}`, "\x00\x00\x01\x00\x38"+strings.Repeat("x", 56)),
	} {
		if _, err := record.Decode(data); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func withHead(head, rest string) []byte {
	return append(append(binary.AppendUvarint(nil, uint64(len(head))), head...), rest...)
}

func TestABlockWhoseListsDoNotFitIsRefused(t *testing.T) {
	for name, b := range map[string]record.Block{
		"no positions":           {Data: []byte("a"), Ends: []int{1}},
		"positions alone":        {Data: []byte("a"), Positions: []int64{1}},
		"too few times":          {Data: []byte("ab"), Ends: []int{1, 2}, Positions: []int64{1, 2}, Noted: []int64{1}},
		"an end beyond the data": {Data: []byte("a"), Ends: []int{2}, Positions: []int64{1}},
		"too few numbers":        {Data: []byte("ab"), Ends: []int{1, 2}, Positions: []int64{1, 2}, Sequences: []string{record.Sequence("1")}},
		"too many arrivals":      {Data: []byte("a"), Ends: []int{1}, Positions: []int64{1}, Arrivals: []int64{1, 2}},
		"delays of lines":        {Data: []byte("a"), Behind: []int64{1}},
		"a number not padded":    {Data: []byte("a"), Ends: []int{1}, Positions: []int64{1}, Sequences: []string{"7"}},
		"a number too long":      {Data: []byte("a"), Ends: []int{1}, Positions: []int64{1}, Sequences: []string{strings.Repeat("7", 256)}},
	} {
		if _, err := record.Encode(b); err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
}

func TestABlockCountsItsRecords(t *testing.T) {
	for want, blocks := range map[int][]record.Block{
		0: {{}, {Ends: []int{}}},
		1: {{Data: []byte("a")}, {Data: []byte("\n")}, {Data: []byte("a\nb"), Oversize: 9}, {Data: []byte("a\nb"), Ends: []int{3}}},
		2: {{Data: []byte("a\nb")}, {Data: []byte("a\n\n")}, {Ends: []int{0, 0}}},
	} {
		for _, b := range blocks {
			if got := b.Records(); got != want {
				t.Errorf("%+v: %d records, want %d", b, got, want)
			}
		}
	}
}

// TestAnyBlockSurvivesItsBinaryForm draws blocks at random, lists present or not.
func TestAnyBlockSurvivesItsBinaryForm(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 3000 {
		b := record.Block{Source: source, Arrival: rng.Int64()}
		n := rng.IntN(40)
		with := rng.IntN(16)
		sequence := record.Sequence("1")
		for range n {
			b.Data = append(b.Data, make([]byte, rng.IntN(5))...)
			b.Ends = append(b.Ends, len(b.Data))
			b.Positions = append(b.Positions, rng.Int64()-rng.Int64())
			if with&1 > 0 {
				b.Noted = append(b.Noted, rng.Int64()-rng.Int64())
			}
			if with&2 > 0 {
				if rng.IntN(3) == 0 {
					sequence = record.Sequence(strconv.FormatUint(rng.Uint64()>>rng.IntN(64), 10) + strings.Repeat("0", rng.IntN(2)*rng.IntN(200)))
				}
				b.Sequences = append(b.Sequences, sequence)
			}
			if with&4 > 0 {
				b.Arrivals = append(b.Arrivals, rng.Int64()>>rng.IntN(64))
			}
			if with&8 > 0 {
				b.Behind = append(b.Behind, rng.Int64()>>rng.IntN(64))
			}
		}
		encoded, err := record.Encode(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := record.Decode(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if n > 0 { // a coder may be given half of it, but never gives half a block
			if cut, err := record.Decode(encoded[:rng.IntN(len(encoded))]); err == nil && cut.Records() == n && len(cut.Data) == len(b.Data) && len(b.Data) > 0 {
				t.Fatal("a block cut short was read as if it were whole")
			}
		}
	}
}

// TestSequenceNumbersTakeLittle: thousands of records of one number, and numbers
// that differ in their last digits.
func TestSequenceNumbersTakeLittle(t *testing.T) {
	const prefix = "4962173851283012334879"
	for most, step := range map[int]int{4: 100, 11: 1} {
		var b record.Block
		for i := range 1000 {
			b.Ends, b.Positions = append(b.Ends, 0), append(b.Positions, int64(i%step))
			b.Sequences = append(b.Sequences, record.Sequence(fmt.Sprintf("%s%034d", prefix, 1000+97*(i/step))))
		}
		encoded, err := record.Encode(b)
		if err != nil || len(encoded) > most*len(b.Ends) {
			t.Errorf("records with a new number every %d: %d bytes, want at most %d each (%v)", step, len(encoded), most, err)
		}
	}
}

func FuzzDecode(tf *testing.F) {
	f := mutate.Of(tf)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := record.Decode(data)
		if err != nil {
			if !errors.Is(err, record.ErrCorrupt) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if len(b.Data) > len(data) {
			t.Fatalf("%d bytes gave %d of data", len(data), len(b.Data))
		}
		encoded, err := record.Encode(b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := record.Decode(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("encoded again (-want +got):\n%s", diff)
		}
	})
}
