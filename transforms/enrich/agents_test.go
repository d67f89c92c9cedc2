package enrich_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"millrace/internal/mutate"
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
		"": "user_agent_parsers", "a: [": "line 1", strings.Replace(good, "'y'", "'('", 1): "rule 1 of os_parsers", strings.Replace(good, "'y'", "'(?=y)'", 1): "rule 1 of os_parsers",
	} {
		if _, err := enrich.ParseAgents([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The parser of YAML takes the square of the nesting, so it gets to see none.
func TestAgentRulesThatNestAreRefusedAtLittleCost(t *testing.T) {
	const good = "user_agent_parsers:\n  - regex: 'x'\nos_parsers:\n  - regex: 'y'\ndevice_parsers:\n  - regex: 'z'\n"
	for name, text := range map[string]string{
		"lists":      "user_agent_parsers: " + strings.Repeat("[", 1<<14),
		"more lists": good + strings.Repeat("[\n", 1<<14),
		"objects":    good + "a: " + strings.Repeat("{a: ", 1<<13),
		"items":      good + strings.Repeat("- ", 1<<14),
		"levels":     good + strings.Repeat("? ", 1<<14),
		"aliases":    good + "a: &a [x,x]\nb: &b [*a,*a]\n",
		"lines":      good + "a: |\n" + strings.Repeat("  x\n", 10),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := enrich.ParseAgents([]byte(text))
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%s: %v", name, err)
		}
		if cost := after.TotalAlloc - before.TotalAlloc; cost > uint64(10*len(text))+1<<16 {
			t.Errorf("%s: %d bytes of memory for %d", name, cost, len(text))
		}
	}
	for _, text := range []string{"# a\n\n" + good, strings.ReplaceAll(good, "\n", "\r\n"), strings.ReplaceAll(good, "'", `"`), strings.ReplaceAll(good, "  - regex: 'x'", "- regex: 'x' # a\n  family_replacement: Some [name]")} {
		if _, err := enrich.ParseAgents([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseAgents(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte("user_agent_parsers:\n  - regex: '(x)/(\\d+)'\n    family_replacement: 'X $1'\nos_parsers:\n  - regex: 'y'\ndevice_parsers:\n  - regex: 'z'\n    regex_flag: 'i'\n"), "x/1 Y z")
	f.Add([]byte("user_agent_parsers: ["), "")
	f.Fuzz(func(_ *testing.T, rules []byte, userAgent string) {
		if a, err := enrich.ParseAgents(rules); err == nil {
			a.Parse(userAgent)
		}
	})
}

// FuzzAgent: whatever a client calls itself, what is told of it is text of bounded
// length, and the same each time.
func FuzzAgent(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("Mozilla/5.0 (Linux; Android 13; SM-S901B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.0.0 Mobile Safari/537.36")
	f.Add("Mozilla/5.0 (Linux; Android 9; \xff\xfe Build/x)")
	for _, one := range []string{"", "x"} { // one of them is cut within a letter
		f.Add("WhatsApp/2.11.102 Android/4.0.3 Device/LENOVO-IdeaTab_A2107A" + one + strings.Repeat("ä", 600))
	}
	agents := enrich.DefaultAgents()
	f.Fuzz(func(t *testing.T, userAgent string) {
		got := agents.Parse(userAgent)
		for _, s := range []string{got.Family, got.Major, got.Minor, got.Patch, got.OS, got.OSMajor, got.OSMinor, got.OSPatch, got.OS4, got.Device, got.Brand, got.Model} {
			if len(s) > 2048 {
				t.Errorf("%d bytes of %d", len(s), len(userAgent))
			}
			if utf8.ValidString(userAgent) && !utf8.ValidString(s) {
				t.Errorf("%q is no text", s)
			}
		}
		if got.Family == "" || got.OS == "" || got.Device == "" {
			t.Errorf("%+v", got)
		}
		if again := agents.Parse(userAgent); again != got {
			t.Errorf("%+v, then %+v", got, again)
		}
	})
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
