package lakequery

import (
	"strconv"

	"millrace/transforms/funnels"
)

// StepTable is the steps of funnels; names are those of the definitions, and for
// programs those of output funnel_steps.
func StepTable(defs []funnels.Definition, rows []funnels.StepRow) Table {
	t := Table{
		text: [][]string{{"funnel", "day", "breakdown", "step", "name", "visitors", "of all", "of the step before", "average", "median", "excluded"}},
		csv:  [][]string{{"day", "funnel", "breakdown", "step", "step_name", "visitors", "previous", "excluded", "total_ms", "average_ms", "median_ms"}},
	}
	for i := range rows {
		r := &rows[i]
		c := r.Conversion
		name, day, step := defs[r.Funnel].Name, date(r.Day), strconv.Itoa(r.Step+1)
		n, previous, excluded := c.Visitors[r.Step], c.Visitors[max(r.Step-1, 0)], count(c.Excluded)
		average, known := c.Average(r.Step)
		median, _ := c.Median(r.Step)
		total := ""
		if r.Step > 0 {
			total = count(c.Total(r.Step))
		}
		t.text = append(t.text, []string{
			name, day, r.Breakdown, step, r.Name, count(n), percent(n, c.Visitors[0]), percent(n, previous),
			seconds(average, known), seconds(median, known), excluded,
		})
		t.csv = append(t.csv, []string{
			day, name, r.Breakdown, step, r.Name, count(n), count(previous), excluded, total, number(average, known), number(median, known),
		})
	}
	return t
}
