package rollup_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/transforms/rollup"
	"millrace/transforms/sketch"
)

// hit is a request as Clients sees it.
type hit struct {
	t       int64
	visitor uint64
	bot     bool
	client  *rollup.Client
}

// someHits are requests of few visitors on three days. A visitor's client may change
// meanwhile, and equal clients may be different objects.
func someHits(r *rand.Rand, n int) []hit {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	type visitor struct {
		hash uint64
		bot  bool
	}
	var visitors []visitor
	for i := range 12 {
		visitors = append(visitors, visitor{sketch.Hash(fmt.Append(nil, i)), i%4 == 0})
	}
	clients := map[visitor]*rollup.Client{}
	var hits []hit
	for range n {
		v := visitors[r.IntN(len(visitors))]
		if clients[v] == nil || r.IntN(5) == 0 {
			c := &rollup.Client{rollup.Country: pick("SE", "DE", "(unknown)"), rollup.Browser: pick("Firefox", "Chrome"), rollup.System: pick("", "Linux")}
			if v.bot {
				c[rollup.BotReason] = `user agent has "bot"`
			}
			clients[v] = c
		}
		hits = append(hits, hit{base + r.Int64N(3*86_400_000), v.hash, v.bot, clients[v]})
	}
	return hits
}

// bruteClients counts again for every row.
func bruteClients(hits []hit) (rows []rollup.ClientRow) {
	for day := int64(base) / 86_400_000; day < int64(base)/86_400_000+4; day++ {
		for d := rollup.Country; d <= rollup.BotReason; d++ {
			for _, value := range []string{"(unknown)", "Chrome", "DE", "Firefox", "Linux", "SE", `user agent has "bot"`} {
				row := rollup.ClientRow{Day: day, Dimension: d, Value: value, Exact: true}
				all, people := map[uint64]bool{}, map[uint64]bool{}
				for _, h := range hits {
					if h.t/86_400_000 != day || h.client[d] != value {
						continue
					}
					row.Hits++
					all[h.visitor] = true
					if !h.bot {
						row.HitsWithoutBots++
						people[h.visitor] = true
					}
				}
				row.Visitors, row.VisitorsWithoutBots, row.Version = int64(len(all)), int64(len(people)), row.Hits+int64(revision(day))<<32
				if row.Hits > 0 {
					rows = append(rows, row)
				}
			}
		}
	}
	return rows
}

func clientRows(t *testing.T, c *rollup.Clients) []rollup.ClientRow {
	t.Helper()
	rows, err := c.Rows(revision)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestClientsAreWhatCountingByHandGives, in whatever order and parts they come.
func TestClientsAreWhatCountingByHandGives(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		hits := someHits(r, r.IntN(200))
		want := bruteClients(hits)
		merged := rollup.NewClients(0)
		r.Shuffle(len(hits), func(i, j int) { hits[i], hits[j] = hits[j], hits[i] })
		part := rollup.NewClients(0)
		seen := map[uint64]*rollup.ClientSeen{1: nil, 2: nil} // nobody remembers these
		flush := func() {
			parts := part.Parts()
			r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			for _, p := range parts {
				if err := merged.Merge(p.Blob); err != nil {
					t.Fatal(err)
				}
			}
			part.Reset()
		}
		for _, h := range hits {
			if _, ok := seen[h.visitor]; !ok {
				seen[h.visitor] = &rollup.ClientSeen{}
			}
			part.Add(h.t, h.visitor, h.bot, h.client, seen[h.visitor])
			if r.IntN(20) == 0 {
				flush()
			}
		}
		flush()
		if diff := cmp.Diff(want, clientRows(t, merged)); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

func TestManyVisitorsOfAValueAreEstimated(t *testing.T) {
	c := rollup.NewClients(10)
	client := &rollup.Client{rollup.Country: "SE"}
	for i := range 5000 {
		c.Add(base, sketch.Hash(fmt.Append(nil, i)), i%2 == 0, client, nil)
	}
	row := clientRows(t, c)[0]
	if row.Exact || row.Hits != 5000 || row.HitsWithoutBots != 2500 || row.Visitors < 4800 || row.Visitors > 5200 || row.VisitorsWithoutBots > row.Visitors {
		t.Errorf("%+v", row)
	}
}

// firstClients is what the first version of the encoding wrote. It stays as long as
// any state of that version may be read.
const firstClients = "01f88202030002534502010d018080040101000000000000000d018080040102000000000000000105415331204101000d0180800401010000000000000005018080040005016201010501808004000d01808004010200000000000000"

func TestTheFirstEncodingOfClientsIsStillReadAndWritten(t *testing.T) {
	c := rollup.NewClients(0)
	c.Add(base, 1, false, &rollup.Client{rollup.Country: "SE", rollup.Network: "AS1 A"}, nil)
	c.Add(base, 2, true, &rollup.Client{rollup.Country: "SE", rollup.BotReason: "b"}, nil)
	blob := c.Parts()[0].Blob
	if got := hex.EncodeToString(blob); got != firstClients {
		t.Errorf("the encoding is %s", got)
	}
	old, err := hex.DecodeString(firstClients)
	if err != nil {
		t.Fatal(err)
	}
	read := rollup.NewClients(0)
	if err := read.Merge(old); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(clientRows(t, c), clientRows(t, read)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := read.Merge(append([]byte{9}, old[1:]...)); err == nil || !strings.Contains(err.Error(), "version 9") {
		t.Errorf("a later version: %v", err)
	}
}

// FuzzMergeClients is FuzzMerge of clients.
func FuzzMergeClients(tf *testing.F) {
	f := mutate.Of(tf)
	c := rollup.NewClients(0)
	for _, h := range someHits(rand.New(rand.NewPCG(1, 1)), 40) {
		c.Add(h.t, h.visitor, h.bot, h.client, nil)
	}
	f.Add(c.Parts()[0].Blob)
	f.Fuzz(func(t *testing.T, blob []byte) {
		x, y := rollup.NewClients(0), rollup.NewClients(0)
		if x.Merge(blob) != nil {
			return
		}
		for _, p := range x.Parts() {
			if err := y.Merge(p.Blob); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(x.Parts(), y.Parts()); diff != "" {
			t.Errorf("a second time (-want +got):\n%s", diff)
		}
		clientRows(t, x)
	})
}
