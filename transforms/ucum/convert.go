package ucum

import (
	"fmt"
	"math/big"
	"strconv"
)

// Conversion turns values of one unit into values of another.
type Conversion struct {
	factor, offset big.Rat
	same           bool // nothing to do
}

// NewConversion is how values of from become values of to; an error when they measure
// different things.
func NewConversion(from, to *Unit) (*Conversion, error) {
	if from.dims != to.dims {
		return nil, fmt.Errorf("converting %q to %q: they measure different things", from.text, to.text)
	}
	c := &Conversion{}
	c.factor.Quo(&from.factor, &to.factor)
	if from.offset != nil {
		c.offset.Set(from.offset)
	}
	if to.offset != nil {
		c.offset.Sub(&c.offset, to.offset)
	}
	c.offset.Quo(&c.offset, &to.factor)
	c.same = c.factor.Cmp(big.NewRat(1, 1)) == 0 && c.offset.Sign() == 0
	return c, nil
}

// maxDigits bounds the text of a number: an exponent of thousands of digits would cost
// as much memory.
const (
	maxDigits = 64
	maxPower  = 300
)

// Number reads a decimal number, with a fraction and a power of ten if need be, as the
// nearest float64. Neither hexadecimal nor underscores nor infinities are numbers.
func Number(text []byte) (float64, bool) {
	if !decimal(text) {
		return 0, false
	}
	v, err := strconv.ParseFloat(string(text), 64)
	return v, err == nil
}

// Convert reads a decimal number and gives the float64 that is nearest to its exact
// value in the other unit.
func (c *Conversion) Convert(text []byte) (float64, bool) {
	if c.same {
		return Number(text)
	}
	if !decimal(text) {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(string(text))
	if !ok {
		return 0, false
	}
	r.Mul(r, &c.factor)
	r.Add(r, &c.offset)
	v, _ := r.Float64()
	return v, v-v == 0 // not beyond all numbers
}

// decimal tells whether text is -?digits[.digits][e[+-]digits], within bounds.
func decimal(text []byte) bool {
	if len(text) == 0 || len(text) > maxDigits {
		return false
	}
	i := 0
	if text[0] == '-' || text[0] == '+' {
		i++
	}
	digits := func() (n int) {
		for i < len(text) && text[i]-'0' <= 9 {
			i++
			n++
		}
		return n
	}
	n := digits()
	if i < len(text) && text[i] == '.' {
		i++
		n += digits()
	}
	if n == 0 {
		return false
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		from := i + 1
		if i++; i < len(text) && (text[i] == '-' || text[i] == '+') {
			i++
		}
		if digits() == 0 {
			return false
		}
		power, err := strconv.Atoi(string(text[from:]))
		if err != nil || power < -maxPower || power > maxPower {
			return false
		}
	}
	return i == len(text)
}
