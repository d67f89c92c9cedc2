package lakequery

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"millrace/transforms/funnels"
)

// WriteSteps writes the steps of funnels as a table for people; names are those of the
// definitions.
func WriteSteps(out io.Writer, defs []funnels.Definition, rows []funnels.StepRow) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "funnel\tday\tbreakdown\tstep\tname\tvisitors\tof all\tof the step before\taverage\tmedian\texcluded")
	for i := range rows {
		r := &rows[i]
		c := r.Conversion
		n := c.Visitors[r.Step]
		average, known := c.Average(r.Step)
		median, _ := c.Median(r.Step)
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%d\t%s\t%s\t%s\t%s\t%d\n",
			defs[r.Funnel].Name, date(r.Day), r.Breakdown, r.Step+1, r.Name, n,
			percent(n, c.Visitors[0]), percent(n, c.Visitors[max(r.Step-1, 0)]), seconds(average, known), seconds(median, known), c.Excluded)
	}
	return w.Flush()
}

// WriteCSV writes them with the names, units and values of output funnel_steps.
func WriteCSV(out io.Writer, defs []funnels.Definition, rows []funnels.StepRow) error {
	w := csv.NewWriter(out)
	_ = w.Write([]string{"day", "funnel", "breakdown", "step", "step_name", "visitors", "previous", "excluded", "total_ms", "average_ms", "median_ms"}) // Flush tells
	for i := range rows {
		r := &rows[i]
		c := r.Conversion
		total := ""
		if r.Step > 0 {
			total = strconv.FormatInt(c.Total(r.Step), 10)
		}
		average, known := c.Average(r.Step)
		median, _ := c.Median(r.Step)
		_ = w.Write([]string{
			date(r.Day), defs[r.Funnel].Name, r.Breakdown, strconv.Itoa(r.Step + 1), r.Name, strconv.FormatInt(c.Visitors[r.Step], 10),
			strconv.FormatInt(c.Visitors[max(r.Step-1, 0)], 10), strconv.FormatInt(c.Excluded, 10), total, number(average, known), number(median, known),
		})
	}
	w.Flush()
	return w.Error()
}

func date(day int64) string { return time.Unix(day*86400, 0).UTC().Format(time.DateOnly) }

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
