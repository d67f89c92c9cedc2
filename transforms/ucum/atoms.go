package ucum

import "math/big"

// Dimensions that units are made of.
const (
	metre = iota
	gram
	second
	kelvin
	coulomb
	candela
	mole
	byteOf
	degree
	equivalent
	internationalUnit
	acidity
	numDimensions
)

type dimensions [numDimensions]int8

// atom is a unit that cannot be taken apart: factor times its dimensions, and for a
// scale offset more.
type atom struct {
	factor string // a rational number, as big.Rat reads it
	offset string // in base units, of a scale; empty for none
	metric bool   // takes prefixes
	dims   dimensions
}

func dims(pairs ...int) (d dimensions) {
	for i := 0; i < len(pairs); i += 2 {
		d[pairs[i]] = int8(pairs[i+1])
	}
	return d
}

// prefixes of metric atoms.
var prefixes = map[string]string{
	"T": "1000000000000", "G": "1000000000", "M": "1000000", "k": "1000", "h": "100", "da": "10",
	"d": "1/10", "c": "1/100", "m": "1/1000", "u": "1/1000000", "n": "1/1000000000", "p": "1/1000000000000", "f": "1/1000000000000000",
	"Ki": "1024", "Mi": "1048576", "Gi": "1073741824", "Ti": "1099511627776",
}

var (
	force    = dims(gram, 1, metre, 1, second, -2)
	pressure = dims(gram, 1, metre, -1, second, -2)
	energy   = dims(gram, 1, metre, 2, second, -2)
	power    = dims(gram, 1, metre, 2, second, -3)
	voltage  = dims(gram, 1, metre, 2, second, -2, coulomb, -1)
)

// atoms by their case sensitive code; factors as in UCUM's table.
var atoms = map[string]atom{
	"m": {factor: "1", metric: true, dims: dims(metre, 1)}, "g": {factor: "1", metric: true, dims: dims(gram, 1)},
	"s": {factor: "1", metric: true, dims: dims(second, 1)}, "K": {factor: "1", metric: true, dims: dims(kelvin, 1)},
	"C": {factor: "1", metric: true, dims: dims(coulomb, 1)}, "cd": {factor: "1", metric: true, dims: dims(candela, 1)},
	"mol": {factor: "1", metric: true, dims: dims(mole, 1)}, "eq": {factor: "1", metric: true, dims: dims(equivalent, 1)},
	"By": {factor: "1", metric: true, dims: dims(byteOf, 1)}, "bit": {factor: "1/8", metric: true, dims: dims(byteOf, 1)},
	"deg": {factor: "1", dims: dims(degree, 1)}, "[iU]": {factor: "1", metric: true, dims: dims(internationalUnit, 1)}, "[pH]": {factor: "1", dims: dims(acidity, 1)},

	"%": {factor: "1/100"}, "[ppth]": {factor: "1/1000"}, "[ppm]": {factor: "1/1000000"}, "[ppb]": {factor: "1/1000000000"},

	"min": {factor: "60", dims: dims(second, 1)}, "h": {factor: "3600", dims: dims(second, 1)},
	"d": {factor: "86400", dims: dims(second, 1)}, "wk": {factor: "604800", dims: dims(second, 1)}, "Hz": {factor: "1", metric: true, dims: dims(second, -1)},

	"L": {factor: "1/1000", metric: true, dims: dims(metre, 3)}, "l": {factor: "1/1000", metric: true, dims: dims(metre, 3)},
	"[in_i]": {factor: "0.0254", dims: dims(metre, 1)}, "[ft_i]": {factor: "0.3048", dims: dims(metre, 1)},
	"[mi_i]": {factor: "1609.344", dims: dims(metre, 1)}, "[gal_us]": {factor: "0.003785411784", dims: dims(metre, 3)},
	"[lb_av]": {factor: "453.59237", dims: dims(gram, 1)}, "[oz_av]": {factor: "28.349523125", dims: dims(gram, 1)}, "t": {factor: "1000000", metric: true, dims: dims(gram, 1)},

	"N": {factor: "1000", metric: true, dims: force}, "J": {factor: "1000", metric: true, dims: energy}, "W": {factor: "1000", metric: true, dims: power},
	"Pa": {factor: "1000", metric: true, dims: pressure}, "bar": {factor: "100000000", metric: true, dims: pressure}, "atm": {factor: "101325000", dims: pressure},
	"m[Hg]": {factor: "133322000", metric: true, dims: pressure}, "m[H2O]": {factor: "9806650", metric: true, dims: pressure},
	"[psi]": {factor: "4448221615260500/645160000", dims: pressure}, // 0.45359237 kg * 9.80665 m/s2 on a square inch of 0.00064516 m2
	"cal":   {factor: "4184", metric: true, dims: energy}, "[HP]": {factor: "745699.87158227022", dims: power},

	"A": {factor: "1", metric: true, dims: dims(coulomb, 1, second, -1)}, "V": {factor: "1000", metric: true, dims: voltage},
	"Ohm": {factor: "1000", metric: true, dims: dims(gram, 1, metre, 2, second, -1, coulomb, -2)},
	"lm":  {factor: "1", metric: true, dims: dims(candela, 1)}, "lx": {factor: "1", metric: true, dims: dims(candela, 1, metre, -2)},

	"Cel":    {factor: "1", offset: "273.15", dims: dims(kelvin, 1)},
	"[degF]": {factor: "5/9", offset: "45967/180", dims: dims(kelvin, 1)}, // 459.67 * 5/9
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic("ucum: factor " + s)
	}
	return r
}
