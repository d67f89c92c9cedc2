package mask

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/pii"
)

// checkInvariants holds masking one text against what the package promises and
// returns the masked text.
func checkInvariants(t *testing.T, m *Masker, in []byte, where Where) []byte {
	t.Helper()
	before := bytes.Clone(in)
	out := m.AppendMasked([]byte("kept"), pii.Of(in), where)
	if !bytes.Equal(in, before) {
		t.Fatalf("masking changed its input %q to %q", before, in)
	}
	if !bytes.HasPrefix(out, []byte("kept")) {
		t.Fatalf("masking changed what dst held: %q", out)
	}
	out = out[len("kept"):]
	if again := m.Find(pii.Of(out), where); len(again) > 0 {
		t.Fatalf("%d: %q becomes %q, in which %v is found", where, in, out, again)
	}
	if again := m.AppendMasked(nil, pii.Of(out), where); !bytes.Equal(again, out) {
		t.Fatalf("%d: %q becomes %q, and then %q", where, in, out, again)
	}
	if utf8.Valid(in) && !utf8.Valid(out) {
		t.Fatalf("%d: %q becomes %q, which is no UTF-8", where, in, out)
	}
	checkOutsideStays(t, m, in, out, where)
	return out
}

// checkOutsideStays follows the first round of replacing: each finding becomes
// one token of its type or REDACTED, and what lies outside stays. A further
// round happens only when the first leaves findings.
func checkOutsideStays(t *testing.T, m *Masker, in, out []byte, where Where) {
	t.Helper()
	once := m.appendReplaced(nil, in, m.scan.scan(in, where))
	if len(m.Find(pii.Of(once), where)) == 0 && !bytes.Equal(once, out) {
		t.Fatalf("%d: %q becomes %q, want %q", where, in, out, once)
	}
	at, pos := 0, 0
	for _, f := range m.Find(pii.Of(in), where) {
		if f.Start < at || f.End <= f.Start || f.End > len(in) {
			t.Fatalf("%d: %q has the finding %v", where, in, f)
		}
		if !bytes.HasPrefix(once[pos:], in[at:f.Start]) {
			t.Fatalf("%d: %q becomes %q: it differs before %v", where, in, once, f)
		}
		pos += f.Start - at
		at = f.End
		switch {
		case f.Type == IP && m.scan.truncates:
			want, ok := AppendTruncated(nil, pii.Of(in[f.Start:f.End]))
			if !ok || !bytes.HasPrefix(once[pos:], want) {
				return // escaped in part: what it became is checked by scanning again
			}
			pos += len(want)
		case f.Type.secret() && bytes.HasPrefix(once[pos:], []byte(redacted)):
			pos += len(redacted)
		case !f.Type.secret() && bytes.HasPrefix(once[pos:], []byte(tokenHead+f.Type.TokenName()+"_")) && tokenEnd(once, pos) > 0:
			pos = tokenEnd(once, pos)
		default:
			t.Fatalf("%d: %q becomes %q: %v is not replaced as its type asks", where, in, once, f)
		}
	}
	if !bytes.Equal(once[pos:], in[at:]) {
		t.Fatalf("%d: %q becomes %q: it differs after the last finding", where, in, once)
	}
}

// pieces are what random texts are put together from: findings, parts of
// findings, delimiters and what looks alike.
var pieces = []string{
	"alice@example.com", "bob", "@", "@example.com", "example.org", ".", "..", "-", "_", "+", " ", "/", "//", "?", "&", ";", "#", ":", "://", "=", "\"", "'", "\\",
	"%", "%4", "%40", "%2540", "%25", "%2E", "%20", "%2B", "%3D", "%26", "%22", "%E4", "%C3%A4", "ä", "”", "\xff", "\x00", "\n",
	"4111111111111111", "4111", "1111", "411111", "378282246310005", "0", "7", "12", "2015-05-17", "1392582678974",
	"token", "password=", "key=", "sid=x", "access_token=abc", "\"secret\":\"", "code=", "REDACTED", "tok_", "tok_email_k1_",
	"tok_email_k1_3542mt6b5uwc7qcfydgrzyr27tjotz2x", "tok_pan_4111111111111111_22222222222222222222222222222222",
	"AKIAIOSFODNN7EXAMPLE", "AKIA", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "Bearer ", "Basic ", "Authorization: ", "dXNlcjpwYXNzd29yZA==",
	jwt, "eyJ", "eyJhbGciOiJIUzI1NiJ9.", "ftp://u:p@h.example", "http://", "user:pass@", "logo@2x.png", "3fa85f64-5717-4562-b3fc-2c963f66afa6", "a", "Z", "9",
}

func TestInvariantsHoldOnRandomTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	m, other := testMasker(), testMasker()
	n := 25_000
	if testing.Short() {
		n = 5_000
	}
	for range n {
		var b strings.Builder
		for range 1 + r.IntN(8) {
			p := pieces[r.IntN(len(pieces))]
			switch r.IntN(8) {
			case 0:
				p = escapeWhere(p, func(int) bool { return r.IntN(3) == 0 })
			case 1:
				p = escapeWhere(escapeWhere(p, func(int) bool { return r.IntN(3) == 0 }), func(int) bool { return r.IntN(4) == 0 })
			case 2:
				p = p[:r.IntN(len(p)+1)]
			}
			b.WriteString(p)
		}
		where := everywhere[r.IntN(len(everywhere))]
		out := checkInvariants(t, m, []byte(b.String()), where)
		// The masker's memory of earlier texts must not show: compare with one
		// that has seen others.
		if r.IntN(4) == 0 {
			if got := masked(other, b.String(), where); got != string(out) {
				t.Fatalf("%d: %q becomes %q in one masker and %q in another", where, b.String(), out, got)
			}
		}
	}
}

// allPieces adds what only a scan for all types finds, and what it must not.
var allPieces = append([]string{
	"DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "203.0.113.77", "203.0.113.0", "2001:db8:abcd:12::1", "::", "1.2.3", "Chrome/126.0.0.0", "00:1A:2B:3C:4D:5E",
	"078-05-1123", "SSN ", "078051123", "+49 30 1234567", "(415) 555-0132", "call ", "phone: ", "0490 75 40 81", "NHS ", "221 395 1837", "AB123456C", "12345678Z", "1EG4-TE5-MK73",
	"16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ", "passport ", "Z12803456", "pesel ", "44051401458", "fax", "%20", "+", ")", "(",
}, pieces...)

// TestInvariantsHoldForAllTypes on random texts, by every method of findings: no finding is
// left in what a job writes without being told, nor with a region or other methods.
func TestInvariantsHoldForAllTypes(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	jobs, all := testMasker(), New("k1", testKey, Options{Region: "DE"})
	other := New("k1", testKey, Options{Types: AllTypes(), Methods: map[Type]Method{IP: Tokenise, Card: FPE, Phone: Redact, Email: Redact}})
	n := 20_000
	if testing.Short() {
		n = 4_000
	}
	found := map[Type]int{}
	for range n {
		var b strings.Builder
		for range 1 + r.IntN(7) {
			p := allPieces[r.IntN(len(allPieces))]
			if r.IntN(6) == 0 {
				p = escapeWhere(p, func(int) bool { return r.IntN(3) == 0 })
			}
			b.WriteString(p)
		}
		in, where := []byte(b.String()), everywhere[r.IntN(len(everywhere))]
		for _, f := range all.Find(pii.Of(in), where) {
			found[f.Type]++
		}
		checkInvariants(t, jobs, in, where)
		checkInvariants(t, all, in, where)
		out := other.AppendMasked(nil, pii.Of(in), where)
		if again := other.AppendMasked(nil, pii.Of(out), where); !bytes.Equal(again, out) {
			t.Fatalf("%d: %q becomes %q, and then %q", where, in, out, again)
		}
	}
	for _, typ := range []Type{IBAN, IP, MAC, SSN, Phone, NHS, NINO, NIF, MBI, Crypto, USPassport, PESEL, Card, Email, JWT} {
		if found[typ] == 0 {
			t.Errorf("no text had a finding of type %s", typ)
		}
	}
}

func TestPlantedValuesVanishBetweenRandomTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	m := testMasker()
	n := 25_000
	if testing.Short() {
		n = 5_000
	}
	some := func() string {
		var b strings.Builder
		for range r.IntN(4) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	tried := 0
	for range n {
		before, after, value := some(), some(), planted[r.IntN(len(planted))]
		if !strings.Contains(value, "@") && (joinsNumber(before, true) || joinsNumber(after, false)) {
			continue
		}
		tried++
		in := before + encodeBy(value, uint8(r.IntN(6)), r.Uint64()) + after
		out := masked(m, in, everywhere[r.IntN(len(everywhere))])
		if survives(out, value) && !survives(before+"\x00"+after, value) {
			t.Errorf("%q stays in %q, masked from %q", value, out, in)
		}
	}
	if tried < n/4 {
		t.Errorf("only %d of %d texts were tried", tried, n)
	}
}

func TestLongHostileTextsTakeLinearWork(t *testing.T) {
	// With quadratic work on them this test would take hours.
	const n = 1 << 20
	for _, types := range [][]Type{RequiredTypes(), AllTypes()} {
		m := New("k1", testKey, Options{Types: types})
		for _, unit := range []string{
			"%25", "25", "%", "a@", "@", "eyJ", "eyJ.", "1 ", "4 ", "411111111111 ", "tok_", "token=", "a=", "://", "://a:b@", "Bearer ", "\"key\":", "AKIA", "IA", "+", "a+", "-", ".", "a.", "@a.", ";a",
			"4111111111111111,", "a@b.co,", "token=a&", "ftp://a:b@c.d/", "Bearer abcdef0123456789 ", email("alice@example.com") + " 411111111111 ", "AKIAIOSFODNN7EXAMPLE ",
			"1", "a1", "1a", "DE89", "b", ":", "::", "1:", "\" :", "1.", "1-2-", "12-", "(1) ", "+1 ", "tel 1234567 ", "1EG4-TE5-MK73", "1.2.3.4 ", "%31", "J", "1x",
		} {
			in := []byte(strings.Repeat(unit, n/len(unit)))
			out := m.AppendMasked(nil, pii.Of(in), Query)
			if len(m.Find(pii.Of(out), Query)) > 0 {
				t.Errorf("repeated %q: findings are left", unit)
			}
		}
	}
}

// logField is a field of a real log line.
type logField struct {
	where Where
	text  []byte
}

// realFields reads the fields that are masked from real access logs.
func realFields(t testing.TB) []logField {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", "testdata", "access-logs", "*.log.gz"))
	if err != nil || len(names) == 0 {
		t.Skipf("no access logs in testdata: %v", err)
	}
	var out []logField
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			parts := bytes.Split(lines.Bytes(), []byte{'"'})
			if len(parts) < 6 {
				continue
			}
			request := bytes.Split(parts[1], []byte{' '})
			if len(request) == 3 {
				path, query, _ := bytes.Cut(request[1], []byte{'?'})
				out = append(out, logField{Path, bytes.Clone(path)})
				if len(query) > 0 {
					out = append(out, logField{Query, bytes.Clone(query)})
				}
			} else {
				out = append(out, logField{FreeText, bytes.Clone(parts[1])})
			}
			out = append(out, logField{Referrer, bytes.Clone(parts[3])}, logField{UserAgent, bytes.Clone(parts[5])})
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return out
}

// Every finding in the real logs is listed here, so that a change which finds
// more, or less, is seen.
func TestRealLogsHoldTheseFindings(t *testing.T) {
	m := testMasker()
	got := map[string]int{}
	for _, f := range realFields(t) {
		checkInvariants(t, m, f.text, f.where)
		for _, x := range m.Find(pii.Of(f.text), f.where) {
			got[string(x.Type)+" "+string(f.text[x.Start:x.End])]++
		}
	}
	want := map[string]int{
		"email help@moz.com":                           78,
		"email webmaster@livejournal.com":              10,
		"email support@embed.ly":                       2,
		"email support.voilabot@orange-ftgroup.com":    2,
		"email support@superblock.net":                 1,
		"email t.h.u.c.d.v2016%40gmail.com":            1,
		"query_token 4cd395a3bb9d0db66dabea1a927b4b04": 1,
		"query_token fad3ad046ddaa63e65cda6e4e0033c19": 1,
		"query_token fd882280243ebf9d43849a95fcc47814": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
