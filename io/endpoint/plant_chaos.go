//go:build chaos

package endpoint

import "os"

// planted panics once for each time that the file exists which $MILLRACE_PLANT
// names.
func planted() {
	if name := os.Getenv("MILLRACE_PLANT"); name != "" && os.Remove(name) == nil {
		panic("planted by a test")
	}
}
