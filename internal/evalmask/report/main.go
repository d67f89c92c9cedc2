// Command report prints how well masking finds what it should, as tables in
// Markdown: on the labelled texts in testdata/pii (or the folder it is given)
// and on texts that are made anew for -seed.
package main

import (
	"flag"
	"fmt"
	"os"

	"millrace/internal/evalmask"
)

func main() {
	dir := flag.String("pii", "testdata/pii", "folder of labelled texts")
	seed := flag.Uint64("seed", 1, "seed of the texts made")
	n := flag.Int("n", 1000, "positives, and near misses, per type")
	flag.Parse()
	if err := evalmask.Report(os.Stdout, *dir, *seed, *n); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
