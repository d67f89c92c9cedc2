package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"millrace/transforms/seal"
)

func sealer(t *testing.T, first byte) *seal.Sealer {
	t.Helper()
	s, err := seal.New([32]byte{first, 1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealedRecordOpensWithItsKeyAndOriginOnly(t *testing.T) {
	record, source := []byte("203.0.113.7 - alice"), [16]byte{9}
	s := sealer(t, 1)
	payload := s.Append(nil, record, source, 77)
	if bytes.Contains(payload, []byte("alice")) {
		t.Fatal("the payload shows the record")
	}
	got, err := s.Open(nil, payload, source, 77)
	if err != nil || !bytes.Equal(got, record) {
		t.Fatalf("Open = %q, %v", got, err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another position": func() ([]byte, error) { return s.Open(nil, payload, source, 78) },
		"another source":   func() ([]byte, error) { return s.Open(nil, payload, [16]byte{8}, 77) },
		"another key":      func() ([]byte, error) { return sealer(t, 2).Open(nil, payload, source, 77) },
		"a changed byte": func() ([]byte, error) {
			changed := bytes.Clone(payload)
			changed[len(changed)-1] ^= 1
			return s.Open(nil, changed, source, 77)
		},
		"a cut payload": func() ([]byte, error) { return s.Open(nil, payload[:5], source, 77) },
	} {
		if _, err := open(); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("%s: got %v, want ErrOpen", name, err)
		}
	}
}

func TestSealingIsDeterministicAndNoncesDiffer(t *testing.T) {
	a, b := sealer(t, 1), sealer(t, 1)
	one := a.Append(nil, []byte("one"), [16]byte{}, 1)
	if !bytes.Equal(one, b.Append(nil, []byte("one"), [16]byte{}, 1)) {
		t.Error("the same record sealed twice differs")
	}
	if two := a.Append(nil, []byte("two"), [16]byte{}, 1); bytes.Equal(one[:12], two[:12]) {
		t.Error("two records share a nonce")
	}
}
