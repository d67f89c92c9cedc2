package ucum_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"millrace/internal/mutate"
	"millrace/transforms/ucum"
)

func parse(t testing.TB, s string) *ucum.Unit {
	t.Helper()
	u, err := ucum.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestValuesAreConverted(t *testing.T) {
	for _, c := range []struct {
		value, from, to string
		want            float64
	}{
		{"98.6", "[degF]", "Cel", 37},
		{"32", "[degF]", "Cel", 0},
		{"-40", "[degF]", "Cel", -40},
		{"0", "K", "Cel", -273.15},
		{"36.6", "Cel", "[degF]", 97.88},
		{"120", "mm[Hg]", "kPa", 15.99864},
		{"15.99864", "kPa", "mm[Hg]", 120},
		{"1", "bar", "Pa", 100000},
		{"1", "atm", "mbar", 1013.25},
		{"1", "kg", "[lb_av]", 1 / 0.45359237},
		{"72", "/min", "Hz", 1.2},
		{"72", "{beats}/min", "/min", 72},
		{"98", "%", "1", 0.98},
		{"5.5", "mmol/L", "umol/mL", 5.5},
		{"4.5", "10*3/uL", "10*9/L", 4.5},
		{"36", "km/h", "m/s", 10},
		{"1", "kW.h", "MJ", 3.6},
		{"8", "Mibit", "KiBy", 1024},
		{"9.81", "m/s2", "m.s-2", 9.81},
		{"1", "[in_i]", "cm", 2.54},
		{"1e3", "mV", "V", 1},
		{"0.1", "L/min", "mL/s", 0.1 * 1000 / 60},
		{"1000", "[psi]", "bar", 68.94757293168362},
		{"", "", "", math.NaN()},
		{"7", "", "{count}", 7},
	} {
		conv, err := ucum.NewConversion(parse(t, c.from), parse(t, c.to))
		if err != nil {
			t.Fatal(err)
		}
		got, ok := conv.Convert([]byte(c.value))
		if c.value == "" {
			if ok {
				t.Error("an empty text is a number")
			}
			continue
		}
		if !ok || math.Abs(got-c.want) > 1e-15*math.Abs(c.want) {
			t.Errorf("%s %s is %v %s, not %v", c.value, c.from, got, c.to, c.want)
		}
	}
}

func TestDifferentThingsAreNotConverted(t *testing.T) {
	for _, pair := range [][2]string{{"mm[Hg]", "Cel"}, {"mmol/L", "mg/dL"}, {"[iU]", "1"}, {"deg", "1"}, {"/min", "%"}, {"mol", "1"}} {
		if _, err := ucum.NewConversion(parse(t, pair[0]), parse(t, pair[1])); err == nil {
			t.Errorf("%s became %s", pair[0], pair[1])
		}
	}
}

func TestWhatIsNoUnit(t *testing.T) {
	for _, s := range []string{"bpm", "mmHg", "Cel/h", "Cel2", "mCel", "kmin", "m//s", "m/", "m..s", "0.m", "m0", "m99", "10*99", "Kim", "(m/s)", "{a}m", "°C", strings.Repeat("m.", 40) + "m"} {
		if u, err := ucum.Parse(s); err == nil {
			t.Errorf("%s is read as a unit", u)
		}
	}
}

func TestConvertingIsExact(t *testing.T) {
	// The oracle adds the same fractions up by another way: as decimal text with an
	// integer numerator, rounded once.
	rng := rand.New(rand.NewPCG(1, 2))
	conv, _ := ucum.NewConversion(parse(t, "[degF]"), parse(t, "Cel"))
	for range 10_000 {
		tenths := rng.Int64N(4000) - 2000
		text := strconv.FormatInt(tenths, 10) + "e-1"
		got, ok := conv.Convert([]byte(text))
		want, _ := big.NewRat((tenths-320)*5, 90).Float64()
		if !ok || got != want {
			t.Fatalf("%s [degF] is %v Cel, not %v", text, got, want)
		}
	}
}

func TestWhatIsNoNumber(t *testing.T) {
	for _, s := range []string{"", "-", ".", "1_0", "0x1p3", "inf", "NaN", "1e", "1e+", "1e999", "1 ", " 1", "1,5", strings.Repeat("1", 65)} {
		if v, ok := ucum.Number([]byte(s)); ok {
			t.Errorf("%q is %v", s, v)
		}
	}
}

// FuzzParse: whatever the text, a unit converts to itself without change.
func FuzzParse(tf *testing.F) {
	f := mutate.Of(tf)
	for _, s := range []string{"mm[Hg]", "[degF]", "10*3/uL", "kW.h", "{a.b/c}/min", "/s", "m-2", "[", "{", "1.1", "Ti"} {
		f.Add(s, "36.6")
	}
	f.Fuzz(func(t *testing.T, s, value string) {
		u, err := ucum.Parse(s)
		if err != nil {
			return
		}
		c, err := ucum.NewConversion(u, u)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := c.Convert([]byte(value))
		want, known := ucum.Number([]byte(value))
		if ok != known || got != want {
			t.Fatalf("%q of %q became %v, %v", value, s, got, ok)
		}
	})
}
