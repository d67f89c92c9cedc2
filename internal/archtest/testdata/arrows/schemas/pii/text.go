// Package pii holds unmasked bytes.
package pii

// Text is unmasked.
type Text struct{}
