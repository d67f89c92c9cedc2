package lakequery

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Table is an answer twice: in words for people, and for programs with the names, units
// and values of outputs.
type Table struct {
	text, csv [][]string // the first row is the head
}

// WriteText writes tables for people, an empty line between two.
func WriteText(out io.Writer, tables []Table) error {
	return each(out, tables, func(t Table) error {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, row := range t.text {
			fmt.Fprintln(w, strings.Join(row, "\t"))
		}
		return w.Flush()
	})
}

// WriteCSV writes tables for programs, each with its head, an empty line between two.
func WriteCSV(out io.Writer, tables []Table) error {
	return each(out, tables, func(t Table) error { return csv.NewWriter(out).WriteAll(t.csv) })
}

func each(out io.Writer, tables []Table, write func(Table) error) error {
	for i, t := range tables {
		if i > 0 {
			if _, err := fmt.Fprintln(out); err != nil {
				return err
			}
		}
		if err := write(t); err != nil {
			return err
		}
	}
	return nil
}

func date(day int64) string { return time.Unix(day*86400, 0).UTC().Format(time.DateOnly) }

func count(n int64) string { return strconv.FormatInt(n, 10) }

func number(v float64, known bool) string {
	if !known {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func percent(n, of int64) string {
	if of == 0 {
		return "-"
	}
	return strconv.FormatFloat(100*float64(n)/float64(of), 'f', 1, 64) + " %"
}

func seconds(ms float64, known bool) string {
	if !known {
		return "-"
	}
	return strconv.FormatFloat(ms/1000, 'f', 1, 64) + " s"
}
