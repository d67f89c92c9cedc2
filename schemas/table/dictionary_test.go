package table

import (
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// TestTextBeyond32BitPlacesIsRefused pretends that a dictionary is nearly full,
// for filling one takes 4 GiB.
func TestTextBeyond32BitPlacesIsRefused(t *testing.T) {
	panics := func(f func()) (said any) {
		defer func() { said = recover() }()
		f()
		return nil
	}
	full := func() *dictionary { return &dictionary{ends: []uint32{math.MaxUint32 - 3}, indexed: 1} }
	for name, put := range map[string]func(*dictionary, []byte) uint32{"plain": (*dictionary).append, "interned": (*dictionary).intern} {
		if said := panics(func() { put(full(), make([]byte, 3)) }); said != nil {
			t.Errorf("%s: the last bytes were refused: %v", name, said)
		}
		d := full()
		said, _ := panics(func() { put(d, make([]byte, 4)) }).(string)
		if !strings.Contains(said, "4 GiB") {
			t.Errorf("%s: a byte too many was taken: %q", name, said)
		}
		if len(d.ends) != 1 || len(d.arena) != 0 {
			t.Errorf("%s: the refused text left traces", name)
		}
	}
}

// TestInterningIsAMap compares with a map: many texts, long and short, again and
// again, some known without having been interned, and after a reset.
func TestInterningIsAMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var d dictionary
	for round := range 4 {
		known := map[string]uint32{}
		for range 20_000 {
			text := strings.Repeat("x", rng.IntN(4)) + strconv.Itoa(rng.IntN(3000<<round))
			code, ok := known[text]
			switch {
			case !ok && rng.IntN(10) == 0:
				known[text] = d.append([]byte(text)) // as Gather does
				continue
			case !ok:
				code = uint32(len(known))
				known[text] = code
			}
			if got := d.intern([]byte(text)); got != code {
				t.Fatalf("%q has code %d, want %d", text, got, code)
			}
		}
		for text, code := range known {
			if got := string(d.value(code)); got != text {
				t.Fatalf("code %d stands for %q, want %q", code, got, text)
			}
		}
		if len(d.ends) != len(known) {
			t.Fatalf("%d texts are stored for %d", len(d.ends), len(known))
		}
		d.reset()
	}
}

func TestMoreRowsThanDecodeAcceptsAreNotEncoded(t *testing.T) {
	type row struct {
		At Millis `col:"at,sort1,day" doc:"d"`
	}
	b := NewBatch(MustOf[row]("test.many", 1))
	for range maxRows + 1 {
		b.EndRow() // AppendBinary looks at the number alone
	}
	if _, err := b.AppendBinary(nil); err == nil || errors.Is(err, ErrCorrupt) {
		t.Errorf("%d rows: %v", b.Len(), err)
	}
}
