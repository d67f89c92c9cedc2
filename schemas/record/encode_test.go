package record_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"millrace/schemas/record"
)

const source = "00112233445566778899aabbccddeeff"

func TestABlockSurvivesItsBinaryForm(t *testing.T) {
	for name, b := range map[string]record.Block{
		"nothing":    {},
		"lines":      {Source: source, Name: "logs/access.log.gz", Format: "combined", Base: 1 << 40, Data: []byte("a\nb\r\nlast"), Arrival: 1_700_000_000_000},
		"any bytes":  {Source: source, Data: []byte{0, 0xff, '\n', 0x80, '"', '\n'}},
		"duplicate":  {Source: source, Data: []byte("x\n"), Duplicate: true},
		"oversize":   {Source: source, Data: bytes.Repeat([]byte("x"), 4096), Oversize: 100 << 20},
		"odd name":   {Name: "a <b> \u2028 \"c\" &.log", Base: math.MaxInt64},
		"archived":   {Source: source, Data: []byte("abc"), Ends: []int{1, 1, 3}, Positions: []int64{7, math.MinInt64, math.MaxInt64}, Noted: []int64{0, -5, 1_700_000_000_000}},
		"sealed":     {Source: source, Data: []byte("a\nb"), Ends: []int{3}, Positions: []int64{9}, KeyID: "k1", Oversize: 1 << 30},
		"data alone": {Data: bytes.Repeat([]byte("line\n"), 50_000)},
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
		if len(encoded) > len(b.Data)+400 {
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

func FuzzDecode(f *testing.F) {
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

func TestAnIdentityIs32HexDigits(t *testing.T) {
	id, err := record.ParseIdentity(source)
	if err != nil || hex.EncodeToString(id[:]) != source {
		t.Errorf("%s was read as %x, %v", source, id, err)
	}
	for _, bad := range []string{"", "00", source + "00", source[:31], source[:31] + "g", strings.Repeat("é", 16)} {
		if id, err := record.ParseIdentity(bad); err == nil || id != (record.Identity{}) || !strings.Contains(err.Error(), "32 hex digits") {
			t.Errorf("%q was read as %x, %v", bad, id, err)
		}
	}
}

// TestAnEventIDIsTheUUIDOfItsOrigin compares with an independent version 5: the
// namespace is written out again here because stored ids rest on it.
func TestAnEventIDIsTheUUIDOfItsOrigin(t *testing.T) {
	namespace := uuid.MustParse("7c0b8a54-3d0e-4f0a-9b57-0f6b1d2a8c11")
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 2000 {
		var identity record.Identity
		for j := range identity {
			identity[j] = byte(rng.Uint32())
		}
		position := []int64{0, 1, math.MaxInt64, rng.Int64()}[i%4]
		got := uuid.UUID(record.EventID(identity, position))
		if want := uuid.NewSHA1(namespace, binary.BigEndian.AppendUint64(identity[:], uint64(position))); got != want {
			t.Fatalf("id of %x at %d: %s, want %s", identity, position, got, want)
		}
		if got.Version() != 5 || got.Variant() != uuid.RFC4122 {
			t.Fatalf("%s is version %d, variant %s", got, got.Version(), got.Variant())
		}
	}
}

func TestAnEventIDNeverChanges(t *testing.T) {
	identity, err := record.ParseIdentity(source)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := uuid.UUID(record.EventID(identity, 12_345)).String(), "f8d76f66-4369-5bb2-bd6c-a03133a5ddcc"; got != want {
		t.Errorf("id %s, want %s as ever", got, want)
	}
}

func TestOriginsThatDifferHaveDifferentIDs(t *testing.T) {
	seen := map[[16]byte]bool{}
	for file := range 10 {
		for position := range int64(10_000) {
			id := record.EventID(record.Identity{15: byte(file)}, position)
			if seen[id] {
				t.Fatalf("file %d, position %d: the id exists", file, position)
			}
			seen[id] = true
		}
	}
}

func BenchmarkEventID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		record.EventID(record.Identity{1}, 12_345)
	}
}
