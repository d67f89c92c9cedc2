// Package funnel defines the rows of funnel analysis.
package funnel

import "millrace/schemas/table"

// Attempt is the best attempt of a visitor at a funnel among those whose windows
// overlap and that began on one UTC day.
type Attempt struct {
	Funnel     string       `col:"funnel,sort2" mask:"none" doc:"name of the funnel"`
	VisitorID  string       `col:"visitor_id,sort3" mask:"token" doc:"keyed token of the visitor"`
	StartTime  table.Millis `col:"start_time,sort1,day" ecs:"event.start" doc:"time of the attempt's first event, UTC; its day is the attempt's day"`
	Level      int32        `col:"level" doc:"steps reached that count; 0 when the visitor is excluded"`
	Steps      int32        `col:"steps" doc:"steps of the funnel"`
	Converted  bool         `col:"converted" doc:"whether all steps were reached and count"`
	Excluded   bool         `col:"excluded" doc:"whether an exclusion event removes the visitor from the funnel"`
	Reached    int32        `col:"reached" doc:"steps reached, excluded or not"`
	StepTimes  string       `col:"step_times,plain" mask:"none" doc:"for each step reached, milliseconds from start_time, as [0,1500,20000]"`
	LastTime   table.Millis `col:"last_time" ecs:"event.end" doc:"time of the last step reached, UTC"`
	Breakdown  *string      `col:"breakdown,null" mask:"scanned" doc:"value of the breakdown field, masked as in the events; null without one"`
	Truncated  bool         `col:"truncated" doc:"more events than are kept for a visitor in an hour: later ones of that hour were not looked at"`
	DurationMs int64        `col:"duration_ms" ecs:"event.duration" doc:"last_time minus start_time in milliseconds"`
	Version    int64        `col:"version" doc:"revision * 2^32 + events of the overlapping windows; the greater one wins"`
}

// Columns of Attempt.
const (
	AttemptFunnel = iota
	AttemptVisitorID
	AttemptStartTime
	AttemptLevel
	AttemptSteps
	AttemptConverted
	AttemptExcluded
	AttemptReached
	AttemptStepTimes
	AttemptLastTime
	AttemptBreakdown
	AttemptTruncated
	AttemptDurationMs
	AttemptVersion
)

// Attempts is the schema of Attempt.
var Attempts = table.MustOf[Attempt]("funnel.attempts", 1)

// Step sums up the visitors of a UTC day at one step of a funnel. A visitor counts
// once a day, with the best attempt that began on it.
type Step struct {
	Day       table.Day `col:"day,sort1,day" doc:"UTC day of the attempts' start"`
	Funnel    string    `col:"funnel,sort2" mask:"none" doc:"name of the funnel"`
	Breakdown *string   `col:"breakdown,null,sort3" mask:"scanned" doc:"value of the breakdown field, masked as in the events; null for visitors without one"`
	Step      int32     `col:"step,sort4" doc:"number of the step, from 1"`
	StepName  string    `col:"step_name" mask:"none" doc:"name of the step"`
	Visitors  int64     `col:"visitors" doc:"visitors who reached the step; exact, adds up over breakdowns"`
	Previous  int64     `col:"previous" doc:"visitors who reached the step before; for step 1 those who reached it"`
	Excluded  int64     `col:"excluded" doc:"visitors whom an exclusion event removed from the funnel; the same for each step"`
	TotalMs   *int64    `col:"total_ms,null" doc:"milliseconds from the step before, all visitors together; exact, adds up; null for step 1"`
	AverageMs *float64  `col:"average_ms,null" doc:"milliseconds from the step before, mean; null for step 1 and without visitors"`
	MedianMs  *float64  `col:"median_ms,null" doc:"milliseconds from the step before, median, exact; medians do not add up; null for step 1 and without visitors"`
	Version   int64     `col:"version" doc:"revision * 2^32 + visitors of the funnel and day; the greater one wins"`
}

// Columns of Step.
const (
	StepDay = iota
	StepFunnel
	StepBreakdown
	StepStep
	StepStepName
	StepVisitors
	StepPrevious
	StepExcluded
	StepTotalMs
	StepAverageMs
	StepMedianMs
	StepVersion
)

// Steps is the schema of Step.
var Steps = table.MustOf[Step]("funnel.steps", 1)
