//go:build !linux

package memory

// huge is for Linux.
func huge(int) {}
