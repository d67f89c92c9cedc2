package mask

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestFF1Vectors(t *testing.T) {
	var v struct {
		Cases []struct {
			Radix int
			PT    string
			CT    string
			Key   string `json:"key_hex"`
			Tweak string `json:"tweak_hex"`
		}
	}
	read(t, "ff1.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("the file has no vectors")
	}
	for _, c := range v.Cases {
		t.Run(fmt.Sprint(c.Radix, "/", c.CT), func(t *testing.T) {
			key, err := hex.DecodeString(c.Key)
			if err != nil {
				t.Fatal(err)
			}
			tweak, err := hex.DecodeString(c.Tweak)
			if err != nil {
				t.Fatal(err)
			}
			f, err := NewFF1(key, c.Radix)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := f.Encrypt(nil, []byte(c.PT), tweak); err != nil || string(got) != c.CT {
				t.Errorf("%s becomes %s, %v; want %s", c.PT, got, err, c.CT)
			}
			if got, err := f.Decrypt(nil, []byte(c.CT), tweak); err != nil || string(got) != c.PT {
				t.Errorf("%s was %s, %v; want %s", c.CT, got, err, c.PT)
			}
		})
	}
}

// TestFF1SamplesOfNIST are those of the nine FF1 samples of SP 800-38G that ff1.json does
// not have, by their numbers there.
func TestFF1SamplesOfNIST(t *testing.T) {
	const key = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94"
	for _, c := range []struct {
		sample, bits, radix int
		pt, tweak, ct       string
	}{
		{2, 128, 10, "0123456789", "39383736353433323130", "6124200773"},
		{4, 192, 10, "0123456789", "", "2830668132"},
		{6, 192, 36, "0123456789abcdefghi", "3737373770717273373737", "xbj3kv35jrawxv32ysr"},
		{8, 256, 10, "0123456789", "39383736353433323130", "1001623463"},
	} {
		key, err := hex.DecodeString(key[:c.bits/4])
		if err != nil {
			t.Fatal(err)
		}
		tweak, err := hex.DecodeString(c.tweak)
		if err != nil {
			t.Fatal(err)
		}
		f, err := NewFF1(key, c.radix)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.Encrypt(nil, []byte(c.pt), tweak); err != nil || string(got) != c.ct {
			t.Errorf("sample %d: %s becomes %s, %v; want %s", c.sample, c.pt, got, err, c.ct)
		}
		if got, err := f.Decrypt(nil, []byte(c.ct), tweak); err != nil || string(got) != c.pt {
			t.Errorf("sample %d: %s was %s, %v; want %s", c.sample, c.ct, got, err, c.pt)
		}
	}
}

func TestFF1RefusesSmallDomainsAndOtherSymbols(t *testing.T) {
	f, err := NewFF1(make([]byte, 16), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"", "1", "12345", "12345a", "1234567 ", fmt.Sprintf("%0300d", 1)} {
		if got, err := f.Encrypt(nil, []byte(s), nil); !errors.Is(err, ErrDomain) {
			t.Errorf("%q becomes %s, %v", s, got, err)
		}
	}
	if _, err := f.Encrypt(nil, []byte("123456"), nil); err != nil {
		t.Errorf("a domain of a million: %v", err)
	}
	if _, err := NewFF1(make([]byte, 5), 10); err == nil {
		t.Error("a key of five bytes is taken")
	}
	if _, err := NewFF1(make([]byte, 16), 37); err == nil {
		t.Error("radix 37 is taken")
	}
}

func TestFF1UndoesItselfAtEveryLength(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, radix := range []int{2, 10, 16, 36} {
		f, err := NewFF1(testKey[:], radix)
		if err != nil {
			t.Fatal(err)
		}
		for n := 20; n < 80; n++ {
			text, tweak := make([]byte, n), make([]byte, r.IntN(20))
			for i := range text {
				text[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[r.IntN(radix)]
			}
			made, err := f.Encrypt(nil, text, tweak)
			if err != nil || len(made) != n {
				t.Fatalf("radix %d, %s becomes %s, %v", radix, text, made, err)
			}
			if back, err := f.Decrypt(nil, made, tweak); err != nil || string(back) != string(text) {
				t.Fatalf("radix %d, %s becomes %s and then %s, %v", radix, text, made, back, err)
			}
		}
	}
}

// Cards that share what stays visible get different numbers, all of which fail
// Luhn and can be turned back: walking until Luhn fails would join some.
func TestEncipheredCardsAreDistinctNoCardsAndComeBack(t *testing.T) {
	f := newCipher("k1", testKey)
	seen := map[string]string{}
	for middle := range 3000 {
		pan := ""
		for d := 0; ; d++ { // the last of the middle's digits makes it pass
			if pan = fmt.Sprintf("411111%05d%d1111", middle*7, d); slowLuhn(pan) {
				break
			}
		}
		made, err := f.AppendPAN(nil, []byte(pan))
		if err != nil {
			t.Fatal(err)
		}
		if slowLuhn(string(made)) || string(made[:6]) != "411111" || string(made[12:]) != "1111" {
			t.Fatalf("%s becomes %s", pan, made)
		}
		if other := seen[string(made)]; other != "" {
			t.Fatalf("%s and %s both become %s", pan, other, made)
		}
		seen[string(made)] = pan
		if back, err := f.RevealPAN(nil, made); err != nil || string(back) != pan {
			t.Fatalf("%s becomes %s, then %s, %v", pan, made, back, err)
		}
	}
	for n := minPAN; n <= maxPAN; n++ {
		pan := withCheckDigit(fmt.Sprintf("5%0*d", n-2, 1234))
		made, err := f.AppendPAN(nil, []byte(pan))
		if err != nil {
			t.Fatal(err)
		}
		if back, err := f.RevealPAN(nil, made); err != nil || string(back) != pan || string(made[n-4:]) != pan[n-4:] {
			t.Errorf("%s becomes %s, then %s, %v", pan, made, back, err)
		}
	}
	for _, s := range []string{"", "4111111111111112", "411111111111111a", "41111"} {
		if made, err := f.AppendPAN(nil, []byte(s)); err == nil {
			t.Errorf("%q becomes %s", s, made)
		}
	}
}
