package mask

import (
	"crypto/sha256"
	"encoding"
	"encoding/base32"
	"hash"
)

// Tokens are
//
//	"tok_" type "_" key id "_" base32(HMAC-SHA256(key, "pii" 00 type 00 value)[:20])
//
// with base32 in lower case and without padding: 160 bits in 32 characters.
const (
	tokenHead  = "tok_"
	codeLen    = 32 // characters of base32 at the end of a token
	codeBytes  = 20 // bytes of the HMAC in them
	maxTypeLen = 16
	maxKeyID   = 16
)

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// code is the keyed part of a token.
type code [codeLen]byte

// Tokenizer makes tokens with one key. Not for concurrent use.
//
// It computes HMAC (RFC 2104) from the two SHA-256 states after the key's inner
// and outer block, which are the same for every value: two compressions a
// short value instead of four, and no allocation.
type Tokenizer struct {
	keyID        string
	inner, outer []byte
	h            hash.Hash
	state        encoding.BinaryUnmarshaler // h
	buf, sum     []byte
}

// NewTokenizer returns a Tokenizer; keyID is 1 to 16 of a-z and 0-9.
func NewTokenizer(keyID string, key [32]byte) *Tokenizer {
	t := &Tokenizer{keyID: keyID, h: sha256.New(), sum: make([]byte, 0, sha256.Size)}
	t.state = t.h.(encoding.BinaryUnmarshaler)
	t.inner, t.outer = padState(key, 0x36), padState(key, 0x5c)
	return t
}

// padState returns the state of SHA-256 after the key's block XOR pad.
func padState(key [32]byte, pad byte) []byte {
	var block [sha256.BlockSize]byte
	copy(block[:], key[:])
	for i := range block {
		block[i] ^= pad
	}
	h := sha256.New()
	h.Write(block[:])
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic(err) // documented never to happen
	}
	return state
}

// Append appends the token of a value to dst. The value must be normalised
// already (AppendEmail, AppendDigits); typ is 1 to 16 of a-z.
func (t *Tokenizer) Append(dst []byte, typ string, normalised []byte) []byte {
	c := t.code(typ, normalised)
	return t.appendCode(dst, typ, &c)
}

func (t *Tokenizer) appendCode(dst []byte, typ string, c *code) []byte {
	dst = append(dst, tokenHead...)
	dst = append(dst, typ...)
	dst = append(dst, '_')
	dst = append(dst, t.keyID...)
	dst = append(dst, '_')
	return append(dst, c[:]...)
}

func (t *Tokenizer) code(typ string, normalised []byte) (c code) {
	t.buf = append(append(append(append(t.buf[:0], "pii\x00"...), typ...), 0), normalised...)
	t.restore(t.inner)
	t.h.Write(t.buf)
	t.sum = t.h.Sum(t.sum[:0])
	t.restore(t.outer)
	t.h.Write(t.sum)
	t.sum = t.h.Sum(t.sum[:0])
	lowerBase32.Encode(c[:], t.sum[:codeBytes])
	return c
}

func (t *Tokenizer) restore(state []byte) {
	if err := t.state.UnmarshalBinary(state); err != nil {
		panic(err) // the state comes from the same package
	}
}

// Token returns the token of one normalised value.
func Token(keyID string, key [32]byte, typ string, normalised []byte) string {
	return string(NewTokenizer(keyID, key).Append(nil, typ, normalised))
}

// tokenEnd returns where the token that begins at text[i] ends, or -1.
func tokenEnd(text []byte, i int) int {
	if len(text)-i < len(tokenHead) || string(text[i:i+len(tokenHead)]) != tokenHead {
		return -1
	}
	j := i + len(tokenHead)
	n := j
	for n < len(text) && n-j <= maxTypeLen && text[n] >= 'a' && text[n] <= 'z' {
		n++
	}
	if n == j || n-j > maxTypeLen || n == len(text) || text[n] != '_' {
		return -1
	}
	j = n + 1
	for n = j; n < len(text) && n-j <= maxKeyID && (isLower(text[n]) || isDigit(text[n])); {
		n++
	}
	if n == j || n-j > maxKeyID || n == len(text) || text[n] != '_' {
		return -1
	}
	j = n + 1
	if len(text)-j < codeLen {
		return -1
	}
	for _, c := range text[j : j+codeLen] {
		if !isLower(c) && (c < '2' || c > '7') {
			return -1
		}
	}
	return j + codeLen
}
