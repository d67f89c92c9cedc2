package mask

import (
	"bytes"
	"errors"
	"testing"

	"millrace/schemas/pii"
)

func TestAVaultOpensItsOwnRowsOnly(t *testing.T) {
	v, err := NewVault([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewVault([32]byte{2})
	if err != nil {
		t.Fatal(err)
	}
	rows, met := map[string][]byte{}, 0
	m := New("k1", testKey, Options{Reversible: func(token []byte, typ string, value []byte) {
		met++
		if got, key, ok := IsToken(token); !ok || got != typ || key != "k1" {
			t.Errorf("%s is of type %s and key %s, %v", token, got, key, ok)
		}
		rows[string(token)] = v.Append(nil, token, value)
	}})
	in := "from Ann@Example.com to bob@example.org, cc ann@example.com, token=abcdef"
	m.AppendMasked(nil, pii.Of([]byte(in)), FreeText)
	if met != 3 || len(rows) != 2 {
		t.Fatalf("%d tokens met, %d rows", met, len(rows))
	}
	for token, payload := range rows {
		value, err := v.Open([]byte("x"), []byte(token), payload)
		if err != nil || email(string(value[1:])) != token || bytes.Contains(payload, value[1:]) {
			t.Errorf("%s opens to %s, %v", token, value, err)
		}
		if again := v.Append(nil, []byte(token), value[1:]); !bytes.Equal(again, payload) {
			t.Errorf("%s sealed again differs", token)
		}
		for name, open := range map[string]func() ([]byte, error){
			"another vault": func() ([]byte, error) { return other.Open(nil, []byte(token), payload) },
			"another token": func() ([]byte, error) { return v.Open(nil, []byte(email("x@y.de")), payload) },
			"a changed row": func() ([]byte, error) {
				return v.Open(nil, []byte(token), append(payload[:len(payload)-1:len(payload)-1], payload[len(payload)-1]^1))
			},
			"a short row": func() ([]byte, error) { return v.Open(nil, []byte(token), payload[:5]) },
		} {
			if got, err := open(); !errors.Is(err, ErrVault) || len(got) != 0 {
				t.Errorf("%s: %s, %v", name, got, err)
			}
		}
	}
	for _, s := range []string{"", "tok_", redacted, email("a@b.de") + "x", "x" + email("a@b.de")} {
		if typ, key, ok := IsToken([]byte(s)); ok {
			t.Errorf("%q is a token of %s, %s", s, typ, key)
		}
	}
}
