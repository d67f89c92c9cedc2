// Package pii holds the types that carry unmasked personal data.
//
// A value of these types cannot be printed, logged, encoded or written: every
// formatting and encoding hook yields a fixed placeholder or an error, and the
// sinks refuse row types that contain one. Only the packages that must look
// inside (parsing, enrichment, masking) call Reveal; a test holds that list.
package pii

// Text is unmasked text. It is a view: the bytes belong to the block they were
// read from and are valid only as long as that block is.
type Text struct{ b []byte }

// Of marks b as personal data. It does not copy.
func Of(b []byte) Text { return Text{b: b} }

// Reveal returns the bytes of t. Callers must not keep or modify them.
func Reveal(t Text) []byte { return t.b }

// Empty tells whether the text has no bytes.
func (t Text) Empty() bool { return len(t.b) == 0 }

// Len is the length in bytes.
func (t Text) Len() int { return len(t.b) }
