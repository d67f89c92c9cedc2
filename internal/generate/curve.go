package generate

// hourly is the traffic of a shop over the hours of a day in UTC, in per mille of
// the mean: quiet at four in the morning, its peak at eight in the evening.
var hourly = [24]int{
	590, 430, 330, 270, 250, 300, 470, 730, 950, 1110, 1210, 1260,
	1300, 1270, 1230, 1220, 1240, 1300, 1430, 1630, 1720, 1600, 1270, 890,
}

// budget says how many lines should have been asked for by now. It grows every
// second by the rate times the weight of that minute of the day.
type budget struct {
	flat    bool
	mean    float64 // lines a second where the weight is one
	until   int64   // second after which it no longer grows; 0 for never
	granted float64
}

// newBudget plans for cfg. When lines and days are both fixed, asking ends half an
// hour before the log does (sooner for short logs), so that visits that are under
// way end in time.
func newBudget(cfg *WeblogConfig) budget {
	b := budget{flat: cfg.Flat, mean: cfg.Rate}
	if cfg.Rate == 0 {
		seconds := cfg.seconds()
		b.until = seconds - min(1800, seconds/20)
		var weights float64
		for t := int64(0); t < b.until; t += 60 {
			weights = float64(weights + float64(b.weight(cfg.Start.Unix()+t)*float64(min(60, b.until-t))))
		}
		b.mean = float64(cfg.Lines) / weights
	}
	return b
}

// weight is that of the minute of a Unix second, hours interpolated.
func (b *budget) weight(unix int64) float64 {
	if b.flat {
		return 1
	}
	minute := int(unix / 60 % 1440)
	here, next := hourly[minute/60], hourly[(minute/60+1)%24]
	return float64(here*60+(next-here)*(minute%60)) / 60_000
}

// grow adds the second t of the run.
func (b *budget) grow(t, unix int64) {
	if b.until == 0 || t < b.until {
		b.granted = float64(b.granted + float64(b.mean*b.weight(unix)))
	}
}
