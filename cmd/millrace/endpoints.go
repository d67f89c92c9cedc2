package main

import (
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"millrace/io/endpoint"
)

func endpointsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "endpoints",
		Short: "List the kinds of sources and sinks and their URLs",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			for _, scheme := range slices.Sorted(maps.Keys(endpoint.Kinds)) {
				k := endpoint.Kinds[scheme]
				fmt.Fprintf(w, "%s://\t%s\n\te.g. %s\n", scheme, k.Doc, k.Example)
			}
			return w.Flush()
		},
	}
}
