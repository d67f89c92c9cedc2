package device

import "millrace/schemas/table"

// Flag is one thing that is odd about a reading. The reading itself stays.
type Flag struct {
	EventTime  table.Millis `col:"event_time,sort1,day" ts:"time" doc:"time of the reading, UTC"`
	Flag       string       `col:"flag,sort2" mask:"none" ts:"dimension" doc:"range, stuck, spike, duplicate, gap or reset"`
	ReadingID  table.ID     `col:"reading_id" ecs:"event.id" doc:"id of the reading; of a gap the first one after it"`
	DeviceID   string       `col:"device_id,sort3" mask:"token" ecs:"host.id" ts:"dimension" doc:"keyed token of the device"`
	Subject    string       `col:"subject" mask:"token" doc:"keyed token of whom or what was measured: the patient, else the asset, else the device"`
	Code       string       `col:"code,sort4" mask:"none" ts:"dimension" doc:"standard code of what was measured"`
	Value      float64      `col:"value" doc:"value of the reading, in unit"`
	Unit       string       `col:"unit" mask:"none" doc:"UCUM unit of value"`
	Reference  *float64     `col:"reference,null" doc:"what value was held against: the limit of the range, the median before a spike, the counter before a reset; null for the others"`
	DurationMs *int64       `col:"duration_ms,null" doc:"how long nothing came (gap) or how long the value is known not to have changed (stuck), in milliseconds; null for the others"`
	Version    int64        `col:"version" doc:"revision * 2^32 + 1; the greater one wins"`
}

// Flags is the schema of Flag.
var Flags = table.MustOf[Flag]("device.flags", 1)

// Columns of Flag.
const (
	FlagTime = iota
	FlagFlag
	FlagReadingID
	FlagDevice
	FlagSubject
	FlagCode
	FlagValue
	FlagUnit
	FlagReference
	FlagDuration
	FlagVersion
)

// Rollup sums up one series in one minute.
type Rollup struct {
	WindowStart   table.Millis `col:"window_start,sort1,day" ts:"time" doc:"start of the minute, UTC"`
	DeviceID      string       `col:"device_id,sort2" mask:"token" ecs:"host.id" ts:"dimension" doc:"keyed token of the device"`
	Subject       string       `col:"subject,sort3" mask:"token" ts:"dimension" doc:"keyed token of whom or what was measured: the patient, else the asset, else the device"`
	Code          string       `col:"code,sort4" mask:"none" ts:"dimension" doc:"standard code of what was measured"`
	Display       string       `col:"display" mask:"none" doc:"what the code means"`
	Unit          string       `col:"unit" mask:"none" doc:"UCUM unit of the values; of a counter its unit a second, as the values are its rates"`
	WindowSeconds int32        `col:"window_seconds" doc:"length of the window: 60"`
	Count         int64        `col:"count" doc:"readings, without duplicates"`
	Flagged       int64        `col:"flagged" doc:"how many of them have a flag of range, stuck or spike; they count in what follows, too"`
	Min           *float64     `col:"min,null" doc:"least value; null where a counter has no rate, as after a reset"`
	Max           *float64     `col:"max,null" doc:"greatest value"`
	Mean          *float64     `col:"mean,null" doc:"arithmetic mean, of values added up in the order of time"`
	Last          *float64     `col:"last,null" doc:"last value"`
	P50           *float64     `col:"p50,null" doc:"median: the value at rank (n-1)/2 of n in order, rounded down; exact"`
	P95           *float64     `col:"p95,null" doc:"95th percentile, likewise"`
	Version       int64        `col:"version" doc:"revision * 2^32 + readings; the greater one wins"`
}

// Columns of Rollup.
const (
	RollupWindowStart = iota
	RollupDevice
	RollupSubject
	RollupCode
	RollupDisplay
	RollupUnit
	RollupWindowSeconds
	RollupCount
	RollupFlagged
	RollupMin
	RollupMax
	RollupMean
	RollupLast
	RollupP50
	RollupP95
	RollupVersion
)

// Rollups is the schema of Rollup.
var Rollups = table.MustOf[Rollup]("device.rollups", 1)

// Health is how a device did for one subject in one hour.
type Health struct {
	WindowStart   table.Millis `col:"window_start,sort1,day" ts:"time" doc:"start of the hour, UTC"`
	DeviceID      string       `col:"device_id,sort2" mask:"token" ecs:"host.id" ts:"dimension" doc:"keyed token of the device"`
	Subject       string       `col:"subject,sort3" mask:"token" ts:"dimension" doc:"keyed token of whom or what it measured; a device that is moved has a row for each"`
	WindowSeconds int32        `col:"window_seconds" doc:"length of the window: 3600"`
	Readings      int64        `col:"readings" doc:"readings, duplicates among them"`
	Codes         int64        `col:"codes" doc:"different codes among them"`
	FirstTime     table.Millis `col:"first_time" doc:"time of the first one, UTC"`
	LastTime      table.Millis `col:"last_time" doc:"time of the last one, UTC"`
	OutOfRange    int64        `col:"out_of_range" doc:"readings with the flag range"`
	Stuck         int64        `col:"stuck" doc:"readings with the flag stuck"`
	Spikes        int64        `col:"spikes" doc:"readings with the flag spike"`
	Duplicates    int64        `col:"duplicates" doc:"readings with the flag duplicate"`
	Gaps          int64        `col:"gaps" doc:"gaps that ended"`
	Resets        int64        `col:"resets" doc:"resets of counters"`
	ClockOffsetMs *int64       `col:"clock_offset_ms,null" doc:"mean of the device's clock minus the time of the event, in milliseconds, rounded towards 0; null when the device sends no time of its own"`
	Version       int64        `col:"version" doc:"revision * 2^32 + readings; the greater one wins"`
}

// Healths is the schema of Health.
var Healths = table.MustOf[Health]("device.health", 1)

// Score is the early warning score of one subject after one minute.
type Score struct {
	WindowStart   table.Millis `col:"window_start,sort1,day" ts:"time" doc:"start of the minute whose readings changed it, UTC"`
	Subject       string       `col:"subject,sort2" mask:"token" ts:"dimension" doc:"keyed token of the patient"`
	WindowSeconds int32        `col:"window_seconds" doc:"length of the window: 60"`
	Score         int32        `col:"score" doc:"NEWS2: the sum of the parameters' points, 0 to 20; of those that are missing nothing"`
	Highest       int32        `col:"highest" doc:"most points of one parameter; 3 alone is a reason to look"`
	Risk          string       `col:"risk" mask:"none" doc:"low, low_medium (a single parameter scores 3), medium (5 or 6) or high (7 and more)"`
	Complete      bool         `col:"complete" doc:"whether all seven parameters were measured within the hour"`
	Missing       string       `col:"missing" mask:"none" doc:"parameters that were not, separated by commas"`
	Parameters    string       `col:"parameters" mask:"none" doc:"points of each parameter, as respiration 1, spo2 2"`
	Version       int64        `col:"version" doc:"revision * 2^32 + readings of the minute; the greater one wins"`
}

// Scores is the schema of Score.
var Scores = table.MustOf[Score]("device.news2", 1)

// Grid is a series at regular times.
type Grid struct {
	GridTime table.Millis `col:"grid_time,sort1,day" ts:"time" doc:"a multiple of the step, UTC"`
	DeviceID string       `col:"device_id,sort2" mask:"token" ecs:"host.id" ts:"dimension" doc:"keyed token of the device"`
	Subject  string       `col:"subject,sort3" mask:"token" ts:"dimension" doc:"keyed token of whom or what was measured"`
	Code     string       `col:"code,sort4" mask:"none" ts:"dimension" doc:"standard code of what was measured"`
	Value    float64      `col:"value" doc:"the last value up to then, of a counter its last rate"`
	Unit     string       `col:"unit" mask:"none" doc:"UCUM unit of value"`
	AgeMs    int64        `col:"age_ms" doc:"how old that value was, in milliseconds; older than the step means that it is held"`
	Version  int64        `col:"version" doc:"revision * 2^32 + 1; the greater one wins"`
}

// Grids is the schema of Grid.
var Grids = table.MustOf[Grid]("device.grid", 1)

// Point is a reading as it travels to where its series is put in order. It is no
// output.
type Point struct {
	EventTime  table.Millis  `col:"event_time,sort1,day" doc:"when it was measured, UTC"`
	Source     string        `col:"source,sort2" mask:"hash" doc:"identity of the file or shard"`
	Sequence   *string       `col:"sequence,null,sort3" mask:"none" doc:"sequence number of the stream record; null for files"`
	Position   int64         `col:"position,sort4" doc:"position in the source"`
	ReadingID  table.ID      `col:"reading_id" doc:"id of the reading"`
	DeviceID   string        `col:"device_id" mask:"token" doc:"keyed token of the device"`
	Subject    string        `col:"subject" mask:"token" doc:"keyed token of whom or what was measured"`
	Patient    bool          `col:"patient" doc:"whether that is a patient"`
	Code       string        `col:"code" mask:"none" doc:"standard code"`
	Display    string        `col:"display" mask:"none" doc:"what the code means"`
	Unit       string        `col:"unit" mask:"none" doc:"UCUM unit"`
	Counter    bool          `col:"counter" doc:"whether it is a counter"`
	Value      float64       `col:"value" doc:"value in unit"`
	Low        float64       `col:"low" doc:"least value of the range"`
	High       float64       `col:"high" doc:"greatest value of the range"`
	DeviceTime *table.Millis `col:"device_time,null" doc:"time by the device's own clock"`
}

// Columns of Point.
const (
	PointTime = iota
	PointSource
	PointSequence
	PointPosition
	PointReadingID
	PointDevice
	PointSubject
	PointPatient
	PointCode
	PointDisplay
	PointUnit
	PointCounter
	PointValue
	PointLow
	PointHigh
	PointDeviceTime
)

// Points is the schema of Point.
var Points = table.MustOf[Point]("device.points", 1)
