//go:build !linux

package loopback

import "errors"

// Confine is not to be had here.
func Confine(int) error { return errors.ErrUnsupported }

// Exposed cannot be told here.
func Exposed() ([]string, error) { return nil, errors.ErrUnsupported }
