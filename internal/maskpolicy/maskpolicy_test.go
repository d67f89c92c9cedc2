package maskpolicy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/maskpolicy"
	"millrace/internal/mutate"
	"millrace/schemas/weblog"
	"millrace/transforms/mask"
)

const good = `# of shop events
region: DE
unknown: scan
fields:
  user.email: email
  user.card: {class: pan, method: fpe}
  "headers.*": text
  note:
    class: text
classes:
  name: redact
findings:
  ip: token
types: [email, ip, us_ssn]
secrets: [pin, "*_ticket"]
`

func TestAPolicyIsReadWhole(t *testing.T) {
	name := filepath.Join(t.TempDir(), "p.yaml")
	if err := os.WriteFile(name, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := maskpolicy.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want := mask.Policy{
		Region: "DE", Unknown: mask.Scan, Types: []mask.Type{mask.Email, mask.IP, mask.SSN},
		Fields: map[string]mask.Rule{
			"user.email": {Class: mask.Class(mask.Email)}, "user.card": {Class: mask.Class(mask.Card), Method: mask.FPE}, "headers.*": {Class: mask.Text}, "note": {Class: mask.Text},
		},
		Classes:  map[mask.Class]mask.Method{mask.Name: mask.Redact},
		Findings: map[mask.Type]mask.Method{mask.IP: mask.Tokenise},
		Secrets:  append(mask.DefaultSecrets(), mask.SecretName{Name: "pin"}, mask.SecretName{Name: "_ticket", Suffix: true}),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p, err := maskpolicy.Parse("x", nil); err != nil || p.Fields != nil {
		t.Errorf("an empty policy: %v, %v", p, err)
	}
}

func TestFaultsNameFileLineAndTheNameMeant(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"names", "fieds: {}\nfields:\n  a: emial\n  b: {class: pan, metod: fpe}\n  c: {class: pan, method: fep}\n  d: {class: ip, method: fpe}\nunknown: keep\nclasses: {nam: drop, secret: keep}\nfindings: {emal: drop, jwt: token}\ntypes: [emails]\n", []string{
			"p.yaml:1: unknown key fieds, did you mean fields?", `p.yaml:3: unknown class "emial", did you mean email?`, "p.yaml:4: unknown key metod, did you mean method?",
			`p.yaml:5: unknown method "fep", did you mean fpe?`, "p.yaml:6: field d: method fpe does not fit class ip", "p.yaml:7: method keep does not fit unknown", `p.yaml:8: unknown class "nam", did you mean name?`,
			"p.yaml:8: method keep does not fit class secret", `p.yaml:9: unknown type "emal", did you mean email?`, "p.yaml:9: method token does not fit findings of type jwt", `p.yaml:10: unknown type "emails", did you mean email?`,
		}},
		{"shapes", "fields: [a]\ntypes: email\nregion: Germany\n", []string{"p.yaml:1: fields should be lines", "p.yaml:2: types should be a list", `p.yaml:3: region "Germany"`}},
		{"no class", "fields:\n  a: {method: drop}\n", []string{"p.yaml:2: field a has no class"}},
		{"a path", "fields:\n  a..b: text\n", []string{`p.yaml:2: field "a..b"`}},
		{"no YAML", "a: [\n", []string{"p.yaml:"}},
		{"two documents", "region: DE\n---\nregion: FR\n", []string{"second document"}},
		{"a list", "- a\n", []string{"p.yaml:1: the file should be lines"}},
	} {
		_, err := maskpolicy.Parse("p.yaml", []byte(c.text))
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no %q in\n%v", c.name, want, err)
			}
		}
	}
}

func FuzzParse(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add(good)
	f.Add("fields: {a: {class: {}}}\n")
	f.Add("secrets: [[x]]\n---\n? a\n: b\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := maskpolicy.Parse("p", []byte(text))
		if err == nil {
			if err := p.Validate(); err != nil {
				t.Errorf("an invalid policy passes: %v", err)
			}
		}
	})
}

func TestLinesAreMaskedByFieldOrAsText(t *testing.T) {
	p, err := maskpolicy.Parse("p.yaml", []byte("fields: {id: none, note: text}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	events, texts, err := maskpolicy.Mask(&out, strings.NewReader("{\"id\":1,\"x\":2,\"note\":\"pw at https://a:hunter2@h.example\"}\n\nssn 078-05-1123 from 203.0.113.77\n{broken ann@example.com\n"), p, "k1", [32]byte{1})
	if err != nil || events != 1 || texts != 2 {
		t.Errorf("%d events, %d texts, %v", events, texts, err)
	}
	got := out.String()
	for _, gone := range []string{"hunter2", "078-05", "203.0.113.77", "ann@", `"x"`} {
		if strings.Contains(got, gone) {
			t.Errorf("%q stays in\n%s", gone, got)
		}
	}
	for _, want := range []string{"{\"id\":1,\"note\":\"pw at https://a:REDACTED@h.example\"}\n\nssn tok_usssn_k1_", "from 203.0.113.0\n{broken tok_email_k1_"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestEveryColumnAndFieldIsShown(t *testing.T) {
	var out bytes.Buffer
	if err := maskpolicy.ShowOutputs(&out, []maskpolicy.Output{{Name: "events", Schema: weblog.Events}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range weblog.Events.Columns {
		if !strings.Contains(out.String(), "events."+c.Name+" ") {
			t.Errorf("no %s", c.Name)
		}
	}
	p, err := maskpolicy.Parse("p.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := maskpolicy.Show(&out, p); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"user.card   pan    fpe", "any other   -      scan", "us_ssn             token"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestAPolicyIsHeldAgainstTheJob(t *testing.T) {
	fields := mask.Fields{"user": mask.User, "query": mask.Text}
	for text, want := range map[string][]string{
		"fields:\n  user: {class: user, method: fpe}\nclasses: {text: redact}\ntypes: []\n": nil,
		"unknown: scan\nfields:\n  usr: user\n  query: none\nfindings:\n  phone: keep\n  pan: keep\n": {
			"p.yaml:1: unknown: scan", "p.yaml:3: the job has no field usr for a policy to set, did you mean user?", "p.yaml:4: field query is of class text", "p.yaml:7: method keep would let through findings of type pan",
		},
		"region: DE\ntypes: [email]\n": {"p.yaml:2: types leave out jwt"},
	} {
		f, err := maskpolicy.Read("p.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		err = f.CheckJob(fields)
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("no %q in\n%v", w, err)
			}
		}
		if want == nil && err != nil || err != nil && strings.Contains(err.Error(), "phone") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestThePolicyInAConfigurationIsTheSame(t *testing.T) {
	alone, err := maskpolicy.Read("p.yaml", []byte(good+"reversible: [email]\n"))
	if err != nil {
		t.Fatal(err)
	}
	inside, err := maskpolicy.Read("c.yaml", []byte("job: weblogs\nmask_policy:\n"+strings.ReplaceAll("  "+good+"reversible: [email]", "\n", "\n  ")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := alone.Version()
	b, other := inside.Version()
	if err != nil || other != nil || a != b || len(a) != 16 || !alone.Reversible() || inside.Lines["fields.note"] != alone.Lines["fields.note"]+2 {
		t.Errorf("versions %s and %s, %v, %v; lines %v", a, b, err, other, inside.Lines)
	}
	changed, err := maskpolicy.Read("p.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := changed.Version(); c == a {
		t.Error("another policy has the same version")
	}
	if _, err := maskpolicy.Read("p.yaml", []byte("reversible: [text, usr]\n")); err == nil || !strings.Contains(err.Error(), "p.yaml:1: there are no tokens of class text") || !strings.Contains(err.Error(), "did you mean user?") {
		t.Errorf("%v", err)
	}
}
