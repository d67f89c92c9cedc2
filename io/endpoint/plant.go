//go:build !chaos

package endpoint

// planted is where the tests of faults have a reader panic, in programs that are
// built for them.
func planted() {}
