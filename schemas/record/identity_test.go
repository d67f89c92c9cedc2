package record_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"millrace/internal/mutate"
	"millrace/schemas/record"
)

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

func TestAShardHasTheIdentityOfItsStreamAndName(t *testing.T) {
	const arn = "arn:aws:kinesis:eu-central-1:000000000000:stream/access-logs"
	id := record.ShardIdentity(arn, "shardId-000000000000")
	sum := sha256.Sum256([]byte("kinesis\x00" + arn + "\x00shardId-000000000000"))
	if id.String() != hex.EncodeToString(sum[:16]) || id.String() != "f96f105071213c7a6c00af879a98da18" {
		t.Errorf("identity %s, want %x as ever", id, sum[:16])
	}
	if id == record.ShardIdentity(arn, "shardId-000000000001") || id == record.ShardIdentity(arn+"2", "shardId-000000000000") {
		t.Error("another shard has the same identity")
	}
}

func TestARollIsNamedByShardAndFirstRecord(t *testing.T) {
	shard, first := record.ShardIdentity("arn", "shard"), record.Sequence("77")
	roll := record.RollOf(shard, first)
	if want := shard.String() + "/" + strings.Repeat("0", 54) + "77"; roll != want {
		t.Errorf("roll %s, want %s", roll, want)
	}
	gotShard, gotFirst, err := record.ParseRoll(roll)
	if err != nil || gotShard != shard || gotFirst != first {
		t.Errorf("%s was read as %s and %s, %v", roll, gotShard, gotFirst, err)
	}
	for _, bad := range []string{"", "/", shard.String(), shard.String() + "/", shard.String() + "/77", "/" + first, roll + "x", roll + "/1", shard.String() + first} {
		if shard, first, err := record.ParseRoll(bad); err == nil || shard != (record.Identity{}) || first != "" || !strings.Contains(err.Error(), "roll") {
			t.Errorf("%q was read as %s and %q, %v", bad, shard, first, err)
		}
	}
}

func FuzzParseRoll(tf *testing.F) {
	f := mutate.Of(tf)
	f.Fuzz(func(t *testing.T, roll string) {
		shard, first, err := record.ParseRoll(roll)
		if err == nil && !strings.EqualFold(record.RollOf(shard, first), roll) { // hex digits may be capital ones
			t.Errorf("%q was read as %s and %s", roll, shard, first)
		}
	})
}

func TestSequenceNumbersAreOrderedAsNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for range 2000 {
		x, y := rng.Uint64()>>rng.IntN(64), rng.Uint64()>>rng.IntN(64)
		a, b := record.Sequence(strconv.FormatUint(x, 10)), record.Sequence(strconv.FormatUint(y, 10))
		if strings.Compare(a, b) != cmp.Compare(x, y) {
			t.Fatalf("%d and %d became %s and %s", x, y, a, b)
		}
		if !record.IsSequence(a) {
			t.Fatalf("%s is no sequence number", a)
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
		sequence := []string{"", record.Sequence(strconv.Itoa(i)), strings.Repeat("7", 129)}[i%3]
		got := uuid.UUID(record.EventID(identity, sequence, position))
		name := binary.BigEndian.AppendUint64(append(identity[:], sequence...), uint64(position))
		if want := uuid.NewSHA1(namespace, name); got != want {
			t.Fatalf("id of %x, %q at %d: %s, want %s", identity, sequence, position, got, want)
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
	for sequence, want := range map[string]string{
		"":                    "f8d76f66-4369-5bb2-bd6c-a03133a5ddcc",
		record.Sequence("77"): "1d9b79e1-e794-543b-8a85-0c1e7fa3bedb",
	} {
		if got := uuid.UUID(record.EventID(identity, sequence, 12_345)).String(); got != want {
			t.Errorf("id %s, want %s as ever", got, want)
		}
	}
}

func TestOriginsThatDifferHaveDifferentIDs(t *testing.T) {
	seen := map[[16]byte]bool{}
	for file := range 10 {
		for position := range int64(10_000) {
			id := record.EventID(record.Identity{15: byte(file / 2)}, []string{"", record.Sequence("1")}[file%2], position)
			if seen[id] {
				t.Fatalf("file %d, position %d: the id exists", file, position)
			}
			seen[id] = true
		}
	}
}

func BenchmarkEventID(b *testing.B) {
	for name, sequence := range map[string]string{"file": "", "stream": record.Sequence("49621738512830123348791234567890")} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				record.EventID(record.Identity{1}, sequence, 12_345)
			}
		})
	}
}
