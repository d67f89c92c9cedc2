package transforms

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAShardHasAllThatCameForItsKeys, each key in one shard, in whatever bundles it came.
func TestAShardHasAllThatCameForItsKeys(t *testing.T) {
	want, got, shards := map[string][]string{}, map[string][]string{}, map[string]string{}
	elements := 0
	var blobs [][]byte
	emit := func(shard string, packed []byte) {
		elements++
		blob, err := unpack(packed)
		if err != nil {
			t.Fatal(err)
		}
		blobs = append(blobs, blob)
		err = eachGathered(blob, func(key string, b []byte) error {
			if in, known := shards[key]; known && in != shard {
				t.Errorf("%s is in the shards %s and %s", key, in, shard)
			}
			shards[key] = shard
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	var g gatherer
	for bundle := range 3 {
		for k := range 500 {
			key, text := fmt.Sprintf("rule\x00%d", k), fmt.Sprint(bundle, " ", k)
			want[key] = append(want[key], text)
			if err := g.add(key, []byte(text), emit); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.flush(emit); err != nil {
			t.Fatal(err)
		}
	}
	if elements != 3*LiveShards {
		t.Errorf("%d elements of three bundles", elements)
	}
	all, err := byKey(blobs)
	if err != nil {
		t.Fatal(err)
	}
	for key, list := range all {
		for _, b := range list {
			got[key] = append(got[key], string(b))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := byKey([][]byte{blobs[0][:len(blobs[0])-1]}); err == nil {
		t.Error("a shard that is cut short is read")
	}
	if err := g.add("k", slices.Repeat([]byte("x"), gatheredAtMost), emit); err != nil || elements != 3*LiveShards+1 {
		t.Errorf("much does not go on at once: %d elements, %v", elements, err)
	}
}

func TestWhatAKeyLeavesIsRead(t *testing.T) {
	for _, l := range []leaves{{[]byte("state"), 1772359200123, 5}, {[]byte{0}, never, -7}} {
		got, err := readLeaves(appendLeaves(l))
		if diff := cmp.Diff(l, got, cmp.AllowUnexported(leaves{})); diff != "" || err != nil {
			t.Errorf("%v, -want +got:\n%s", err, diff)
		}
	}
	for _, b := range [][]byte{nil, {0x80}, {2}} {
		if _, err := readLeaves(b); err == nil {
			t.Errorf("%x is read", b)
		}
	}
	for _, c := range []struct {
		watermark int64
		open      string
	}{{0, "x"}, {1772359200000, "state"}} {
		watermark, open, err := unpackOpen(packOpen(c.watermark, []byte(c.open)))
		if watermark != c.watermark || string(open) != c.open || err != nil {
			t.Errorf("%+v is read as %d, %q, %v", c, watermark, open, err)
		}
	}
	if _, _, err := unpackOpen(packState(nil)); err == nil {
		t.Error("state without a watermark is read")
	}
}
