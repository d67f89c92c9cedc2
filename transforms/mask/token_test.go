package mask

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"millrace/schemas/pii"
)

func m3(found []Finding) string {
	var parts []string
	for _, f := range found {
		parts = append(parts, fmt.Sprintf("%d-%d", f.Start, f.End))
	}
	return strings.Join(parts, " ")
}

func text(s string) pii.Text { return pii.Of([]byte(s)) }

// slowToken is the definition, by the library's HMAC.
func slowToken(keyID string, key [32]byte, typ, value string) string {
	mac := hmac.New(sha256.New, key[:])
	fmt.Fprintf(mac, "pii\x00%s\x00%s", typ, value)
	return "tok_" + typ + "_" + keyID + "_" + strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)[:20]))
}

func TestTokensAgreeWithTheirDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		var key [32]byte
		for i := range key {
			key[i] = byte(r.Uint32())
		}
		tok := NewTokenizer("a1", key)
		for _, n := range []int{0, 1, 50, 51, 52, 55, 56, 63, 64, 65, 300} {
			value := make([]byte, n)
			for i := range value {
				value[i] = byte(r.Uint32())
			}
			want := slowToken("a1", key, "email", string(value))
			if got := string(tok.Append([]byte("x"), "email", value)); got != "x"+want {
				t.Fatalf("token of %d bytes is %s, want %s", n, got, want)
			}
			if end := tokenEnd([]byte(want+"z"), 0); end != len(want) {
				t.Fatalf("token %s ends at %d", want, end)
			}
		}
	}
}

func TestWhatIsNoTokenIsNotTakenForOne(t *testing.T) {
	code := strings.Repeat("a", 32)
	for _, s := range []string{
		"", "tok_", "tok_email", "tok_email_k1_", "tok__k1_" + code, "tok_email__" + code, "tok_Email_k1_" + code, "tok_email_K1_" + code,
		"tok_email_k1_" + code[1:], "tok_email_k1_" + code[1:] + "1", "tok_email_k1_" + code[1:] + "A", "tok_abcdefghijklmnopq_k1_" + code, "tok_email_abcdefghijklmnopq_" + code, "tik_email_k1_" + code,
	} {
		if end := tokenEnd([]byte(s), 0); end != -1 {
			t.Errorf("%q is a token to %d", s, end)
		}
	}
}

func TestVisitorIsTheTokenOfAddressAndAgent(t *testing.T) {
	m := testMasker()
	for _, c := range []struct{ addr, agent, canonical string }{
		{"203.0.113.77", "curl/8", "203.0.113.77"},
		{"::ffff:203.0.113.77", "curl/8", "203.0.113.77"},
		{"2001:DB8:0:0::1", "curl/8", "2001:db8::1"},
		{"fe80::1%eth0", "curl/8", "fe80::1"},
		{"Host.Example.COM", "curl/8", "host.example.com"},
		{"203.0.113.077", "", "203.0.113.077"},
		{"", "", ""},
		{"203.0.113.77", strings.Repeat("long ", 100), "203.0.113.77"},
	} {
		want := slowToken("k1", testKey, "visitor", c.canonical+"\x00"+c.agent)
		for range 2 { // computed, then remembered
			if got := m.Visitor(text(c.addr), text(c.agent)); got != want {
				t.Errorf("visitor %q %q is %s, want %s", c.addr, c.agent, got, want)
			}
		}
	}
	if a, b := m.Visitor(text("a\x00b"), text("c")), m.Visitor(text("a"), text("b\x00c")); a != b {
		t.Error("the separator is not the documented one")
	}
}

func TestUserIsTheTokenOfTheNameAsItIs(t *testing.T) {
	m := testMasker()
	for _, name := range []string{"alice", "Alice", "j. doe", ""} {
		if got, want := m.User(text(name)), slowToken("k1", testKey, "user", name); got != want {
			t.Errorf("user %q is %s, want %s", name, got, want)
		}
	}
}

// More visitors than the masker remembers, met again and again.
func TestVisitorsDoNotDependOnWhatIsRemembered(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	m := testMasker()
	for range 60_000 {
		n := r.IntN(3 * visitorSlots)
		if r.IntN(2) == 0 {
			n = r.IntN(16)
		}
		addr := fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255)
		if got, want := m.Visitor(text(addr), text("a")), slowToken("k1", testKey, "visitor", addr+"\x00a"); got != want {
			t.Fatalf("visitor %s is %s, want %s", addr, got, want)
		}
	}
}

func TestValuesOfEqualHashAreToldApart(t *testing.T) {
	m := newMemo(2)
	m.key = []byte("alice")
	s, hit := m.find()
	if hit || s == nil || !s.holds(s.hash, []byte("alice")) {
		t.Fatalf("find = %v, %v", s, hit)
	}
	if s.holds(s.hash, []byte("carol")) || s.holds(s.hash, []byte("alic")) || s.holds(s.hash+1, []byte("alice")) {
		t.Error("a slot is taken for another value's")
	}
	m.key = make([]byte, len(s.key)+1)
	if s, hit := m.find(); s != nil || hit {
		t.Error("a value too long is remembered")
	}
}

func TestTruncatedTextAgreesWithNetip(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	check := func(s string) {
		t.Helper()
		got, ok := AppendTruncated([]byte("x"), text(s))
		addr, err := netip.ParseAddr(s)
		if ok != (err == nil) {
			t.Fatalf("AppendTruncated(%q) = %s, %v; netip says %v", s, got, ok, err)
		}
		want := "x"
		if ok {
			want += TruncateAddr(addr).String()
		}
		if string(got) != want {
			t.Fatalf("AppendTruncated(%q) = %s, want %s", s, got, want)
		}
	}
	const chars = "0123456789.:abfF%x-"
	for range 50_000 {
		var a [16]byte
		for i := range a {
			a[i] = byte(r.Uint32())
		}
		check(netip.AddrFrom16(a).String())
		v4 := netip.AddrFrom4([4]byte(a[:4])).String()
		check(v4)
		check("::ffff:" + v4)
		damaged := []byte(v4)
		damaged[r.IntN(len(damaged))] = chars[r.IntN(len(chars))]
		check(string(damaged))
		check(string(damaged[:r.IntN(len(damaged))]))
	}
	for _, s := range []string{"", "-", ".", "...", "1.2.3", "1.2.3.4.5", "1.2.3.", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "host", "host:80", "fe80::1%eth0"} {
		check(s)
	}
	if got := TruncateAddr(netip.Addr{}); got.IsValid() {
		t.Errorf("the zero address becomes %v", got)
	}
}

func TestDecodingAgreesWithASlowDecoder(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 30_000 {
		var b strings.Builder
		for range r.IntN(12) {
			b.WriteString([]string{"%", "25", "%25", "4", "0", "%41", "a", "%%", "%2", "ä", "%zz", "%fF"}[r.IntN(12)])
		}
		src := layer{text: []byte(b.String())}
		want := b.String()
		for range 2 { // the rounds that undo one level of escapes
			var dst layer
			ok := dst.decode(&src)
			next := percentDecode(want)
			if ok != (next != want) {
				t.Fatalf("decode(%q) = %v", want, ok)
			}
			if !ok {
				break
			}
			if string(dst.text) != next {
				t.Fatalf("decode(%q) = %q, want %q", want, dst.text, next)
			}
			if len(dst.raw) != len(dst.text)+1 || dst.rawAt(len(dst.text)) != b.Len() {
				t.Fatalf("decode(%q): offsets %v", want, dst.raw)
			}
			for i := range dst.text {
				if again := percentDecode(percentDecode(b.String()[dst.rawAt(i):dst.rawAt(i+1)])); percentDecode(percentDecode(string(dst.text[i:i+1]))) != again {
					t.Fatalf("decode(%q): byte %d comes from %q", want, i, b.String()[dst.rawAt(i):dst.rawAt(i+1)])
				}
			}
			src, want = dst, next
		}
	}
}

func TestMaskingDoesNotAllocate(t *testing.T) {
	m := testMasker()
	dst := make([]byte, 0, 1<<12)
	in := text("q=%61lice%40example.com+4111-1111-1111-1111&token=abc")
	addr, agent := text("203.0.113.77"), text("curl/8")
	if n := testing.AllocsPerRun(100, func() {
		dst = m.AppendMasked(dst[:0], in, Query)
		dst = m.AppendVisitor(dst, addr, agent)
		dst = m.AppendUser(dst, agent)
		dst, _ = AppendTruncated(dst, addr)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
