// Package pii holds the types that carry unmasked personal data.
//
// A value of these types cannot be printed, logged, encoded or written: every
// formatting hook yields a fixed placeholder, every encoding hook an error, and
// the sinks refuse row types that contain one (Refuse). Only the packages that
// must look inside (parsing, enrichment, masking) call Reveal; a test holds
// that list.
package pii

import "unsafe"

// Text is unmasked text. It is a view: the bytes belong to the block they were
// read from and are valid only as long as that block is.
//
// The bytes hang on an opaque pointer, not on a slice, because fmt ignores the
// methods of a value in an unexported field, and those of any value under %p,
// and prints what it sees by reflection: here an address and a length.
type Text struct {
	p unsafe.Pointer
	n int
}

// Of marks b as personal data. It does not copy.
func Of(b []byte) Text { return Text{p: unsafe.Pointer(unsafe.SliceData(b)), n: len(b)} }

// Reveal returns the bytes of t. Callers must not keep or modify them.
func Reveal(t Text) []byte { return unsafe.Slice((*byte)(t.p), t.n) }

// Empty tells whether the text has no bytes.
func (t Text) Empty() bool { return t.n == 0 }

// Len is the length in bytes.
func (t Text) Len() int { return t.n }
