package mask

import (
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"millrace/schemas/pii"
)

// vectors reads a file of test vectors.
func vectors(t testing.TB, name string, into any) {
	t.Helper()
	dir := os.Getenv("MILLRACE_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "testdata", "vectors")
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

type maskingVectors struct {
	Keys map[string]string `json:"keys_hex"`
	Luhn []struct {
		PAN   string
		Valid bool
	}
	Truncate []struct{ In, Out string } `json:"ip_truncate"`
	Tokens   []struct {
		KeyID      string `json:"key_id"`
		Type       string
		Normalised string
		In         string
		Token      string
	}
}

func TestMaskingVectors(t *testing.T) {
	var v maskingVectors
	vectors(t, "masking.json", &v)
	if len(v.Luhn) == 0 || len(v.Truncate) == 0 || len(v.Tokens) == 0 {
		t.Fatal("the file has no vectors")
	}
	for _, c := range v.Luhn {
		if got := Luhn([]byte(c.PAN)); got != c.Valid {
			t.Errorf("Luhn(%s) = %v", c.PAN, got)
		}
	}
	for _, c := range v.Truncate {
		if got := TruncateAddr(netip.MustParseAddr(c.In)).String(); got != c.Out {
			t.Errorf("TruncateAddr(%s) = %s, want %s", c.In, got, c.Out)
		}
		if got, ok := AppendTruncated(nil, pii.Of([]byte(c.In))); !ok || string(got) != c.Out {
			t.Errorf("AppendTruncated(%s) = %s, %v, want %s", c.In, got, ok, c.Out)
		}
	}
	for _, c := range v.Tokens {
		secret, err := hex.DecodeString(v.Keys[c.KeyID])
		if err != nil {
			t.Fatal(err)
		}
		key := [32]byte(secret)
		normal := AppendEmail(nil, []byte(c.In))
		if string(normal) != c.Normalised {
			t.Errorf("AppendEmail(%q) = %q, want %q", c.In, normal, c.Normalised)
		}
		if got := Token(c.KeyID, key, c.Type, normal); got != c.Token {
			t.Errorf("Token(%s, %s) = %s, want %s", c.KeyID, c.Normalised, got, c.Token)
		}
		if got := string(New(c.KeyID, key, Options{}).AppendMasked(nil, pii.Of([]byte(c.In)), FreeText)); !containsOnly(c.In, got, c.Token) {
			t.Errorf("masking %q gives %q, want the token %s", c.In, got, c.Token)
		}
	}
}

// containsOnly tells whether masked is in with its visible part replaced.
func containsOnly(in, masked, token string) bool {
	left := len(in) - len(trimLeft(in))
	right := len(trimLeft(in)) - len(trim(in))
	return masked == in[:left]+token+in[len(in)-right:]
}

func TestSecretVectors(t *testing.T) {
	var v struct {
		Cases []struct {
			Text string
			Type *string
		}
	}
	vectors(t, "secrets.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("the file has no vectors")
	}
	m := testMasker()
	for _, c := range v.Cases {
		for _, where := range everywhere {
			got := m.Find(pii.Of([]byte(c.Text)), where)
			switch {
			case c.Type == nil:
				if len(got) != 0 {
					t.Errorf("%q is reported as %v", c.Text, got)
				}
			case *c.Type == "aws_secret_key_if_near_key_id":
				if len(got) != 0 {
					t.Errorf("%q alone is reported as %v", c.Text, got)
				}
				near := m.Find(pii.Of([]byte("AKIAIOSFODNN7EXAMPLE,"+c.Text)), where)
				if len(near) != 2 || near[1].Type != AWSSecret || near[1].Start != 21 || near[1].End != 21+len(c.Text) {
					t.Errorf("%q near a key id is reported as %v", c.Text, near)
				}
			default:
				if len(got) != 1 || string(got[0].Type) != *c.Type {
					t.Errorf("%q is reported as %v, want %s", c.Text, got, *c.Type)
				}
			}
		}
	}
}
