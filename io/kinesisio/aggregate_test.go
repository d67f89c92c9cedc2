package kinesisio

import (
	"crypto/md5" // the hash of the service
	"encoding/base64"
	"math/big"
	"math/rand/v2"
	"testing"

	"millrace/internal/vectors"
)

func TestHashKeysAreNumbersOf128Bits(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	numbers := []hashKey{{}, {0, 1}, {0, 1<<64 - 1}, {1, 0}, {1<<64 - 1, 1<<64 - 1}, {1, 1<<63 - 7}}
	for range 1000 {
		numbers = append(numbers, hashKey{rng.Uint64() >> rng.IntN(65), rng.Uint64() >> rng.IntN(65)})
	}
	for _, h := range numbers {
		whole := new(big.Int).Lsh(new(big.Int).SetUint64(h.high), 64)
		whole.Or(whole, new(big.Int).SetUint64(h.low))
		if h.String() != whole.String() {
			t.Errorf("%x is written %s, want %s", h, h, whole)
		}
		if got, ok := parseHashKey(whole.String()); !ok || got != h {
			t.Errorf("%s is read as %s, %v", whole, got, ok)
		}
	}
	for _, wrong := range []string{"", "00", "01", "-1", "+1", "1a", " 1", "340282366920938463463374607431768211456", "999999999999999999999999999999999999999", "1000000000000000000000000000000000000000"} {
		if h, ok := parseHashKey(wrong); ok {
			t.Errorf("%q is read as %s", wrong, h)
		}
	}
	sum := md5.Sum([]byte("naïve"))
	if got, want := hashOf("naïve").String(), new(big.Int).SetBytes(sum[:]).String(); got != want {
		t.Errorf("the hash of a key is %s, want %s", got, want)
	}
}

func TestHashRangesIncludeTheirEnds(t *testing.T) {
	r := hashRange{hashKey{1, 5}, hashKey{2, 3}}
	for h, want := range map[hashKey]bool{{1, 4}: false, {1, 5}: true, {1, 1 << 63}: true, {2, 3}: true, {2, 4}: false, {0, 9}: false, {3, 0}: false} {
		if r.contains(h) != want {
			t.Errorf("contains %v is %v", h, !want)
		}
	}
}

// kplVectors are the cases of kpl.json.
func kplVectors(t *testing.T) (cases []kplVector) {
	t.Helper()
	var file struct{ Cases []kplVector }
	if err := vectors.Read("kpl.json", &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

type kplVector struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Data []byte `json:"data_base64"`
	User []struct {
		Key     string `json:"partition_key"`
		HashKey string `json:"explicit_hash_key"`
		Data    []byte `json:"data_base64"`
	} `json:"user_records"`
}

func TestAggregatesAreThoseOfTheVectors(t *testing.T) {
	packed := 0
	for _, c := range kplVectors(t) {
		if c.Kind != "aggregated" {
			continue
		}
		var a aggregate
		for _, r := range c.User {
			a.add(r.Key, r.HashKey, r.Data, 1<<20)
		}
		if got := a.appendTo(nil); string(got) != string(c.Data) {
			t.Errorf("%s: packed as %s, want %s", c.ID, base64.StdEncoding.EncodeToString(got), base64.StdEncoding.EncodeToString(c.Data))
		}
		packed++
	}
	if packed == 0 {
		t.Error("no vector was packed")
	}
}
