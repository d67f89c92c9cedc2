package run

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"millrace/schemas/manifest"
)

// Summary is the closing word of a run.
func Summary(m manifest.Manifest, lake string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "run\t%s  %.1f s\n", m.Run, m.Seconds)
	fmt.Fprintf(w, "ledger\t%s\n", m.Ledger)
	for _, name := range slices.Sorted(maps.Keys(m.Outputs)) {
		o := m.Outputs[name]
		fmt.Fprintf(w, "%s\t%d rows, %d bytes, %d files\n", name, o.Rows, o.Bytes, o.Files)
	}
	fmt.Fprintf(w, "lake\t%s  (%d days)\n", lake, len(m.Days))
	w.Flush()
	return b.String()
}
