package mask

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
)

// Vault seals what tokens stand for, in rows that are written beside them and that
// only the vault's role may read. Its key is not the masking key: who makes tokens
// cannot take them back.
//
// AES-256-GCM with a synthetic nonce, as in package seal: the same token and value
// give the same bytes, so that a replay overwrites its row. The token is
// authenticated with the value: a payload moved to another token does not open.
// To forget a person, delete the row, or the key of the dataset with all its rows.
type Vault struct {
	aead  cipher.AEAD
	nonce hash.Hash
	sum   []byte
}

// NewVault derives a vault's keys from its own key.
func NewVault(key [32]byte) (*Vault, error) {
	derive := func(purpose string) []byte {
		mac := hmac.New(sha256.New, key[:])
		mac.Write([]byte(purpose))
		return mac.Sum(nil)
	}
	block, err := aes.NewCipher(derive("millrace vault encryption 1"))
	if err != nil {
		return nil, fmt.Errorf("making the vault's key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("making the vault's key: %w", err)
	}
	return &Vault{aead: aead, nonce: hmac.New(sha256.New, derive("millrace vault nonce 1"))}, nil
}

// Append seals the value of a token and appends nonce and ciphertext to dst.
func (v *Vault) Append(dst, token, value []byte) []byte {
	v.nonce.Reset()
	v.nonce.Write(token)
	v.nonce.Write([]byte{0}) // tokens have none
	v.nonce.Write(value)
	v.sum = v.nonce.Sum(v.sum[:0])
	nonce := v.sum[:v.aead.NonceSize()]
	return v.aead.Seal(append(dst, nonce...), nonce, value, token)
}

// ErrVault tells that a payload is not this vault's for this token.
var ErrVault = errors.New("the vault's row does not open: it was sealed with another key, belongs to another token, or was changed")

// Open appends the value that Append sealed for a token.
func (v *Vault) Open(dst, token, payload []byte) ([]byte, error) {
	n := v.aead.NonceSize()
	if len(payload) < n {
		return dst, ErrVault
	}
	out, err := v.aead.Open(dst, payload[:n], payload[n:], token)
	if err != nil {
		return dst, ErrVault
	}
	return out, nil
}

// IsToken tells whether a text is a token, and of which type and key.
func IsToken(text []byte) (typ, keyID string, ok bool) {
	if len(text) == 0 || tokenEnd(text, 0) != len(text) {
		return "", "", false
	}
	rest := text[len(tokenHead) : len(text)-codeLen-1]
	for i, c := range rest {
		if c == '_' {
			return string(rest[:i]), string(rest[i+1:]), true
		}
	}
	return "", "", false
}
