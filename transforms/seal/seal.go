// Package seal encrypts what must be kept but not read: the raw archive.
//
// AES-256-GCM under a key derived from the masking key. The nonce is synthetic, a
// keyed hash of origin and content, so that sealing the same record again gives
// the same bytes and two different records never share one (the construction of
// SIV, RFC 5297, with HMAC-SHA256 in place of S2V). The origin is authenticated
// with the record: a payload moved to another row does not open.
//
// Nonces of stream records are made under a key of their own. What the hash is
// given of a file's record has no sequence number, so the two could coincide
// under one key, and a nonce must never serve two records.
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
	aead          cipher.AEAD
	files, stream hash.Hash // give the nonces
	origin, sum   []byte
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
	return &Sealer{
		aead:   aead,
		files:  hmac.New(sha256.New, derive(key, "millrace raw archive nonce 1")),
		stream: hmac.New(sha256.New, derive(key, "millrace raw archive nonce of stream records 1")),
	}, nil
}

func derive(key [32]byte, purpose string) []byte {
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// Append seals record and appends nonce and ciphertext to dst, which must not
// overlap it. source, sequence (empty for a file) and position are the record's
// origin.
func (s *Sealer) Append(dst, record []byte, source [16]byte, sequence string, position int64) []byte {
	s.originOf(source, sequence, position)
	nonce := s.nonceOf(sequence, record)
	dst = append(dst, nonce...)
	return s.aead.Seal(dst, nonce, record, s.origin)
}

// nonceOf hashes the origin and the record. The number of a stream record varies
// in length, so that comes first.
func (s *Sealer) nonceOf(sequence string, record []byte) []byte {
	h := s.files
	if sequence != "" {
		h = s.stream
	}
	h.Reset()
	if sequence != "" {
		s.sum = binary.BigEndian.AppendUint64(s.sum[:0], uint64(len(sequence)))
		h.Write(s.sum)
	}
	h.Write(s.origin)
	h.Write(record)
	s.sum = h.Sum(s.sum[:0])
	return s.sum[:s.aead.NonceSize()]
}

// ErrOpen is returned for a payload that this key or this origin did not seal.
var ErrOpen = errors.New("payload does not open: it was sealed with another key, belongs to another record, or was changed")

// Open appends the record that Append sealed to dst.
func (s *Sealer) Open(dst, payload []byte, source [16]byte, sequence string, position int64) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(payload) < n {
		return dst, ErrOpen
	}
	s.originOf(source, sequence, position)
	out, err := s.aead.Open(dst, payload[:n], payload[n:], s.origin)
	if err != nil {
		return dst, ErrOpen
	}
	return out, nil
}

// originOf writes the bytes that are authenticated with a record. What has a
// fixed length stands at both ends.
func (s *Sealer) originOf(source [16]byte, sequence string, position int64) {
	s.origin = append(append(s.origin[:0], source[:]...), sequence...)
	s.origin = binary.BigEndian.AppendUint64(s.origin, uint64(position))
}
