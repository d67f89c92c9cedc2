package funnel

import (
	"testing"

	"millrace/schemas/table"
)

// TestTheColumnNumbersNameTheirColumns guards against a field that moved without
// its number: values would land in the wrong column, and some would fit.
func TestTheColumnNumbersNameTheirColumns(t *testing.T) {
	for _, c := range []struct {
		schema  *table.Schema
		columns map[string]int
	}{
		{Attempts, map[string]int{
			"funnel": AttemptFunnel, "visitor_id": AttemptVisitorID, "start_time": AttemptStartTime, "level": AttemptLevel, "steps": AttemptSteps,
			"converted": AttemptConverted, "excluded": AttemptExcluded, "reached": AttemptReached, "step_times": AttemptStepTimes,
			"last_time": AttemptLastTime, "breakdown": AttemptBreakdown, "truncated": AttemptTruncated, "duration_ms": AttemptDurationMs, "version": AttemptVersion,
		}},
		{Steps, map[string]int{
			"day": StepDay, "funnel": StepFunnel, "breakdown": StepBreakdown, "step": StepStep, "step_name": StepStepName, "visitors": StepVisitors,
			"previous": StepPrevious, "excluded": StepExcluded, "total_ms": StepTotalMs, "average_ms": StepAverageMs, "median_ms": StepMedianMs, "version": StepVersion,
		}},
	} {
		if len(c.columns) != len(c.schema.Columns) {
			t.Errorf("%s has %d columns, %d have a number", c.schema.ID(), len(c.schema.Columns), len(c.columns))
		}
		for name, number := range c.columns {
			if i, ok := c.schema.Index(name); !ok || i != number {
				t.Errorf("%s: the number of %s is %d, the column is %d (%t)", c.schema.ID(), name, number, i, ok)
			}
		}
	}
}
