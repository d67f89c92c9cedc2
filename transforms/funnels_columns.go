package transforms

import (
	"strconv"

	"millrace/schemas/funnel"
	"millrace/schemas/table"
	"millrace/transforms/funnels"
)

func putAttempt(b *table.Batch, name string, r *funnels.Row) {
	b.PutString(funnel.AttemptFunnel, name)
	b.PutString(funnel.AttemptVisitorID, r.Visitor)
	b.PutInt(funnel.AttemptStartTime, r.Start)
	b.PutInt(funnel.AttemptLevel, int64(r.Level))
	b.PutInt(funnel.AttemptSteps, int64(r.Steps))
	b.PutBool(funnel.AttemptConverted, r.Converted())
	b.PutBool(funnel.AttemptExcluded, r.Excluded)
	b.PutInt(funnel.AttemptReached, int64(r.Reached))
	b.PutText(funnel.AttemptStepTimes, stepTimes(r))
	b.PutInt(funnel.AttemptLastTime, r.Last())
	putBreakdown(b, funnel.AttemptBreakdown, r.Breakdown)
	b.PutBool(funnel.AttemptTruncated, r.Truncated)
	b.PutInt(funnel.AttemptDurationMs, r.Last()-r.Start)
	b.PutInt(funnel.AttemptVersion, r.Version)
	b.EndRow()
}

// putWithdrawn puts a row that takes back what was written under its key.
func putWithdrawn(b *table.Batch, name string, steps int, w *funnels.Withdrawal) {
	putAttempt(b, name, &funnels.Row{Steps: steps, Visitor: w.Visitor, Start: w.Start, Times: []int64{w.Start}, Version: w.Version})
}

// stepTimes writes the times of steps from the start, [0,1500,20000].
func stepTimes(r *funnels.Row) []byte {
	text := []byte{'['}
	for i, t := range r.Times {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, t-r.Start, 10)
	}
	return append(text, ']')
}

func putBreakdown(b *table.Batch, col int, value string) {
	if value == "" {
		b.PutNull(col)
		return
	}
	b.PutString(col, value)
}

func putStep(b *table.Batch, name string, r *funnels.StepRow) {
	c := r.Conversion
	b.PutInt(funnel.StepDay, r.Day)
	b.PutString(funnel.StepFunnel, name)
	putBreakdown(b, funnel.StepBreakdown, r.Breakdown)
	b.PutInt(funnel.StepStep, int64(r.Step)+1)
	b.PutString(funnel.StepStepName, r.Name)
	b.PutInt(funnel.StepVisitors, c.Visitors[r.Step])
	b.PutInt(funnel.StepPrevious, c.Visitors[max(r.Step-1, 0)])
	b.PutInt(funnel.StepExcluded, c.Excluded)
	if r.Step == 0 {
		b.PutNull(funnel.StepTotalMs)
	} else {
		b.PutInt(funnel.StepTotalMs, c.Total(r.Step))
	}
	average, known := c.Average(r.Step)
	putFloat(b, funnel.StepAverageMs, average, known)
	median, known := c.Median(r.Step)
	putFloat(b, funnel.StepMedianMs, median, known)
	b.PutInt(funnel.StepVersion, r.Version)
	b.EndRow()
}

func putFloat(b *table.Batch, col int, v float64, known bool) {
	if known {
		b.PutFloat(col, v)
	} else {
		b.PutNull(col)
	}
}
