package security

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"millrace/internal/mutate"

	"github.com/google/go-cmp/cmp"
)

func randomRows(r *rand.Rand) []Row {
	var rows []Row
	for range r.IntN(60) {
		row := Row{Start: (r.Int64N(20) - 10) * Minute, Source: Source{Token: string(rune('a' + r.IntN(5)))}}
		for _, f := range row.fields() {
			*f = max(0, r.Int64N(1000)-700)
		}
		rows = append(rows, row)
	}
	return rows
}

func TestCountsAddUpInAnyOrderAndPartition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		rows := randomRows(r)
		var whole Sources
		for i := range rows {
			whole.Add(rows[i].Start+r.Int64N(Minute), rows[i].Source, &rows[i].Counts)
		}
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		var merged Sources
		for part := range slices.Chunk(rows, 7) {
			var s Sources
			for i := range part {
				s.Add(part[i].Start, part[i].Source, &part[i].Counts)
			}
			if err := merged.MergeEncoded(s.AppendEncoded(nil)); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(whole.Rows(), merged.Rows()); diff != "" {
			t.Fatalf("rows (-whole +merged):\n%s", diff)
		}
		if !bytes.Equal(whole.AppendEncoded(nil), merged.AppendEncoded(nil)) {
			t.Fatal("equal counts give other bytes")
		}
	}
}

// A flood of sources leaves the same ones whatever the order, counts exactly, and
// says about how many there are.
func TestAFloodOfSourcesIsBoundedAndSaysSo(t *testing.T) {
	const many = 60_000
	r := rand.New(rand.NewPCG(5, 6))
	var reads [2]Sources
	for i := range reads {
		var parts []Sources
		for range 1 + 3*i {
			parts = append(parts, Sources{})
		}
		for _, n := range r.Perm(2 * many) {
			source := Source{Token: fmt.Sprint("tok", n/2), Network: "192.0.2.0"}
			parts[r.IntN(len(parts))].Add(Minute+int64(n%2), source, &Counts{Requests: 1, Scanner: int64(n % 2)})
		}
		for k := range parts {
			if most := 2 * MostSources * Shards; parts[k].Len() > most {
				t.Fatalf("%d sources are held, at most %d may be", parts[k].Len(), most)
			}
			for _, p := range parts[k].MinuteParts() {
				if err := reads[i].MergeEncoded(p.Blob); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	rows := reads[0].Rows()
	if diff := cmp.Diff(rows, reads[1].Rows()); diff != "" {
		t.Fatalf("rows of other parts in another order:\n%s", diff)
	}
	if want := Shards * (MostSources + 1); len(rows) != want {
		t.Fatalf("%d rows, want %d", len(rows), want)
	}
	var sum Counts
	rest := int64(0)
	for i := range rows {
		sum.Add(&rows[i].Counts)
		if n := rows[i].Sources; strings.HasPrefix(rows[i].Token, "(others ") {
			rest += n
		} else if n != 1 || rows[i].Requests != 2 || rows[i].Scanner != 1 {
			t.Fatalf("%+v", rows[i])
		}
	}
	if sum.Requests != 2*many || sum.Scanner != many {
		t.Errorf("together %+v", sum)
	}
	if share := float64(rest+Shards*MostSources) / many; share < 0.97 || share > 1.03 {
		t.Errorf("%d others are told, %d are there", rest, many-Shards*MostSources)
	}
}

func TestPartsAreShardsOfHoursOrMinutes(t *testing.T) {
	var s Sources
	for _, at := range []int64{-1, 0, 60*Minute - 1, 60 * Minute, 61 * Minute} {
		s.Add(at, Source{Token: "a"}, &Counts{Requests: 1})
	}
	keys := func(parts []Part) (keys []string) {
		for _, p := range parts {
			keys = append(keys, p.Key)
		}
		slices.Sort(keys)
		return keys
	}
	want := []string{"1/1969-12-31T23", "1/1970-01-01T00", "1/1970-01-01T01"}
	if diff := cmp.Diff(want, keys(s.Parts())); diff != "" {
		t.Errorf("hours (-want +got):\n%s", diff)
	}
	want = []string{"1/1969-12-31T23:59", "1/1970-01-01T00:00", "1/1970-01-01T00:59", "1/1970-01-01T01:00", "1/1970-01-01T01:01"}
	if diff := cmp.Diff(want, keys(s.MinuteParts())); diff != "" {
		t.Errorf("minutes (-want +got):\n%s", diff)
	}
}

// TestCountsOfSavepointsStayReadable: the form in which counts wait in state.
func TestCountsOfSavepointsStayReadable(t *testing.T) {
	const first = "\x01\x01\x02\x05tok_a\t192.0.2.0\x85\x02\x03\x01\xac\x02"
	var s Sources
	s.Add(Minute, Source{"tok_a", "192.0.2.0"}, &Counts{Requests: 3, Leaks: 1, FormPosts: 300})
	if got := string(s.AppendEncoded(nil)); got != first {
		t.Errorf("written as %q; raise sourcesVersion and keep reading the old one", got)
	}
	var read Sources
	if err := read.MergeEncoded([]byte(first)); err != nil || !cmp.Equal(s.Rows(), read.Rows()) {
		t.Errorf("read as %+v, %v", read.Rows(), err)
	}
	if err := read.MergeEncoded([]byte("\x02")); err == nil || !strings.Contains(err.Error(), "version 2, this program reads 1") {
		t.Errorf("a later version: %v", err)
	}
}

func FuzzMergeEncoded(tf *testing.F) {
	f := mutate.Of(tf)
	r := rand.New(rand.NewPCG(3, 4))
	for range 6 {
		rows := randomRows(r)
		var s Sources
		for i := range rows {
			s.Add(rows[i].Start, rows[i].Source, &rows[i].Counts)
		}
		f.Add(s.AppendEncoded(nil))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var s, again Sources
		if s.MergeEncoded(in) != nil {
			return
		}
		if err := again.MergeEncoded(s.AppendEncoded(nil)); err != nil || !cmp.Equal(s.Rows(), again.Rows()) {
			t.Fatalf("%v", err)
		}
	})
}
