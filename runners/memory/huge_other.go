//go:build !linux

package memory

// hugePages is for Linux.
func hugePages() {}
