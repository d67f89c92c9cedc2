package clean

// GridPoint is the value of a series at a regular time.
type GridPoint struct {
	Time  int64 // Unix milliseconds, a multiple of the step
	Value float64
	Age   int64 // milliseconds from the reading it comes from
}

// Resampler puts a series on a grid: at each multiple of the step the last value up to
// then, held for at most so long. Its fields are exported to be stored.
type Resampler struct {
	Value float64
	Time  int64 // of the last value
	Any   bool
	Done  int64 // points before it were given
}

// Until gives the points that are left before end, when all values before it are known.
// step and hold are milliseconds.
func (r *Resampler) Until(step, hold, end int64, emit func(GridPoint)) {
	if !r.Any {
		return
	}
	for t := next(max(r.Time, r.Done), step); t < end && t-r.Time <= hold; t += step {
		emit(GridPoint{t, r.Value, t - r.Time})
	}
	r.Done = max(r.Done, end)
}

// Next takes the next value in order of time and gives the points before it.
func (r *Resampler) Next(time int64, value float64, step, hold int64, emit func(GridPoint)) {
	r.Until(step, hold, time, emit)
	r.Time, r.Value, r.Any = time, value, true
}

// next is the first multiple of step from t on.
func next(t, step int64) int64 {
	if m := t % step; m > 0 {
		return t + step - m
	} else if m < 0 {
		return t - m
	}
	return t
}
