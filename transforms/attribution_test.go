package transforms

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/maskkey"
	"millrace/schemas/record"
	"millrace/transforms/attribution"
	"millrace/transforms/enrich"
	"millrace/transforms/sessions"
)

// TestAttributionDoesNotDependOnTheOrder of lines, on how they are divided among
// bundles and cores, or on whether some come twice; nor does live differ from batch.
func TestAttributionDoesNotDependOnTheOrder(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		blocks := visits(r)
		want := touchesOf(t, r, blocks, 1)
		again := slices.Concat(blocks, blocks[:len(blocks)/3]) // some come twice
		r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		if diff := cmp.Diff(want, touchesOf(t, r, again, 3)); diff != "" {
			t.Fatalf("seed %d: sessions (-in order +shuffled):\n%s", seed, diff)
		}
	}
}

// visits are blocks of a line each: some visitors, many requests of one second.
func visits(r *rand.Rand) (blocks []record.Block) {
	base := int64(0)
	for range 100 {
		target := "/" + []string{"", "?utm_source=a", "?utm_source=b&utm_medium=cpc", "?gclid=1", "x.css"}[r.IntN(5)]
		referrer := []string{"-", "https://a.example/", "https://www.google.com/", "https://shop.example/"}[r.IntN(4)]
		line := fmt.Sprintf("203.0.113.%d - - [01/Mar/2026:%02d:%02d:00 +0000] \"GET %s HTTP/1.1\" 200 1 \"%s\" \"Firefox\"\n", r.IntN(3), r.IntN(12), r.IntN(60), target, referrer)
		blocks = append(blocks, record.Block{Source: strings.Repeat("0", 32), Name: "test.log", Format: "combined", Base: base, Data: []byte(line)})
		base += int64(len(line))
	}
	return blocks
}

// touchesOf are the touches of sessions, by id, when so many cores take the blocks:
// of all at once, and of the same as they close.
func touchesOf(t *testing.T, r *rand.Rand, blocks []record.Block, cores int) map[string][3]sessions.Touch {
	t.Helper()
	cfg := AccessLogConfig{Sessions: sessions.Options{Attribution: true}, OwnDomains: []string{"shop.example"}}
	key, err := maskkey.Parse([]byte("k1:" + strings.Repeat("ab", 32)))
	if err != nil {
		t.Fatal(err)
	}
	var parts [][]byte
	all := make([]*core, cores)
	for i := range all {
		if all[i], err = newCore(cfg, secrets{Ring: key}, enrich.DefaultBots(), attribution.Default(), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	take := func(c *core) {
		for _, f := range c.takeLast().fragments {
			blob, err := unpack(f.blob)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, blob)
		}
	}
	for i := range blocks {
		c := all[r.IntN(cores)]
		if out := c.process(&blocks[i]); out.err != nil {
			t.Fatal(out.err)
		}
		if r.IntN(20) == 0 {
			take(c)
		}
	}
	for _, c := range all {
		take(c)
	}
	s, err := sessions.NewSessionizer(cfg.Sessions, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if err := s.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	batch := byID(s.Sessions())
	var state []byte
	var sealed []sessions.Session
	for i, p := range append(parts, nil) {
		watermark := int64(0)
		if i == len(parts) {
			watermark = 1 << 42
		}
		u, err := s.Advance(state, [][]byte{p}[:min(1, len(p))], watermark)
		if err != nil {
			t.Fatal(err)
		}
		state, sealed = u.State, append(sealed, u.Sealed...)
	}
	if live := byID(sealed); !maps.Equal(batch, live) || len(live) < 4 {
		t.Fatalf("live and batch differ:\n%s", cmp.Diff(batch, live))
	}
	return batch
}

func byID(all []sessions.Session) map[string][3]sessions.Touch {
	m := map[string][3]sessions.Touch{}
	for _, s := range all {
		m[s.ID] = [3]sessions.Touch{s.Touch, s.FirstTouch, s.LastTouch}
	}
	return m
}

func TestAttributionRulesTravel(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.csv")
	if err := os.WriteFile(file, []byte("parameter,von,source\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	version, err := AttributionVersion(file)
	if err != nil {
		t.Fatal(err)
	}
	bundled := readAttributionRules(file)
	if err := os.WriteFile(file, []byte("parameter,von\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if rules, err := bundled.parse(); err != nil || rules.Version() != version {
		t.Errorf("what was read before is %v, %v, want version %s", rules, err, version)
	}
	if _, err := AttributionVersion(file); err == nil || !strings.Contains(err.Error(), file+":1") {
		t.Errorf("rules with a mistake give %v", err)
	}
	if builtIn, err := AttributionVersion(""); err != nil || builtIn != attribution.Default().Version() {
		t.Errorf("the built-in rules have version %s, %v", builtIn, err)
	}
}
