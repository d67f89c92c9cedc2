package security

import (
	"strings"
	"testing"

	"millrace/internal/mutate"
)

func TestOwnPatternsAreLookedForBesidesTheBuiltInOnes(t *testing.T) {
	p, err := ParsePatterns("own.txt", "# ours\r\nscanner\tour-admin/x\r\nsecret\t/keys.json\ninjection\tmagic*word\ninjection\tdrop;all\nagent\tevilbot\nlogin\t/enter\nform\t/guestbook\n")
	if err != nil {
		t.Fatal(err)
	}
	c, builtin := NewClassifier(p), NewClassifier(nil)
	for target, want := range map[string]Target{
		"/our-admin/x":           {Scanner: true},
		"/Our-Admin/x;y":         {Scanner: true},
		"/a/keys.json":           {Secret: true},
		"/?q=magic%2520the+word": {Injection: true},
		"/magic-word":            {}, // without a trigger only in a query
		"/drop%3Ball":            {Injection: true},
		"/Enter/":                {Login: true},
		"/guestbook?page=2":      {Form: true},
		"/wp-login.php":          {Scanner: true, Login: true},
	} {
		if got := c.Target([]byte(target)); got != want {
			t.Errorf("%s: %+v, want %+v", target, got, want)
		}
	}
	if !c.Agent([]byte("EvilBot/1.0")) || builtin.Agent([]byte("EvilBot/1.0")) || p.Version() == builtIn().Version() {
		t.Error("an agent of the own list, or the version of it")
	}
	if got := builtin.Target([]byte("/our-admin/x")); got != (Target{}) {
		t.Errorf("the built-in list has patterns of another: %+v", got)
	}
}

// Whatever a list says, it is refused or added: what the built-in patterns find stays
// found, and nothing panics.
func FuzzParsePatterns(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("scanner\tour-admin\n# x\n\ninjection\ta*b", "/our-admin?x=1%27+or+%271")
	f.Add("agent\t(\r\nsecret\t/", "/.git/config")
	f.Add("login\t*\nform\t/a b\ntraversal\t..", "/../%2e%2e/")
	f.Add("scanner\t;x\nscanner\ta;b/c", "/a;b/c")
	f.Fuzz(func(t *testing.T, list, target string) {
		p, err := ParsePatterns("own.txt", list)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "own.txt:") {
				t.Fatalf("a fault without a place: %v", err)
			}
			return
		}
		a, b := NewClassifier(nil).Target([]byte(target)), NewClassifier(p).Target([]byte(target))
		lost := a.Scanner && !b.Scanner || a.Secret && !b.Secret || a.Injection && !b.Injection || a.Traversal && !b.Traversal || a.Login && !b.Login || a.Form && !b.Form
		if lost {
			t.Fatalf("%q gives %+v, without %q %+v", target, b, list, a)
		}
	})
}
