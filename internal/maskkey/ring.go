// Package maskkey finds the keys with which personal data is masked.
//
// Keys are named by reference (file:///path, env://NAME) and resolved where
// they are used; the keys themselves never appear in a configuration, a lake, a
// log or an error. What may be shown of a key is its id and its check value.
package maskkey

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Size is the length of a key in bytes.
const Size = 32

// Key is one masking key. It prints as its id and check value.
//
// The secret sits in a closure because fmt ignores the methods of a value in an
// unexported field and prints what it sees by reflection: here an address.
type Key struct {
	id     string
	secret func() [Size]byte
}

// New makes a key. The id is 1 to 16 lower-case letters and digits; it is
// written into every token.
func New(id string, secret [Size]byte) (Key, error) {
	if !validID(id) {
		return Key{}, errors.New("key id: want 1 to 16 of a-z and 0-9")
	}
	if secret == [Size]byte{} {
		return Key{}, errors.New("key is all zero")
	}
	return Key{id: id, secret: func() [Size]byte { return secret }}, nil
}

// ID is the name of the key inside tokens.
func (k Key) ID() string { return k.id }

// Secret returns the key itself.
func (k Key) Secret() [Size]byte {
	if k.secret == nil {
		return [Size]byte{}
	}
	return k.secret()
}

// Check returns a value by which a key can be recognised and which does not
// reveal it: the first 8 bytes of HMAC-SHA256(key, "millrace key check") as 16
// hexadecimal digits. A lake keeps it to notice a different key of equal id.
func (k Key) Check() string { return checkValue(k.Secret()) }

func checkValue(secret [Size]byte) string {
	mac := hmac.New(sha256.New, secret[:])
	_, _ = io.WriteString(mac, "millrace key check")
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// String shows id and check value.
func (k Key) String() string {
	if k.secret == nil {
		return "no key"
	}
	return "key " + k.id + " (check " + k.Check() + ")"
}

// Format shows id and check value under every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue shows id and check value.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON writes id and check value.
func (k Key) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"id": k.id, "check": k.Check()})
}

// GobEncode fails: a key does not travel, its reference does.
func (k Key) GobEncode() ([]byte, error) { return nil, errKeyTravels }

// GobDecode fails likewise.
func (k *Key) GobDecode([]byte) error { return errKeyTravels }

var errKeyTravels = errors.New("encoding a mask key: pass its reference instead")

// Ring is the key in use and, after a rotation, the older ones that tokens
// already written were made with. It prints as ids and check values.
type Ring struct {
	active   Key
	older    []Key
	warnings []string
}

// NewRing makes a ring; ids must differ.
func NewRing(active Key, older ...Key) (Ring, error) {
	seen := map[string]bool{}
	for _, k := range append([]Key{active}, older...) {
		if k.secret == nil {
			return Ring{}, errors.New("a ring needs its keys made by New")
		}
		if seen[k.id] {
			return Ring{}, fmt.Errorf("key id %s appears twice", k.id)
		}
		seen[k.id] = true
	}
	return Ring{active: active, older: older}, nil
}

// Active is the key that makes tokens.
func (r Ring) Active() Key { return r.active }

// Older are the keys kept to join with tokens of before a rotation.
func (r Ring) Older() []Key { return r.older }

// Lookup returns the key of that id.
func (r Ring) Lookup(id string) (Key, bool) {
	for _, k := range append([]Key{r.active}, r.older...) {
		if k.secret != nil && k.id == id {
			return k, true
		}
	}
	return Key{}, false
}

// Warnings are remarks about how the keys are kept, for the person who runs.
func (r Ring) Warnings() []string { return r.warnings }

// String shows ids and check values.
func (r Ring) String() string {
	parts := []string{r.active.String()}
	for _, k := range r.older {
		parts = append(parts, "older "+k.String())
	}
	return strings.Join(parts, ", ")
}

// Format shows ids and check values under every verb.
func (r Ring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue shows ids and check values.
func (r Ring) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalJSON writes ids and check values.
func (r Ring) MarshalJSON() ([]byte, error) {
	return json.Marshal(append([]Key{r.active}, r.older...))
}

// GobEncode fails: a key does not travel, its reference does.
func (r Ring) GobEncode() ([]byte, error) { return nil, errKeyTravels }

// GobDecode fails likewise.
func (r *Ring) GobDecode([]byte) error { return errKeyTravels }

func validID(id string) bool {
	if len(id) < 1 || len(id) > 16 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
