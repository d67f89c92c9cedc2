// Package seal encrypts what must be kept but not read: the raw archive.
//
// AES-256-GCM under a key derived from the masking key. The nonce is synthetic, a
// keyed hash of origin and content, so that sealing the same record again gives
// the same bytes and two different records never share one (the construction of
// SIV, RFC 5297, with HMAC-SHA256 in place of S2V). The origin is authenticated
// with the record: a payload moved to another row does not open.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
)

// Sealer seals and opens records under one masking key. It reuses its memory and
// is not for concurrent use.
type Sealer struct {
	aead  cipher.AEAD
	nonce hash.Hash
	sum   []byte
}

// New derives the sealing keys from a masking key.
func New(key [32]byte) (*Sealer, error) {
	block, err := aes.NewCipher(derive(key, "millrace raw archive encryption 1"))
	if err != nil {
		return nil, fmt.Errorf("making the sealing key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("making the sealing key: %w", err)
	}
	return &Sealer{aead: aead, nonce: hmac.New(sha256.New, derive(key, "millrace raw archive nonce 1"))}, nil
}

func derive(key [32]byte, purpose string) []byte {
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// Append seals record and appends nonce and ciphertext to dst, which must not
// overlap it. source and position are the record's origin.
func (s *Sealer) Append(dst, record []byte, source [16]byte, position int64) []byte {
	origin := originOf(source, position)
	s.nonce.Reset()
	s.nonce.Write(origin[:])
	s.nonce.Write(record)
	s.sum = s.nonce.Sum(s.sum[:0])
	nonce := s.sum[:s.aead.NonceSize()]
	dst = append(dst, nonce...)
	return s.aead.Seal(dst, nonce, record, origin[:])
}

// ErrOpen is returned for a payload that this key or this origin did not seal.
var ErrOpen = errors.New("payload does not open: it was sealed with another key, belongs to another record, or was changed")

// Open appends the record that Append sealed to dst.
func (s *Sealer) Open(dst, payload []byte, source [16]byte, position int64) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(payload) < n {
		return dst, ErrOpen
	}
	origin := originOf(source, position)
	out, err := s.aead.Open(dst, payload[:n], payload[n:], origin[:])
	if err != nil {
		return dst, ErrOpen
	}
	return out, nil
}

func originOf(source [16]byte, position int64) (origin [24]byte) {
	copy(origin[:], source[:])
	binary.BigEndian.PutUint64(origin[16:], uint64(position))
	return origin
}
