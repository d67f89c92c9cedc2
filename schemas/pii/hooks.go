package pii

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Placeholder is what any attempt to print personal data shows.
const Placeholder = "[pii]"

// ErrEncode is returned by every attempt to encode personal data.
var ErrEncode = errors.New("encoding personal data: mask it first")

// Format writes the placeholder whatever the verb, flags and width.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Placeholder) }

// String returns the placeholder.
func (t Text) String() string { return Placeholder }

// GoString returns the placeholder.
func (t Text) GoString() string { return Placeholder }

// LogValue makes slog show the placeholder in every handler.
func (t Text) LogValue() slog.Value { return slog.StringValue(Placeholder) }

// MarshalText fails: it also stands for XML, CSV libraries and map keys.
func (t Text) MarshalText() ([]byte, error) { return nil, ErrEncode }

// AppendText fails.
func (t Text) AppendText(b []byte) ([]byte, error) { return b, ErrEncode }

// MarshalJSON fails, and with it the value that contains t.
func (t Text) MarshalJSON() ([]byte, error) { return nil, ErrEncode }

// MarshalYAML fails, and with it the value that contains t.
func (t Text) MarshalYAML() (any, error) { return nil, ErrEncode }

// MarshalBinary fails.
func (t Text) MarshalBinary() ([]byte, error) { return nil, ErrEncode }

// AppendBinary fails.
func (t Text) AppendBinary(b []byte) ([]byte, error) { return b, ErrEncode }

// GobEncode fails, and with it the value that contains t.
func (t Text) GobEncode() ([]byte, error) { return nil, ErrEncode }

// GobDecode fails: personal data does not arrive by gob either.
func (t *Text) GobDecode([]byte) error { return ErrEncode }
