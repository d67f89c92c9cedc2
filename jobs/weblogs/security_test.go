package weblogs_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/teststream"

	"millrace/internal/alertrules"
	"millrace/jobs/weblogs"
	"millrace/schemas/alert"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms"
	"millrace/transforms/security"
)

func init() {
	register.Function2x0(showAlerts)
}

// showAlerts turns alerts into what matters of them, in minutes since the first line.
func showAlerts(rows table.Rows, emit func(string)) {
	for i := range rows.Batch.Len() {
		var a alert.Row
		rows.Batch.Row(i, &a)
		key := strings.Contains(a.Key, "198.") // the address itself
		who := map[bool]string{true: "somebody", false: "the site"}[strings.HasPrefix(a.Key, "source=tok_ip_k1_")]
		emit(fmt.Sprintf("%s %s for %s, minutes %d to %d, peak %g, %s, leaks %v", a.Rule, a.State, who, (int64(a.FiringSince)-ms)/minute, (int64(a.ChangedAt)-ms)/minute, *a.Peak, a.Reason, key))
	}
}

// attackLines are a guesser who gets in, a scanner who finds a secret, a tool, an
// outage, and people who do nothing wrong.
func attackLines() (lines []string) {
	add := func(client string, at int, request string, status, size int, agent string) {
		lines = append(lines, fmt.Sprintf(`%s - - [%s] "%s HTTP/1.1" %d %d "-" %s`, client, time.UnixMilli(ms).UTC().Add(time.Duration(at)*time.Second).Format("02/Jan/2006:15:04:05 -0700"), request, status, size, agent))
	}
	for i := range 7 {
		add("198.51.100.7", 5*i, "POST /login", 401, 10, human)
	}
	add("198.51.100.7", 130, "POST /login", 302, 10, human)
	add("198.51.100.8", 60, "GET /wp-login.php", 404, 10, human)
	add("198.51.100.8", 61, "GET /.git/config", 200, 10, human)
	for i := range 3 {
		add("198.51.100.8", 62+i, "GET /product?id=1%2527%2520or%2520%25271", 500, 10, human)
	}
	add("198.51.100.9", 200, "GET /", 200, 2<<20, `"sqlmap/1.8"`)
	for i := range 12 {
		add("203.0.113.9", 300+10*i, "GET /", 503, 10, human)
	}
	for i := range 8 {
		add("203.0.113.10", 1200+60*i, "GET /search?q=union+jack", 200, 10, human)
	}
	return lines
}

var wantSources = []string{
	fmt.Sprintf("window_start=%d client_ip=198.51.100.0 sources=1 requests=7 scanner=0 leaks=0 injection=0 traversal=0 bad_agent=0 auth_failed=7 logins=0 form_posts=7 large_bytes=0 server_errors=0 version=7", ms),
	fmt.Sprintf("window_start=%d client_ip=198.51.100.0 sources=1 requests=1 scanner=0 leaks=0 injection=0 traversal=0 bad_agent=0 auth_failed=0 logins=1 form_posts=1 large_bytes=0 server_errors=0 version=1", ms+2*minute),
	fmt.Sprintf("window_start=%d client_ip=198.51.100.0 sources=1 requests=5 scanner=2 leaks=1 injection=3 traversal=0 bad_agent=0 auth_failed=0 logins=0 form_posts=0 large_bytes=0 server_errors=3 version=5", ms+minute),
	fmt.Sprintf("window_start=%d client_ip=198.51.100.0 sources=1 requests=1 scanner=0 leaks=0 injection=0 traversal=0 bad_agent=1 auth_failed=0 logins=0 form_posts=0 large_bytes=2097152 server_errors=0 version=1", ms+3*minute),
}

var wantAttacks = []string{
	"brute-force resolved for somebody, minutes 0 to 10, peak 7, silence, leaks false",
	"brute-force firing for somebody, minutes 0 to 0, peak 7, breach, leaks false",
	"login-after-brute-force resolved for somebody, minutes 2 to 3, peak 1, silence, leaks false",
	"login-after-brute-force firing for somebody, minutes 2 to 2, peak 1, breach, leaks false",
	"scanner resolved for somebody, minutes 1 to 61, peak 2, silence, leaks false",
	"scanner firing for somebody, minutes 1 to 1, peak 2, breach, leaks false",
	"secret-served resolved for somebody, minutes 1 to 2, peak 1, silence, leaks false",
	"secret-served firing for somebody, minutes 1 to 1, peak 1, breach, leaks false",
	"injection resolved for somebody, minutes 1 to 11, peak 3, silence, leaks false",
	"injection firing for somebody, minutes 1 to 1, peak 3, breach, leaks false",
	"attack-tool resolved for somebody, minutes 3 to 13, peak 1, silence, leaks false",
	"attack-tool firing for somebody, minutes 3 to 3, peak 1, breach, leaks false",
	"server-error-burst resolved for the site, minutes 6 to 8, peak 1, silence, leaks false",
	"server-error-burst firing for the site, minutes 6 to 6, peak 1, breach, leaks false",
}

// attackBlocks are a block a line, in any order.
func attackBlocks(seed uint64) (blocks []any) {
	for i, l := range attackLines() {
		blocks = append(blocks, record.Block{Source: strings.Repeat("0", 32), Name: "test.log", Format: "combined", Base: int64(i) * 1000, Data: []byte(l + "\n")})
	}
	rand.New(rand.NewPCG(seed, seed)).Shuffle(len(blocks), func(i, j int) { blocks[i], blocks[j] = blocks[j], blocks[i] })
	return blocks
}

// TestAttacksAreTheSameWhateverBringsTheLines, and in whatever order.
func TestAttacksAreTheSameWhateverBringsTheLines(t *testing.T) {
	rules, err := alertrules.Decode(security.AlertRules, "alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cfg := weblogs.Defaults()
	cfg.Security, cfg.Alerts = true, rules
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	stream := func(s beam.Scope) beam.PCollection {
		c := teststream.NewConfig()
		for i, b := range attackBlocks(2) {
			must(c.AddElements(ms, b))
			must(c.AdvanceWatermark(ms + int64(i)))
		}
		must(c.AdvanceWatermarkToInfinity())
		return teststream.Create(s, c)
	}
	for name, source := range map[string]func(beam.Scope) beam.PCollection{
		"batch": func(s beam.Scope) beam.PCollection { return beam.Create(s, attackBlocks(1)...) }, "stream": stream, "live": stream,
	} {
		t.Run(name, func(t *testing.T) {
			c := common(t)
			if name == "live" {
				c.Live = &transforms.Live{Bucket: 10 * time.Minute}
			}
			ptest.BuildAndRun(t, func(s beam.Scope) {
				out := weblogs.Build(s, cfg, c, source(s))
				passert.EqualsList(s.Scope("sources"), beam.ParDo(s, showRows, out.Rows["sources"]), wantSources)
				passert.EqualsList(s.Scope("alerts"), beam.ParDo(s, showAlerts, out.Rows["alerts"]), wantAttacks)
			})
		})
	}
}

// TestWithoutSecurityThereAreNoSources: no output, and nothing to watch.
func TestWithoutSecurityThereAreNoSources(t *testing.T) {
	_, s := beam.NewPipelineWithRoot()
	cfg := weblogs.Defaults()
	out := weblogs.Build(s, cfg, common(t), beam.Create(s, visitBlocks()...))
	if _, there := out.Rows["sources"]; there {
		t.Error("output sources is there")
	}
	rules, err := alertrules.Decode(security.AlertRules, "alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Alerts = rules
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "there is no sources to watch") {
		t.Errorf("rules over sources without them: %v", err)
	}
	if name, content := cfg.BuiltInAlerts(); name != "" || content != nil {
		t.Errorf("rules of %q that nobody asked for", name)
	}
}

// TestTheFingerprintNamesPatterns that a run looks for.
func TestTheFingerprintNamesPatterns(t *testing.T) {
	cfg := weblogs.Defaults()
	seen := map[string]bool{}
	for _, change := range []func(){func() {}, func() { cfg.Security = true }, func() { cfg.PatternsFile = patternsFile(t, "scanner\tmy-admin\n") }, func() { cfg.PatternsFile = patternsFile(t, "scanner\tour-admin\n") }} {
		change()
		f, err := cfg.Fingerprint(t.Context(), false)
		if err != nil || seen[f] {
			t.Errorf("fingerprint %q, %v", f, err)
		}
		seen[f] = true
	}
	cfg.PatternsFile = patternsFile(t, "scaner\tx\n")
	if _, err := cfg.Fingerprint(t.Context(), false); err == nil || !strings.Contains(err.Error(), "setting security.patterns") || !strings.Contains(err.Error(), `own.txt:1: unknown kind "scaner"`) {
		t.Errorf("a list with a fault: %v", err)
	}
}

func patternsFile(t *testing.T, list string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "own.txt")
	if err := os.WriteFile(path, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
