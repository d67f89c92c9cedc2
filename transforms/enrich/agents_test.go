package enrich_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/transforms/enrich"
)

// agentCase is a case of uap-core's tests; a null is an empty text.
type agentCase struct {
	Agent  string `json:"user_agent_string"`
	Family string
	Major  string
	Minor  string
	Patch  string
	Patch4 string `json:"patch_minor"`
	Brand  string
	Model  string
}

func agentCases(t testing.TB, name string) (out []agentCase) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "user-agents", name+"_a.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(z); lines.Scan(); {
		var c agentCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func TestAgentsAgreeWithTheCasesOfTheirRules(t *testing.T) {
	agents := enrich.DefaultAgents()
	for name, same := range map[string]func(c agentCase, a enrich.Agent) bool{
		"ua": func(c agentCase, a enrich.Agent) bool {
			return a.Family == c.Family && a.Major == c.Major && a.Minor == c.Minor && a.Patch == c.Patch
		},
		"os": func(c agentCase, a enrich.Agent) bool {
			return a.OS == c.Family && a.OSMajor == c.Major && a.OSMinor == c.Minor && a.OSPatch == c.Patch && a.OS4 == c.Patch4
		},
		"device": func(c agentCase, a enrich.Agent) bool {
			return a.Device == c.Family && a.Brand == c.Brand && a.Model == c.Model
		},
	} {
		cases, wrong := agentCases(t, name), 0
		for _, c := range cases {
			if a := agents.Parse(c.Agent); !same(c, a) {
				if wrong++; wrong < 10 {
					t.Errorf("%s: %q is %+v, want %+v", name, c.Agent, a, c)
				}
			}
		}
		t.Logf("%s: %d of %d agree", name, len(cases)-wrong, len(cases))
		if len(cases) < 200 {
			t.Errorf("%s: only %d cases", name, len(cases))
		}
	}
}

func TestAgentCacheSaysWhatTheRulesSay(t *testing.T) {
	agents := enrich.DefaultAgents()
	c := enrich.NewAgentCache(agents)
	for _, x := range agentCases(t, "os") {
		want := agents.Parse(x.Agent)
		for range 2 {
			if got := *agents.Known([]byte(x.Agent)); got != want {
				t.Fatalf("known %q: %+v, want %+v", x.Agent, got, want)
			}
			if got := *c.Parse([]byte(x.Agent)); got != want {
				t.Fatalf("%q: %+v, want %+v", x.Agent, got, want)
			}
		}
	}
	if got := agents.Parse(strings.Repeat("Mozilla/5.0 (", 10_000)); got.Family != "Other" {
		t.Errorf("%+v", got)
	}
	if len(agents.Version()) != 16 || c.Version() != agents.Version() {
		t.Errorf("version %s, %s", agents.Version(), c.Version())
	}
}

func TestBrokenAgentRulesAreRefused(t *testing.T) {
	const good = "user_agent_parsers:\n  - regex: 'x/(\\d+)'\nos_parsers:\n  - regex: 'y'\ndevice_parsers:\n  - regex: 'z'\n"
	if _, err := enrich.ParseAgents([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"": "user_agent_parsers", "a: [": "rules", strings.Replace(good, "'y'", "'('", 1): "rule 1 of os_parsers", strings.Replace(good, "'y'", "'(?=y)'", 1): "rule 1 of os_parsers",
	} {
		if _, err := enrich.ParseAgents([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func BenchmarkAgents(b *testing.B) {
	cases := agentCases(b, "ua")
	agents := enrich.DefaultAgents()
	b.Run("parse", func(b *testing.B) {
		i := 0
		for b.Loop() {
			agents.Parse(cases[i%len(cases)].Agent)
			i++
		}
	})
	b.Run("cached", func(b *testing.B) {
		c := enrich.NewAgentCache(agents)
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			c.Parse([]byte(cases[i%len(cases)].Agent))
			i++
		}
	})
}
