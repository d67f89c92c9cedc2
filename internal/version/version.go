// Package version names the program and the meaning of its rows.
package version

import "runtime/debug"

// Program is the released version.
const Program = "0.1.0"

// Rows changes whenever the same input gives other rows; runs under different
// values are different runs, so a newer program restates what an older one wrote.
const Rows = "1"

// Build is the version with the revision it was built from, where known.
func Build() string {
	v := Program
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				v += "+" + s.Value[:12]
			}
		}
	}
	return v
}
