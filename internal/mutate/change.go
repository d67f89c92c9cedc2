package mutate

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
)

// longest bounds what copies of copies grow to.
const longest = 64 << 10

// change is a copy of an input in which one argument or more are other ones.
func (r *run) change(of []any) []any {
	args := make([]any, len(of))
	copy(args, of)
	for {
		i := r.random.IntN(len(args))
		other := r.seeds[r.random.IntN(len(r.seeds))][i]
		switch a := args[i].(type) {
		case []byte:
			args[i] = text(r.random, a, other.([]byte)) //nolint:forcetypeassert // inputs of one target are of the same types
		case string:
			args[i] = string(text(r.random, []byte(a), []byte(other.(string)))) //nolint:forcetypeassert // as above
		default:
			args[i] = scalar(r.random, reflect.ValueOf(a))
		}
		if r.random.IntN(2) == 0 {
			return args
		}
	}
}

// text changes a copy of a text in one to eight places. other is one to take from.
func text(r *rand.Rand, of, other []byte) []byte {
	b := append(make([]byte, 0, len(of)+64), of...)
	for n := 1 << r.IntN(4); n > 0; n-- {
		b = edit(r, b, other)
	}
	return b[:min(len(b), longest)]
}

// edit makes one change. An empty text can only grow.
func edit(r *rand.Rand, b, other []byte) []byte {
	if len(b) == 0 {
		return append(b, piece(r, other)...)
	}
	at := r.IntN(len(b))
	switch r.IntN(12) {
	case 0:
		b[at] ^= 1 << r.IntN(8)
	case 1:
		b[at] = anyByte(r)
	case 2: // a byte that means something to parsers
		const telling = "\x00\t\n\r \"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~\x7f\x80\xff"
		b[at] = telling[r.IntN(len(telling))]
	case 3:
		b[at] += anyByte(r)%35 - 17
	case 4:
		b = cut(r, b, at)
	case 5:
		return insert(b, at, piece(r, b))
	case 6:
		return insert(b, at, piece(r, other))
	case 7:
		copy(b[at:], piece(r, b))
	case 8:
		copy(b[at:], piece(r, other))
	case 9:
		b = b[:at]
	case 10:
		return insert(b, at, bytes.Repeat(b[at:at+1], 1+r.IntN(40)))
	case 11:
		to := r.IntN(len(b))
		b[at], b[to] = b[to], b[at]
	}
	return b
}

func anyByte(r *rand.Rand) byte { return byte(r.Uint32() & 0xff) }

// piece is a part of a text, most often a short one.
func piece(r *rand.Rand, b []byte) []byte {
	if len(b) == 0 {
		return []byte{anyByte(r)}
	}
	from := r.IntN(len(b))
	return b[from : from+span(r, len(b)-from)]
}

func cut(r *rand.Rand, b []byte, at int) []byte {
	return append(b[:at], b[at+span(r, len(b)-at):]...)
}

func insert(b []byte, at int, part []byte) []byte {
	if len(b)+len(part) > longest {
		return b
	}
	return append(b[:at:at], append(bytes.Clone(part), b[at:]...)...)
}

// span is a length from 1 to most.
func span(r *rand.Rand, most int) int {
	if r.IntN(4) > 0 {
		most = min(most, 8)
	}
	return 1 + r.IntN(most)
}

// scalar is another number, or truth, of the type of one.
func scalar(r *rand.Rand, of reflect.Value) any {
	v := reflect.New(of.Type()).Elem()
	bits := []uint64{r.Uint64(), uint64(r.IntN(256)), 1 << r.IntN(64), 1<<r.IntN(64) - 1, -uint64(r.IntN(16)), math.MaxInt64}[r.IntN(6)]
	switch {
	case of.Kind() == reflect.Bool:
		v.SetBool(bits&1 == 0)
	case of.CanInt():
		v.SetInt(of.Int() + int64(r.IntN(3)) - 1)
		if r.IntN(2) == 0 {
			v.SetInt(int64(bits)) //nolint:gosec // any will do
		}
	case of.CanUint():
		v.SetUint(of.Uint() + uint64(r.IntN(3)) - 1)
		if r.IntN(2) == 0 {
			v.SetUint(bits)
		}
	case of.CanFloat():
		v.SetFloat(math.Float64frombits(bits))
	default:
		return of.Interface()
	}
	return v.Interface()
}
