package parquetlimit

import (
	"encoding/binary"
	"errors"
	"math"
)

// walker passes over a structure in Thrift's compact protocol, and believes no number
// of items or bytes that the input cannot hold.
type walker struct {
	in    []byte
	at    int
	items int                          // of all lists so far
	path  []int16                      // field numbers from the outermost structure on
	truth func(path []int16, yes bool) // is told of truths that are fields, if it is there
}

// Kinds of values.
const (
	kindStop, kindTrue, kindFalse, kindByte, kindInt16, kindInt32, kindInt64 = 0, 1, 2, 3, 4, 5, 6
	kindDouble, kindBytes, kindList, kindSet, kindMap, kindStruct            = 7, 8, 9, 10, 11, 12
)

// maxDepth is twice that of a footer.
const maxDepth = 16

var (
	errShort = errors.New("it ends early")
	errDeep  = errors.New("structures lie too deep in one another")
	errRange = errors.New("a number is out of range")
	errMany  = errors.New("there are too many items in lists")
	errKind  = errors.New("a value is of no known kind")
)

// structure passes over the fields of a structure and its end. It visits the numbers
// in it, and in structures inside, but for those in lists.
func (w *walker) structure(depth int, visit func(path []int16, v int64)) error {
	if depth > maxDepth {
		return errDeep
	}
	w.path = append(w.path, 0)
	last := len(w.path) - 1
	defer func() { w.path = w.path[:last] }()
	for {
		head, err := w.byte()
		if err != nil || head == kindStop {
			return err
		}
		id := int64(w.path[last]) + int64(head>>4)
		if head>>4 == 0 {
			if id, err = w.varint(); err != nil {
				return err
			}
		}
		if id < math.MinInt16 || id > math.MaxInt16 {
			return errRange // it must not pass for another
		}
		w.path[last] = int16(id)
		if err := w.value(head&0x0f, depth, visit, true); err != nil {
			return err
		}
	}
}

// value passes over a value; a truth is a byte unless it is a field of a structure.
func (w *walker) value(kind byte, depth int, visit func(path []int16, v int64), field bool) error {
	switch kind {
	case kindTrue, kindFalse:
		if !field {
			return w.skip(1)
		}
		if w.truth != nil && visit != nil {
			w.truth(w.path, kind == kindTrue)
		}
		return nil
	case kindByte:
		return w.skip(1)
	case kindInt16, kindInt32, kindInt64:
		v, err := w.varint()
		if err == nil && field && visit != nil {
			visit(w.path, v)
		}
		return err
	case kindDouble:
		return w.skip(8)
	case kindBytes:
		n, err := w.uvarint()
		if err != nil {
			return err
		}
		if n > math.MaxInt32 {
			return errRange
		}
		return w.skip(int(n))
	case kindList, kindSet:
		return w.list(depth)
	case kindMap:
		return w.pairs(depth)
	case kindStruct:
		return w.structure(depth+1, visit)
	}
	return errKind
}

func (w *walker) list(depth int) error {
	head, err := w.byte()
	if err != nil {
		return err
	}
	n := uint64(head >> 4)
	if n == 0x0f {
		if n, err = w.uvarint(); err != nil {
			return err
		}
	}
	if err := w.count(n); err != nil {
		return err
	}
	return w.repeat(n, depth, head&0x0f)
}

func (w *walker) pairs(depth int) error {
	n, err := w.uvarint()
	if err != nil || n == 0 {
		return err
	}
	kinds, err := w.byte()
	if err != nil {
		return err
	}
	if err := w.count(n); err != nil {
		return err
	}
	return w.repeat(n, depth, kinds>>4, kinds&0x0f)
}

// count believes a number of items that take a byte each at least.
func (w *walker) count(n uint64) error {
	if n > maxItems {
		return errMany
	}
	if w.items += int(n); w.items > maxItems {
		return errMany
	}
	if n > uint64(len(w.in)-w.at) {
		return errShort
	}
	return nil
}

func (w *walker) repeat(n uint64, depth int, kinds ...byte) error {
	if depth > maxDepth {
		return errDeep
	}
	for range n {
		for _, kind := range kinds {
			if err := w.value(kind, depth+1, nil, false); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walker) byte() (byte, error) {
	if w.at >= len(w.in) {
		return 0, errShort
	}
	w.at++
	return w.in[w.at-1], nil
}

func (w *walker) skip(n int) error {
	if n > len(w.in)-w.at {
		return errShort
	}
	w.at += n
	return nil
}

func (w *walker) uvarint() (uint64, error) {
	v, n := binary.Uvarint(w.in[w.at:])
	if n == 0 {
		return 0, errShort
	}
	if n < 0 {
		return 0, errRange
	}
	w.at += n
	return v, nil
}

func (w *walker) varint() (int64, error) {
	v, err := w.uvarint()
	return int64(v>>1) ^ -int64(v&1), err
}
