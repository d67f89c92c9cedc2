package security

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/transforms/decode"
)

func TestWhatALineCounts(t *testing.T) {
	for name, c := range map[string]struct {
		request Request
		want    Counts
	}{
		"nothing":                   {Request{Target: b("/product/12?page=2&q=union+jack"), Status: 200}, Counts{}},
		"a scanner":                 {Request{Target: b("/wp-login.php"), Status: 404}, Counts{Scanner: 1}},
		"a site that has it":        {Request{Target: b("/wp-login.php"), Status: 200}, Counts{}},
		"a longer name":             {Request{Target: b("/wp-login.phpx"), Status: 404}, Counts{}},
		"below a path":              {Request{Target: b("//Cgi-Bin/luci/;stok=/locale"), Status: 404}, Counts{Scanner: 1}},
		"a secret":                  {Request{Target: b("/app/.env?x=1"), Status: 404}, Counts{Scanner: 1}},
		"a secret that was served":  {Request{Target: b("/.git/config"), Status: 200}, Counts{Scanner: 1, Leaks: 1}},
		"not a secret":              {Request{Target: b("/.environment"), Status: 200}, Counts{}},
		"an encoded secret":         {Request{Target: b("/%2egit/config"), Status: 404}, Counts{Scanner: 1}},
		"an injection":              {Request{Target: b("/p?id=1+UNION/**/SELECT+NULL"), Status: 200}, Counts{Injection: 1}},
		"an injection, once":        {Request{Target: b("/p?id=1%27%20OR%20%271%27=%271"), Status: 200}, Counts{Injection: 1}},
		"an injection, twice":       {Request{Target: b("/p?id=1%2527%2520OR%2520%25271"), Status: 200}, Counts{Injection: 1}},
		"an injection, three times": {Request{Target: b("/p?id=1%252527%252520OR%252520%2525271"), Status: 200}, Counts{}},
		"a script":                  {Request{Target: b("/s?q=%3CScript%3Ealert(1)"), Status: 200}, Counts{Injection: 1}},
		"log4j":                     {Request{Target: b("/?x=${jndi:ldap://x/a}"), Status: 200}, Counts{Injection: 1}},
		"a word":                    {Request{Target: b("/x?auto_prepend_file=a"), Status: 200}, Counts{Injection: 1}},
		"a traversal":               {Request{Target: b("/a/../../etc/passwd"), Status: 400}, Counts{Traversal: 1}},
		"a traversal, once":         {Request{Target: b("/static/..%2f..%5cwin.ini"), Status: 404}, Counts{Traversal: 1}},
		"a traversal, twice":        {Request{Target: b("/%252e%252e%252fx"), Status: 404}, Counts{Traversal: 1}},
		"two dots":                  {Request{Target: b("/a..b/1...2"), Status: 200}, Counts{}},
		"a tool":                    {Request{Target: b("/"), UserAgent: b("sqlmap/1.8"), Status: 200}, Counts{BadAgent: 1}},
		"a refusal":                 {Request{Method: b("POST"), Target: b("/login?x"), Status: 401}, Counts{AuthFailed: 1, FormPosts: 1}},
		"forbidden at a login":      {Request{Method: b("POST"), Target: b("/en/Login/"), Status: 403}, Counts{AuthFailed: 1, FormPosts: 1}},
		"forbidden elsewhere":       {Request{Method: b("POST"), Target: b("/x"), Status: 403}, Counts{}},
		"basic authentication":      {Request{Method: b("GET"), Target: b("/x"), Status: 401}, Counts{AuthFailed: 1}},
		"a login":                   {Request{Method: b("POST"), Target: b("/login"), Status: 302}, Counts{Logins: 1, FormPosts: 1}},
		"spam":                      {Request{Method: b("POST"), Target: b("/join_form"), Status: 302}, Counts{FormPosts: 1}},
		"a large answer":            {Request{Target: b("/x.zip"), Status: 200, Bytes: 5 << 20}, Counts{LargeBytes: 5 << 20}},
		"an error alone":            {Request{Target: b("/x"), Status: 503}, Counts{}},
		"an error of an attack":     {Request{Target: b("/x?id=1%27%20OR%20%271"), Status: 503}, Counts{Injection: 1, ServerError: 1}},
		"a secret, compressed":      {Request{Target: b("/dump.sql.gz"), Status: 404}, Counts{Scanner: 1}},
	} {
		var cl Classifier
		got, some := cl.Request(&c.request)
		if c.want != (Counts{}) {
			c.want.Requests = 1
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if some != (c.want != Counts{}) {
			t.Errorf("%s: counts something: %v", name, some)
		}
	}
}

func b(s string) []byte { return []byte(s) }

// Every pattern is found as it stands and encoded once and twice, with anything in
// its gaps.
func TestEveryPatternIsFoundInEachReading(t *testing.T) {
	kinds := map[string]int{}
	for _, line := range strings.Split(patternList, "\n") {
		kind, text, ok := strings.Cut(line, "\t")
		if !ok || line[0] == '#' {
			continue
		}
		kinds[kind]++
		text = strings.ReplaceAll(text, "*", "xy")
		r := Request{Target: b("/p?id=1" + url.QueryEscape(text)), Status: 404}
		switch kind {
		case "scanner":
			r.Target = b("/" + text)
		case "secret":
			r.Target = b("/a" + text)
		case "agent":
			r.Target, r.UserAgent = b("/"), b("x "+strings.ToUpper(text)+" y")
		case "login", "form":
			r.Method, r.Target = b("POST"), b(text)
		}
		for times := range 2 {
			var c Classifier
			n, _ := c.Request(&r)
			found := map[string]int64{"scanner": n.Scanner, "secret": n.Scanner, "injection": n.Injection, "traversal": n.Traversal, "agent": n.BadAgent, "login": n.FormPosts, "form": n.FormPosts}[kind]
			if found != 1 {
				t.Errorf("%s %q is not found in %s (encoded %d times)", kind, text, r.Target, times+1)
			}
			if kind == "injection" || kind == "traversal" {
				r.Target = b("/p?id=1" + url.QueryEscape(url.QueryEscape(text)))
			}
		}
	}
	for _, kind := range []string{"scanner", "secret", "injection", "traversal", "agent", "login", "form"} {
		if kinds[kind] < 5 {
			t.Errorf("%d patterns of kind %s", kinds[kind], kind)
		}
	}
}

func TestAListWithAMistakeIsRefusedByLine(t *testing.T) {
	for list, want := range map[string]string{"# x\nscanner a": "own.txt:2", "what\tx": `unknown kind "what"`, "scanner\tA": "lower case", "agent\t": "own.txt:1", "scanner\t/a": "without a slash"} {
		if _, err := ParsePatterns("own.txt", list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", list, err)
		}
	}
}

func TestEveryCountHasAName(t *testing.T) {
	var c Counts
	for i, f := range c.fields() {
		*f = int64(i + 1)
		if n, known := c.Field(Fields[i]); !known || n != int64(i+1) {
			t.Errorf("%s: %d, %v", Fields[i], n, known)
		}
	}
	if _, known := c.Field("x"); known {
		t.Error("a field that does not exist is known")
	}
}

// Whatever a client sends: no panic, counts of one line, and none of it depends on
// the line before.
func FuzzRequest(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte("POST"), []byte("/login?x=%2527+or"), []byte("sqlmap"), int32(401), int64(5))
	f.Add([]byte("GET"), []byte("/%2e%2e/%252e/.env/**/*/"), []byte(""), int32(200), int64(1<<30))
	f.Add([]byte(""), []byte("%%%2%zz+/*"), []byte("() { :;"), int32(0), int64(-1))
	f.Fuzz(func(t *testing.T, method, target, agent []byte, status int32, size int64) {
		r := Request{method, target, agent, status, size}
		var fresh, used Classifier
		used.Request(&Request{Target: b("/.git/x?id=%27%20or%20%27"), UserAgent: agent, Status: 200})
		a, _ := fresh.Request(&r)
		c, _ := used.Request(&r)
		if a != c {
			t.Fatalf("%+v after nothing, %+v after another line", a, c)
		}
		for i, n := range a.fields() {
			if *n < 0 || *n > 1 && Fields[i] != "large_bytes" {
				t.Fatalf("%+v", a)
			}
		}
	})
}

func TestWhatALineOfSSHDCounts(t *testing.T) {
	for message, want := range map[string]Counts{
		"Accepted password for a from 1.2.3.4 port 5 ssh2":                                 {Logins: 1},
		"message repeated 5 times: [ Failed password for root from 1.2.3.4 port 5 ssh2]":   {AuthFailed: 5},
		"Invalid user pi from 1.2.3.4":                                                     {AuthFailed: 1},
		"Failed password for invalid user pi from 1.2.3.4 port 5 ssh2":                     {AuthFailed: 1},
		"maximum authentication attempts exceeded for root from 1.2.3.4 port 5 ssh2":       {},
		"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 rhost=1.2.3.4": {},
	} {
		p := decode.SyslogParser{Reference: 1_700_000_000_000}
		var a decode.AuthLog
		p.Parse([]byte("Mar  7 13:06:56 h sshd[1]: "+message), &a)
		want.Requests = 1
		if got, some := Auth(&a); got != want || some != (want != Counts{Requests: 1}) {
			t.Errorf("%s: %+v, %v", message, got, some)
		}
	}
}
