//go:build !linux

package e2e

import "errors"

func mountMemory(string, int) error { return errors.ErrUnsupported }

func remountReadOnly(string) error { return errors.ErrUnsupported }
