package mask

import (
	"bytes"
	"net/netip"

	"millrace/schemas/pii"
)

// Method is what masking does to a value.
type Method string

// The methods.
const (
	Drop       Method = "drop"       // nothing is left; in free text as Redact
	Redact     Method = "redact"     // the word REDACTED
	Tokenise   Method = "token"      // a keyed token: equal values stay equal
	FPE        Method = "fpe"        // FF1: as long as the value, reversible by the key's holder
	Truncate   Method = "truncate"   // the network of an address
	Generalise Method = "generalise" // zip3, age band, day: see Class
	Keep       Method = "keep"       // as it is, unscanned
	Scan       Method = "scan"       // free text: findings replaced, each by its own method
)

var allMethods = []Method{Drop, Redact, Tokenise, FPE, Truncate, Generalise, Keep, Scan}

// Methods lists the methods.
func Methods() []Method { return append([]Method(nil), allMethods...) }

// DefaultMethod is what becomes of findings of a type unless Options say
// otherwise: credentials are redacted, addresses truncated, the rest tokens.
func DefaultMethod(t Type) Method {
	switch {
	case t.secret():
		return Redact
	case t == IP:
		return Truncate
	}
	return Tokenise
}

// findingMethods are the methods that a finding in a free text may have.
func findingMethod(t Type, m Method) bool {
	switch m {
	case Redact, Drop, Keep:
		return true
	case Tokenise:
		return !t.secret()
	case FPE:
		return t == Card
	case Truncate:
		return t == IP
	default:
		return false
	}
}

// appendFinding appends what replaces a finding.
func (m *Masker) appendFinding(dst []byte, t Type, value []byte) []byte {
	switch m.methods[t.rank()] {
	case Tokenise:
		m.scratch = appendNormal(m.scratch[:0], t, value, m.region)
		return m.appendToken(dst, t.TokenName(), m.scratch)
	case FPE:
		m.scratch = AppendDigits(m.scratch[:0], value)
		if out, err := m.fpe().AppendPAN(dst, m.scratch); err == nil {
			return out
		}
	case Truncate:
		if out, ok := AppendTruncated(dst, pii.Of(value)); ok {
			return out
		}
	default: // Redact and Drop
	}
	return append(dst, redacted...)
}

// appendNormal appends the normal form of a value, which its token stands for.
// Normal forms are part of the contract: a change makes other tokens.
func appendNormal(dst []byte, t Type, value []byte, region string) []byte {
	switch t {
	case Email:
		return AppendEmail(dst, value)
	case Card:
		return AppendDigits(dst, value)
	case Phone:
		return AppendPhone(dst, value, region)
	case IP:
		if a, err := netip.ParseAddr(string(bytes.TrimSpace(value))); err == nil {
			return a.Unmap().WithZone("").AppendTo(dst)
		}
		return appendLower(dst, bytes.TrimSpace(value))
	case Crypto: // case counts
		return append(dst, bytes.TrimSpace(value)...)
	default:
	}
	for _, c := range value { // numbers and letters, in upper case
		if isAlnum(c) {
			if isLower(c) {
				c &^= 0x20
			}
			dst = append(dst, c)
		}
	}
	return dst
}
