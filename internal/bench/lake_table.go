package main

import (
	"fmt"
	"io"
	"slices"

	"millrace/internal/machine"
)

// printRuns has a line for each run and the median of each column; ratios are of one
// run's times, so that what else the machine had to do weighs on both alike.
func printRuns(w io.Writer, q *question, runs [][]usage) {
	fmt.Fprint(w, "| run |")
	rule := "|---|"
	for p, one := range q.programs {
		fmt.Fprintf(w, " %s s | CPU s | peak MiB |", one.name)
		rule += "---:|---:|---:|"
		if p > 0 {
			fmt.Fprint(w, " times as fast | less CPU |")
			rule += "---:|---:|"
		}
	}
	fmt.Fprintf(w, "\n%s\n", rule)
	wall := func(u usage) float64 { return u.wall.Seconds() }
	cpu := func(u usage) float64 { return u.cpu.Seconds() }
	columns := [][]float64{}
	for p := range runs {
		add := func(value func(i int) float64) {
			var column []float64
			for i := range runs[p] {
				column = append(column, value(i))
			}
			columns = append(columns, column)
		}
		add(func(i int) float64 { return wall(runs[p][i]) })
		add(func(i int) float64 { return cpu(runs[p][i]) })
		add(func(i int) float64 { return mebibytes(runs[p][i]) })
		if p > 0 {
			add(func(i int) float64 { return wall(runs[p][i]) / wall(runs[0][i]) })
			add(func(i int) float64 { return cpu(runs[p][i]) / cpu(runs[0][i]) })
		}
	}
	line := func(name string, value func([]float64) float64) {
		fmt.Fprintf(w, "| %s |", name)
		for _, column := range columns {
			fmt.Fprintf(w, " %.*f |", digits(column), value(column))
		}
		fmt.Fprintln(w)
	}
	for i := range runs[0] {
		line(fmt.Sprint(i+1), func(column []float64) float64 { return column[i] })
	}
	line("min", slices.Min[[]float64])
	line("median", machine.Median)
	line("max", slices.Max[[]float64])
	fmt.Fprintln(w)
}

// digits are none for what is in the hundreds.
func digits(column []float64) int {
	if slices.Max(column) >= 100 {
		return 0
	}
	return 2
}
