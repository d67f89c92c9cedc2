package mask

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"millrace/internal/mutate"
	"millrace/schemas/pii"
)

func testPolicy() Policy {
	return Policy{Fields: map[string]Rule{
		"id": {Class: None}, "at": {Class: Time}, "ts": {Class: Time}, "user.name": {Class: Name}, "user.email": {Class: Class(Email)}, "user.zip": {Class: Zip}, "user.age": {Class: Age},
		"ip": {Class: Class(IP)}, "card": {Class: Class(Card), Method: FPE}, "phone": {Class: Class(Phone)}, "note": {Class: Text}, "tags": {Class: Text}, "items.sku": {Class: None},
		"ssn": {Class: Class(SSN), Method: FPE}, "password": {Class: Secret}, "headers.*": {Class: Text}, "headers.cookie": {Class: Secret, Method: Drop}, "uid": {Class: User}, "extra": {Class: Text},
	}}
}

func TestJSONIsMaskedByFieldAndUnknownFieldsAreDenied(t *testing.T) {
	user := func(s string) string { return Token("k1", testKey, "user", []byte(s)) }
	for _, c := range []struct{ name, in, want string }{
		{"order, spaces and types stay", `{ "id" : 7, "at":"2024-03-15T23:30:00-02:00", "ts": 1710541800123 }`, `{ "id" : 7, "at":"2024-03-16", "ts": 1710460800000 }`},
		{
			"fields below others", `{"user":{"name":"Ann","email":" Ann@Example.com","zip":"12345","age":47,"x":1}}`,
			`{"user":{"name":"` + Token("k1", testKey, "name", []byte("Ann")) + `","email":"` + email("ann@example.com") + `","zip":"123**","age":"40-49"}}`,
		},
		{"unknown fields go, wherever they are", `{"a":1,"id":1,"b":{"email":"x@y.de"},"c":[1]}`, `{"id":1}`},
		{"nothing known", `{"a":1,"b":2}`, `{}`},
		{"an address", `{"ip":"203.0.113.77"}`, `{"ip":"203.0.113.0"}`},
		{"no address", `{"ip":"not one"}`, `{"ip":"REDACTED"}`},
		{"a number that becomes a token", `{"uid":12345}`, `{"uid":"` + user("12345") + `"}`},
		{
			"a list has the path of its elements", `{"tags":["ann@example.com",7,null,true],"items":[{"sku":"A","n":1},{"sku":"B"}]}`,
			`{"tags":["` + email("ann@example.com") + `",7,null,true],"items":[{"sku":"A"},{"sku":"B"}]}`,
		},
		{"text is searched, escapes and all", `{"note":"mail ann@example.com\nor\u0020call"}`, `{"note":"mail ` + email("ann@example.com") + `\nor call"}`},
		{"a number in a text field", `{"note":4111111111111111}`, `{"note":"` + card("4111111111111111") + `"}`},
		{"secrets", `{"password":"hunter2","headers":{"cookie":"s=1","x-to":"ann@example.com"}}`, `{"password":"REDACTED","headers":{"x-to":"` + email("ann@example.com") + `"}}`},
		{"an object where a value should be", `{"uid":{"id":7},"id":1}`, `{"id":1}`},
		{"names in a text field are searched, too", `{"extra":{"ann@example.com":{"n":1}}}`, `{"extra":{"` + email("ann@example.com") + `":{"n":1}}}`},
		{"null", `{"uid":null,"password":null}`, `{"uid":null,"password":null}`},
		{"masked already", `{"uid":"` + user("12345") + `","password":"REDACTED","ip":"203.0.113.0"}`, `{"uid":"` + user("12345") + `","password":"REDACTED","ip":"203.0.113.0"}`},
	} {
		j := NewJSON(testPolicy(), "k1", testKey)
		got, err := j.Append(nil, pii.Of([]byte(c.in)))
		if err != nil || string(got) != c.want {
			t.Errorf("%s:\n got  %s, %v\n want %s", c.name, got, err, c.want)
			continue
		}
		if again, err := j.Append(nil, pii.Of(got)); err != nil || string(again) != c.want {
			t.Errorf("%s: masked again: %s, %v", c.name, again, err)
		}
	}
}

func TestUnknownFieldsMayBeScannedButNotKept(t *testing.T) {
	j := NewJSON(Policy{Unknown: Scan, Fields: map[string]Rule{"a.b": {Class: None}}}, "k1", testKey)
	in := `{"a":{"b":"bob@example.org","c":"bob@example.org"},"bob@example.org":[{"d":"call +49 30 1234567"}],"n":1.50,"t":true}`
	bob := email("bob@example.org")
	want := `{"a":{"b":"bob@example.org","c":"` + bob + `"},"` + bob + `":[{"d":"call ` + Token("k1", testKey, "phone", []byte("+49301234567")) + `"}],"n":1.50,"t":true}`
	if got, err := j.Append(nil, pii.Of([]byte(in))); err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if err := (Policy{Unknown: Keep}).Validate(); err == nil {
		t.Error("unknown fields can be kept")
	}
}

func TestNoJSONIsAnErrorWithoutItsText(t *testing.T) {
	j := NewJSON(testPolicy(), "k1", testKey)
	for _, in := range []string{"", " ", "ann@example.com", "[1]", `"x"`, "{", `{"a":}`, strings.Repeat(`{"extra":`, 100) + "1" + strings.Repeat("}", 100)} {
		got, err := j.Append([]byte("kept"), pii.Of([]byte(in)))
		if !errors.Is(err, ErrJSON) || string(got) != "kept" || strings.Contains(err.Error(), "ann") {
			t.Errorf("%.20q: %s, %v", in, got, err)
		}
	}
}

func TestEncipheredFieldsComeBack(t *testing.T) {
	m := testMasker()
	got, ok := m.AppendField(nil, Class(SSN), FPE, pii.Of([]byte("078-05-1123")))
	if !ok || len(got) != 11 || got[3] != '-' || got[6] != '-' || string(got) == "078-05-1123" {
		t.Fatalf("got %s, %v", got, ok)
	}
	back, err := m.fpe().Decrypt(nil, AppendDigits(nil, got), []byte(SSN))
	if err != nil || string(back) != "078051123" {
		t.Errorf("back: %s, %v", back, err)
	}
	for _, bad := range []string{"123", "A78-05-1123", "ü123456"} {
		if got, _ := m.AppendField(nil, Class(SSN), FPE, pii.Of([]byte(bad))); string(got) != redacted {
			t.Errorf("%s becomes %s", bad, got)
		}
	}
}

func TestGeneralFormsAreFixedPoints(t *testing.T) {
	m := testMasker()
	for _, c := range []struct {
		class    Class
		in, want string
	}{
		{Zip, "12345-6789", "123**"},
		{Zip, "03601", "000**"},
		{Zip, "sw1a 1aa", "SW1**"},
		{Zip, "12", redacted},
		{Zip, "1234; DROP", redacted},
		{Age, "47", "40-49"},
		{Age, "0", "0-9"},
		{Age, "89.9", "80-89"},
		{Age, "104", "90+"},
		{Age, "old", redacted},
		{Age, "40-48", redacted},
		{Time, "2024-03-15", "2024-03-15"},
		{Time, "2024-03-15 10:00:00", "2024-03-15"},
		{Time, "-1234567890", "-1296000000"},
		{Time, "soon", redacted},
	} {
		got, _ := m.AppendField(nil, c.class, Generalise, pii.Of([]byte(c.in)))
		if string(got) != c.want {
			t.Errorf("%s %s becomes %s, want %s", c.class, c.in, got, c.want)
		}
		if again, _ := m.AppendField(nil, c.class, Generalise, pii.Of(got)); string(again) != string(got) {
			t.Errorf("%s %s becomes %s and then %s", c.class, c.in, got, again)
		}
	}
}

func TestPoliciesReportEveryFault(t *testing.T) {
	p := Policy{
		Fields:   map[string]Rule{"a": {Class: "emial"}, "b": {Class: Class(IP), Method: FPE}, "": {Class: None}, "c..d": {Class: None}, "fine": {Class: Text}},
		Classes:  map[Class]Method{Secret: Keep, "x": Drop},
		Findings: map[Type]Method{Email: FPE, JWT: Tokenise, "y": Drop},
		Unknown:  Tokenise,
	}
	err := p.Validate()
	for _, want := range []string{"field a", "emial", "field b", `field ""`, "c..d", "class secret", "class x", "finding email", "finding jwt", "finding y", "unknown"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "fine") {
		t.Errorf("%v", err)
	}
	if err := testPolicy().Validate(); err != nil {
		t.Error(err)
	}
}

// FuzzJSON: whatever the event, the result is JSON, holds no finding where text
// was searched, and masked again it stays.
func FuzzJSON(tf *testing.F) {
	f := mutate.Of(tf)
	for _, s := range []string{
		`{"note":"ann@example.com","user":{"name":"x"}}`, `{ "a" : [ 1 , {"extra": {"ann@example.com": 4111111111111111}} ] , "id" : -0.5e7}`, `{"extra":"\ud83d\ude00\u0000 \" 203.0.113.9"}`, "{\"note\":\"\xff\"}", `{"tags":[[],{}," "],"tags":1}`,
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	p := testPolicy()
	p.Fields["card"], p.Fields["ssn"] = Rule{Class: Class(Card)}, Rule{Class: Class(SSN)}
	denies := NewJSON(p, "k1", testKey)
	p.Unknown = Scan
	scans := NewJSON(p, "k1", testKey)
	f.Fuzz(func(t *testing.T, in []byte, deny bool) {
		j := scans
		if deny {
			j = denies
		}
		out, err := j.Append(nil, pii.Of(in))
		if err != nil {
			return
		}
		if !json.Valid(out) {
			t.Fatalf("%q becomes %q", in, out)
		}
		again, err := j.Append(nil, pii.Of(out))
		if err != nil || string(again) != string(out) {
			t.Fatalf("%q becomes %q and then %q, %v", in, out, again, err)
		}
	})
}
