package mask

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"testing"

	"millrace/internal/vectors"
	"millrace/schemas/pii"
)

// read reads a file of test vectors.
func read(t testing.TB, name string, into any) {
	t.Helper()
	if err := vectors.Read(name, into); err != nil {
		t.Fatal(err)
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
	read(t, "masking.json", &v)
	if len(v.Luhn) == 0 || len(v.Truncate) == 0 || len(v.Tokens) == 0 {
		t.Fatal("the file has no vectors")
	}
	for _, c := range v.Luhn {
		t.Run("luhn/"+c.PAN, func(t *testing.T) {
			if got := Luhn([]byte(c.PAN)); got != c.Valid {
				t.Errorf("valid %v", got)
			}
		})
	}
	for _, c := range v.Truncate {
		t.Run("truncate/"+c.In, func(t *testing.T) {
			if got := TruncateAddr(netip.MustParseAddr(c.In)).String(); got != c.Out {
				t.Errorf("the address gives %s, want %s", got, c.Out)
			}
			if got, ok := AppendTruncated(nil, pii.Of([]byte(c.In))); !ok || string(got) != c.Out {
				t.Errorf("the text gives %s, %v, want %s", got, ok, c.Out)
			}
		})
	}
	for _, c := range v.Tokens {
		t.Run(fmt.Sprintf("token/%s/%q", c.KeyID, c.In), func(t *testing.T) {
			secret, err := hex.DecodeString(v.Keys[c.KeyID])
			if err != nil {
				t.Fatal(err)
			}
			key := [32]byte(secret)
			normal := AppendEmail(nil, []byte(c.In))
			if string(normal) != c.Normalised {
				t.Errorf("normalised as %q, want %q", normal, c.Normalised)
			}
			if got := Token(c.KeyID, key, c.Type, normal); got != c.Token {
				t.Errorf("token of %s is %s, want %s", c.Normalised, got, c.Token)
			}
			if got := string(New(c.KeyID, key, Options{}).AppendMasked(nil, pii.Of([]byte(c.In)), FreeText)); !containsOnly(c.In, got, c.Token) {
				t.Errorf("masked as %q, want the token %s", got, c.Token)
			}
		})
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
	read(t, "secrets.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("the file has no vectors")
	}
	m := testMasker()
	for _, c := range v.Cases {
		t.Run(c.Text, func(t *testing.T) {
			for _, where := range everywhere {
				got := m.Find(pii.Of([]byte(c.Text)), where)
				switch {
				case c.Type == nil:
					if len(got) != 0 {
						t.Errorf("reported as %v", got)
					}
				case *c.Type == "aws_secret_key_if_near_key_id":
					if len(got) != 0 {
						t.Errorf("alone reported as %v", got)
					}
					near := m.Find(pii.Of([]byte("AKIAIOSFODNN7EXAMPLE,"+c.Text)), where)
					if len(near) != 2 || near[1].Type != AWSSecret || near[1].Start != 21 || near[1].End != 21+len(c.Text) {
						t.Errorf("near a key id reported as %v", near)
					}
				default:
					if len(got) != 1 || string(got[0].Type) != *c.Type {
						t.Errorf("reported as %v, want %s", got, *c.Type)
					}
				}
			}
		})
	}
}
