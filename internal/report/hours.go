package report

var hoursSection = section{
	ID: "hours", Title: "Hours of the week", Nav: "Hours", Half: true,
	data:  func(d *Data) any { return d.Traffic.Hours },
	chart: func(d *Data) any { return d.Traffic.Hours.chart() },
}

var weekdays = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// BusyHour is a weekday and hour with its mean requests.
type BusyHour struct {
	Day   string
	Hour  int
	Views float64
}

// Busiest is the weekday and hour with the most requests per day; nil when
// there are none.
func (h Hours) Busiest() *BusyHour {
	var best *BusyHour
	for d, days := range h.Days {
		for hour, n := range h.Views[d] {
			mean := float64(n) / float64(max(days, 1))
			if mean > 0 && (best == nil || mean > best.Views) {
				best = &BusyHour{weekdays[d], hour, mean}
			}
		}
	}
	return best
}

// Rows are the weekdays that have requests.
func (h Hours) Rows() (rows []HoursRow) {
	for d, days := range h.Days {
		if days > 0 {
			rows = append(rows, HoursRow{weekdays[d], days, h.Views[d]})
		}
	}
	return rows
}

// HoursRow is one weekday: how many of them were seen and the requests of each
// hour, summed over them.
type HoursRow struct {
	Weekday string    `json:"weekday"`
	Days    int64     `json:"days"`
	Views   [24]int64 `json:"views"`
}

func (h Hours) chart() any {
	return struct {
		Rows []HoursRow `json:"rows"`
	}{h.Rows()}
}
