// Package anomaly is the row type of scores.
package anomaly

import "millrace/schemas/table"

// Row is what a detector says of one series in one window.
type Row struct {
	WindowStart   table.Millis `col:"window_start,sort1,day" ts:"time" doc:"start of the window, UTC"`
	Series        string       `col:"series,sort2" mask:"none" ts:"dimension" doc:"which kind of series: what is counted"`
	SeriesKey     string       `col:"series_key,sort3" mask:"scanned" doc:"which of its kind, as column=value, masked as it is in its own output; empty where there is one"`
	WindowSeconds int32        `col:"window_seconds,sort4" ts:"dimension" doc:"length of the window"`
	Value         float64      `col:"value" doc:"what was counted in the window, or the share"`
	Empty         bool         `col:"empty" doc:"the window had no data of the series, and counts as 0"`
	Status        string       `col:"status" mask:"none" doc:"judged; learning for the first 150 windows, which have no score; missing for no finite number"`
	Score         *float64     `col:"score,null" doc:"how strange the value is where that is news, from 0 to 1, else 0; from 0.46 on it is an anomaly; null unless judged"`
	Strangeness   *float64     `col:"strangeness,null" doc:"how strange it is, news or not, from 0 to 1"`
	ExpectedLow   *float64     `col:"expected_low,null" doc:"98 in 100 values lie between this and expected_high at this time of day; null while too few are known"`
	ExpectedHigh  *float64     `col:"expected_high,null" doc:"see expected_low"`
	Explanation   string       `col:"explanation" mask:"none" doc:"of a score above 0 what each view of the detector contributed, the greatest first, from 0 to 1 each: level, day, week, envelope, rolling"`
	Version       int64        `col:"version" doc:"revision * 2^32 + 1; the greater one wins"`
}

// Columns of Row.
const (
	WindowStart = iota
	Series
	SeriesKey
	WindowSeconds
	Value
	Empty
	Status
	Score
	Strangeness
	ExpectedLow
	ExpectedHigh
	Explanation
	Version
)

// Rows is the schema of Row.
var Rows = table.MustOf[Row]("anomalies", 1)
