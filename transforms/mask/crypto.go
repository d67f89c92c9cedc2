package mask

import (
	"bytes"
	"crypto/sha256"
	"math/big"
)

// cryptos finds Bitcoin addresses, whose check sums leave no room for chance.
func (s *scanner) cryptos(l *layer) {
	t := l.text
	for _, w := range s.words {
		b := t[w.start:w.end]
		if len(b) < 25 || len(b) > 90 {
			continue
		}
		if bounded(t, w.start, w.end) && (isBase58Address(b) || isBech32(b)) && !l.tokenIn(w.start, w.end) {
			s.add(l, Crypto, w.start, w.end)
		}
	}
}

const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// isBase58Address checks an address of the kinds that begin with 1 or 3: a
// version, 20 bytes of hash, 4 bytes of double SHA-256.
func isBase58Address(b []byte) bool {
	if len(b) > 35 || b[0] != '1' && b[0] != '3' {
		return false
	}
	n, radix := new(big.Int), big.NewInt(58)
	for _, c := range b {
		d := bytes.IndexByte([]byte(base58), c)
		if d < 0 {
			return false
		}
		n.Add(n.Mul(n, radix), big.NewInt(int64(d)))
	}
	if n.BitLen() > 25*8 {
		return false
	}
	var raw [25]byte
	n.FillBytes(raw[:])
	first := sha256.Sum256(raw[:21])
	second := sha256.Sum256(first[:])
	return (raw[0] == 0 || raw[0] == 5) && bytes.Equal(second[:4], raw[21:])
}

const bech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// isBech32 checks an address that begins with bc1 (BIP 173 and 350).
func isBech32(b []byte) bool {
	if !hasFold(b, "bc1") {
		return false
	}
	low := appendLower(nil, b)
	if !bytes.Equal(low, b) && !bytes.Equal(bytes.ToUpper(b), b) {
		return false
	}
	sum := uint32(1)
	step := func(v byte) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for _, v := range []byte{'b' >> 5, 'c' >> 5, 0, 'b' & 31, 'c' & 31} {
		step(v)
	}
	for _, c := range low[3:] {
		d := bytes.IndexByte([]byte(bech32), c)
		if d < 0 {
			return false
		}
		step(byte(d))
	}
	return sum == 1 || sum == 0x2bc830a3
}
