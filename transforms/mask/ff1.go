package mask

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
)

// FF1 is the format-preserving cipher of NIST SP 800-38G (Revision 1, second
// draft of February 2025, which leaves FF1 as the only one and asks for a domain
// of a million or more). Not for concurrent use.
type FF1 struct {
	block cipher.Block
	radix int
}

// minDomain is the least number of values that may be enciphered among
// themselves.
const minDomain = 1_000_000

// ErrDomain tells that a value is too short, or has other symbols than the
// cipher's: it has no cipher text.
var ErrDomain = errors.New("enciphering a value: it must have symbols of the alphabet only, and enough of them for a million values")

// NewFF1 makes a cipher over numerals 0 to radix-1 (2 to 36). The key has 16, 24
// or 32 bytes.
func NewFF1(key []byte, radix int) (*FF1, error) {
	if radix < 2 || radix > 36 {
		return nil, fmt.Errorf("making an FF1 cipher of radix %d: want 2 to 36", radix)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making an FF1 cipher: %w", err)
	}
	return &FF1{block, radix}, nil
}

// newCipher derives the cipher of digits that belongs to a masking key.
func newCipher(keyID string, key [32]byte) *FF1 {
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("pii\x00ff1\x00" + keyID))
	f, err := NewFF1(mac.Sum(nil), 10)
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	return f
}

func symbol(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case isLower(c):
		return int(c-'a') + 10
	}
	return 99
}

// Encrypt appends the cipher text of a numeral string in 0-9 a-z to dst.
func (f *FF1) Encrypt(dst, text, tweak []byte) ([]byte, error) { return f.run(dst, text, tweak, false) }

// Decrypt appends the plain text of what Encrypt made under the same tweak.
func (f *FF1) Decrypt(dst, text, tweak []byte) ([]byte, error) { return f.run(dst, text, tweak, true) }

// maxNumerals bounds a value: longer ones are no identifiers.
const maxNumerals = 256

func (f *FF1) run(dst, text, tweak []byte, back bool) ([]byte, error) {
	n := len(text)
	if n > maxNumerals || !f.covers(n) {
		return dst, ErrDomain
	}
	for _, c := range text {
		if symbol(c) >= f.radix {
			return dst, ErrDomain
		}
	}
	u := n / 2
	v := n - u
	radix := big.NewInt(int64(f.radix))
	powU := new(big.Int).Exp(radix, big.NewInt(int64(u)), nil)
	powV := new(big.Int).Exp(radix, big.NewInt(int64(v)), nil)
	width := (new(big.Int).Sub(powV, big.NewInt(1)).BitLen() + 7) / 8
	d := 4*((width+3)/4) + 4

	head := []byte{1, 2, 1, 0, 0, 0, 10, byte(u), 0, 0, 0, 0, 0, 0, 0, 0}
	head[4], head[5] = byte(f.radix>>8), byte(f.radix)
	binary.BigEndian.PutUint32(head[8:], uint32(n))
	binary.BigEndian.PutUint32(head[12:], uint32(len(tweak)))
	pad := (16 - (len(tweak)+width+1)%16) % 16
	q := make([]byte, len(tweak)+pad+1+width)
	copy(q, tweak)

	a, _ := new(big.Int).SetString(string(text[:u]), f.radix)
	b, _ := new(big.Int).SetString(string(text[u:]), f.radix)
	y := new(big.Int)
	for r := range 10 {
		i, fed := r, b
		if back {
			i, fed = 9-r, a
		}
		q[len(tweak)+pad] = byte(i)
		fed.FillBytes(q[len(q)-width:])
		y.SetBytes(f.mac(head, q, d))
		mod := powU
		if i%2 == 1 {
			mod = powV
		}
		if back {
			c := new(big.Int).Mod(y.Sub(b, y), mod)
			a, b = c, a
		} else {
			c := new(big.Int).Mod(y.Add(a, y), mod)
			a, b = b, c
		}
	}
	dst = f.appendNumerals(dst, a, u)
	return f.appendNumerals(dst, b, v), nil
}

// covers tells whether n numerals have enough values.
func (f *FF1) covers(n int) bool {
	values := 1
	for range n {
		if values *= f.radix; values >= minDomain {
			return n >= 2
		}
	}
	return false
}

// mac returns the first d bytes of the pseudo-random stream of one round.
func (f *FF1) mac(head, q []byte, d int) []byte {
	var x [16]byte
	f.block.Encrypt(x[:], head)
	for i := 0; i < len(q); i += 16 {
		for j := range x {
			x[j] ^= q[i+j]
		}
		f.block.Encrypt(x[:], x[:])
	}
	out := append(make([]byte, 0, d+16), x[:]...)
	for j := uint64(1); len(out) < d; j++ {
		z := x
		binary.BigEndian.PutUint64(z[8:], binary.BigEndian.Uint64(z[8:])^j)
		f.block.Encrypt(z[:], z[:])
		out = append(out, z[:]...)
	}
	return out[:d]
}

func (f *FF1) appendNumerals(dst []byte, x *big.Int, n int) []byte {
	s := x.Text(f.radix)
	for range n - len(s) {
		dst = append(dst, '0')
	}
	return append(dst, s...)
}

// kept are the digits of a card number that stay: the first six, or fewer where
// that leaves less than six to encipher, and the last four.
func kept(n int) (head, tail int) { return min(6, n-10), 4 }

// AppendPAN appends a card number with its middle enciphered, under its kept
// digits as tweak. The result never passes Luhn, so no one takes it for a card,
// and no two cards get the same: the cipher is walked among the numbers that do
// pass, and then the last digit of the middle is moved up by one.
func (f *FF1) AppendPAN(dst, pan []byte) ([]byte, error) {
	if len(pan) < minPAN || len(pan) > maxPAN || !Luhn(pan) {
		return dst, ErrDomain
	}
	return f.walk(dst, pan, f.Encrypt, 0, 1)
}

// RevealPAN appends the card number that AppendPAN enciphered.
func (f *FF1) RevealPAN(dst, masked []byte) ([]byte, error) {
	if len(masked) < minPAN || len(masked) > maxPAN {
		return dst, ErrDomain
	}
	return f.walk(dst, masked, f.Decrypt, 9, 0)
}

// walk applies step to the middle of a number until the whole passes Luhn,
// moving the middle's last digit before and after.
func (f *FF1) walk(dst, number []byte, step func(dst, text, tweak []byte) ([]byte, error), before, after byte) ([]byte, error) {
	head, tail := kept(len(number))
	out := append([]byte(nil), number...)
	middle := out[head : len(out)-tail]
	last := &middle[len(middle)-1]
	tweak := append(append([]byte(nil), out[:head]...), out[len(out)-tail:]...)
	for _, c := range out {
		if !isDigit(c) {
			return dst, ErrDomain
		}
	}
	*last = '0' + (*last-'0'+before)%10
	if !Luhn(out) {
		return dst, ErrDomain
	}
	for first := true; first || !Luhn(out); first = false {
		if _, err := step(middle[:0], append([]byte(nil), middle...), tweak); err != nil {
			return dst, err
		}
	}
	*last = '0' + (*last-'0'+after)%10
	return append(dst, out...), nil
}
