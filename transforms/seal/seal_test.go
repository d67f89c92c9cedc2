package seal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
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
	for _, sequence := range []string{"", "0000000042"} {
		t.Run("sequence "+sequence, func(t *testing.T) { opensOnlyAsItWasSealed(t, sequence) })
	}
}

func opensOnlyAsItWasSealed(t *testing.T, sequence string) {
	record, source := []byte("203.0.113.7 - alice"), [16]byte{9}
	s := sealer(t, 1)
	payload := s.Append(nil, record, source, sequence, 77)
	if bytes.Contains(payload, []byte("alice")) {
		t.Fatal("the payload shows the record")
	}
	got, err := s.Open(nil, payload, source, sequence, 77)
	if err != nil || !bytes.Equal(got, record) {
		t.Fatalf("Open = %q, %v", got, err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another position":      func() ([]byte, error) { return s.Open(nil, payload, source, sequence, 78) },
		"another source":        func() ([]byte, error) { return s.Open(nil, payload, [16]byte{8}, sequence, 77) },
		"another stream record": func() ([]byte, error) { return s.Open(nil, payload, source, sequence+"1", 77) },
		"another key":           func() ([]byte, error) { return sealer(t, 2).Open(nil, payload, source, sequence, 77) },
		"a changed byte": func() ([]byte, error) {
			changed := bytes.Clone(payload)
			changed[len(changed)-1] ^= 1
			return s.Open(nil, changed, source, sequence, 77)
		},
		"a cut payload": func() ([]byte, error) { return s.Open(nil, payload[:5], source, sequence, 77) },
	} {
		if _, err := open(); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("%s: got %v, want ErrOpen", name, err)
		}
	}
}

// TestPayloadsOfFilesNeverChange: archives hold them. The bytes were made by the
// first version of this package.
func TestPayloadsOfFilesNeverChange(t *testing.T) {
	got := hex.EncodeToString(sealer(t, 1).Append(nil, []byte("203.0.113.7 - alice"), [16]byte{9}, "", 77))
	if want := "ae9dd68886b01ac0dbdf42113eb88292489d5ae22ec0b68cbaede993e441bcf0c72c58afc5d780f2cd8c49d32c8222"; got != want {
		t.Errorf("sealed as %s, want %s", got, want)
	}
}

func TestSealingIsDeterministicAndNoncesDiffer(t *testing.T) {
	a, b := sealer(t, 1), sealer(t, 1)
	one := a.Append(nil, []byte("one"), [16]byte{}, "", 1)
	if !bytes.Equal(one, b.Append(nil, []byte("one"), [16]byte{}, "", 1)) {
		t.Error("the same record sealed twice differs")
	}
	zeros := string(make([]byte, 8))
	nonces := map[string]string{}
	for name, payload := range map[string][]byte{
		"one":                      one,
		"another record":           a.Append(nil, []byte("two"), [16]byte{}, "", 1),
		"a stream's":               a.Append(nil, []byte("one"), [16]byte{}, "1", 1),
		"of the next number":       a.Append(nil, []byte("one"), [16]byte{}, "2", 1),
		"of a longer number":       a.Append(nil, []byte("one"), [16]byte{}, "1"+zeros, 1),
		"the same bytes elsewhere": a.Append(nil, []byte("\x00\x00\x00\x00\x00\x00\x00\x01one"), [16]byte{}, "1", 0),
		"the same bytes of a file": a.Append(nil, []byte("\x01one"), [16]byte{}, "", '1'<<56),
	} {
		if other, taken := nonces[string(payload[:12])]; taken {
			t.Errorf("%s and %s share a nonce", name, other)
		}
		nonces[string(payload[:12])] = name
	}
}

func BenchmarkAppend(b *testing.B) {
	s, err := seal.New([32]byte{1})
	if err != nil {
		b.Fatal(err)
	}
	line := bytes.Repeat([]byte("x"), 200)
	for name, sequence := range map[string]string{"file": "", "stream": strings.Repeat("7", 56)} {
		b.Run(name, func(b *testing.B) {
			var payload []byte
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				payload = s.Append(payload[:0], line, [16]byte{9}, sequence, 77)
			}
		})
	}
}
