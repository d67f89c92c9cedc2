package ucum

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Unit is a unit that was read: a value v of it is factor*v + offset base units.
type Unit struct {
	text   string
	factor big.Rat
	offset *big.Rat // nil for none
	dims   dimensions
}

// String is the unit as it was written.
func (u *Unit) String() string { return u.text }

const (
	maxText     = 64 // bytes of a unit
	maxExponent = 12
	maxTen      = 30 // of 10*
)

// Parse reads a unit. "1" and the empty text are the number one.
func Parse(text string) (*Unit, error) {
	fail := func(format string, a ...any) (*Unit, error) {
		return nil, fmt.Errorf("reading unit %q: %w", text, fmt.Errorf(format, a...))
	}
	if len(text) > maxText {
		return fail("it has %d bytes, and %d are possible", len(text), maxText)
	}
	u := &Unit{text: text}
	u.factor.SetInt64(1)
	sign, parts, rest := 1, 0, text
	for rest != "" {
		if parts > 0 || rest[0] == '/' {
			switch rest[0] {
			case '/':
				sign = -1
			case '.':
				sign = 1
			default:
				return fail("%q cannot follow what stands before it", rest)
			}
			if rest = rest[1:]; rest == "" {
				return fail("it ends with an operator")
			}
		}
		n := componentEnd(rest)
		if err := u.times(rest[:n], sign); err != nil {
			return fail("%w", err)
		}
		rest = rest[n:]
		parts++
	}
	if u.offset != nil && parts > 1 {
		return fail("a scale with an offset stands alone")
	}
	return u, nil
}

// componentEnd is where the first component ends: brackets and braces hold anything.
func componentEnd(s string) int {
	closing := byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case closing != 0:
			if c == closing {
				closing = 0
			}
		case c == '[':
			closing = ']'
		case c == '{':
			closing = '}'
		case c == '.' || c == '/':
			return i
		}
	}
	return len(s)
}

// times multiplies by a component, or divides by it.
func (u *Unit) times(component string, sign int) error {
	if at := strings.IndexByte(component, '{'); at >= 0 {
		if !strings.HasSuffix(component, "}") {
			return fmt.Errorf("%q: an annotation ends its component", component)
		}
		if component = component[:at]; component == "" {
			return nil
		}
	}
	if power, ok := strings.CutPrefix(component, "10*"); ok || strings.HasPrefix(component, "10^") {
		if !ok {
			power = component[3:]
		}
		n, err := strconv.Atoi(power)
		if err != nil || n < -maxTen || n > maxTen {
			return fmt.Errorf("%q is no power of ten up to %d", component, maxTen)
		}
		u.multiply(big.NewRat(10, 1), n*sign)
		return nil
	}
	if n, err := strconv.ParseUint(component, 10, 31); err == nil {
		if n == 0 {
			return fmt.Errorf("zero is no factor of a unit")
		}
		u.multiply(new(big.Rat).SetInt64(int64(n)), sign)
		return nil
	}
	name, exponent, err := cutExponent(component)
	if err != nil {
		return err
	}
	prefix, a, ok := find(name)
	if !ok {
		return fmt.Errorf("%q is no unit that is known here", name)
	}
	factor := rat(a.factor)
	if prefix != "" {
		factor.Mul(factor, rat(prefix))
	}
	exponent *= sign
	if a.offset != "" {
		if exponent != 1 {
			return fmt.Errorf("%q is a scale with an offset, which has no powers", name)
		}
		u.offset = rat(a.offset)
	}
	u.multiply(factor, exponent)
	for i, d := range a.dims {
		sum := int(u.dims[i]) + int(d)*exponent
		if sum < -100 || sum > 100 {
			return fmt.Errorf("too many powers of a dimension")
		}
		u.dims[i] = int8(sum)
	}
	return nil
}

func (u *Unit) multiply(factor *big.Rat, exponent int) {
	if exponent < 0 {
		factor, exponent = new(big.Rat).Inv(factor), -exponent
	}
	for range exponent {
		u.factor.Mul(&u.factor, factor)
	}
}

// cutExponent takes a whole number from the end of a component.
func cutExponent(s string) (name string, exponent int, err error) {
	i := len(s)
	for i > 0 && s[i-1]-'0' <= 9 {
		i--
	}
	if i == len(s) {
		return s, 1, nil
	}
	if i > 0 && (s[i-1] == '-' || s[i-1] == '+') {
		i--
	}
	n, err := strconv.Atoi(s[i:])
	if err != nil || n == 0 || n < -maxExponent || n > maxExponent {
		return "", 0, fmt.Errorf("%q: an exponent is a whole number up to %d, and not 0", s, maxExponent)
	}
	return s[:i], n, nil
}

// find is the atom of a name, and its prefix as a factor.
func find(name string) (prefix string, a atom, ok bool) {
	if a, ok = atoms[name]; ok {
		return "", a, true
	}
	for n := 1; n <= 2 && n < len(name); n++ {
		p, known := prefixes[name[:n]]
		a, ok = atoms[name[n:]]
		if known && ok && a.metric && (name[n-1] != 'i' || a.dims[byteOf] != 0) {
			return p, a, true
		}
	}
	return "", atom{}, false
}
