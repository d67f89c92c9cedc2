package devices

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// Config says what is simulated.
type Config struct {
	Seed     uint64
	Start    time.Time     // of the first reading; 2026-03-02 00:00 UTC when zero
	Length   time.Duration // 6 hours when zero
	Patients int           // 4 when zero; none when negative
	Machines int           // 3 when zero; none when negative
	Canaries bool          // whether personal data is planted beyond the names of patients
}

func (c Config) withDefaults() Config {
	if c.Start.IsZero() {
		c.Start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	}
	if c.Length == 0 {
		c.Length = 6 * time.Hour
	}
	if c.Patients == 0 {
		c.Patients = 4
	}
	if c.Machines == 0 {
		c.Machines = 3
	}
	c.Patients, c.Machines = max(c.Patients, 0), max(c.Machines, 0)
	return c
}

// maxDevices is how many patients and machines there can be, of each.
const maxDevices = 100_000

// Validate reports what cannot be simulated.
func (c Config) Validate() error { return c.validate(time.Hour) }

func (c Config) validate(shortest time.Duration) error {
	c = c.withDefaults()
	var faults []error
	if c.Length < shortest || c.Length > 366*24*time.Hour {
		faults = append(faults, errors.New("--hours: must be from 1 to 8784"))
	}
	if c.Patients > maxDevices || c.Machines > maxDevices || c.Patients+c.Machines == 0 {
		faults = append(faults, fmt.Errorf("--patients and --machines: up to %d each, and one of them at least", maxDevices))
	}
	return errors.Join(faults...)
}

// Event is something that was planted.
type Event struct {
	Kind   string    `json:"kind"` // range, spike, stuck, duplicate, gap, reset, deterioration or silence
	Device string    `json:"device"`
	Code   string    `json:"code,omitempty"` // standard code
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
}

// Truth is what is true of the lines.
type Truth struct {
	Lines    int64            `json:"lines"`
	Readings int64            `json:"readings"`
	Bad      map[string]int64 `json:"bad"` // by reason
	ByDevice map[string]int64 `json:"by_device"`
	ByCode   map[string]int64 `json:"by_code"`
	Events   []Event          `json:"events"`
	Canaries []string         `json:"-"`
}

// vital is a vital sign as a monitor sends it.
type vital struct {
	raw, standard, unit string
	base, noise         int // tenths
	worse               int // tenths by which it changes while a patient gets worse
}

var vitals = []vital{
	{"147842", "8867-4", "/min", 720, 30, 650},
	{"151562", "9279-1", "/min", 150, 10, 120},
	{"150456", "59408-5", "%", 970, 8, -70},
	{"150021", "8480-6", "mm[Hg]", 1200, 40, -330},
	{"150364", "8310-5", "Cel", 368, 1, 22},
}

// machine measures.
var measures = []vital{
	{"temperature", "temperature", "Cel", 600, 12, 0},
	{"vibration", "vibration", "mm/s", 45, 3, 0},
}

type simulation struct {
	Config
	rng     *rand.Rand
	truth   Truth
	buf     []byte
	planted int                         // canaries
	plan    map[string]map[string]Event // by device and kind
	sent    map[string]int64            // device sequence
	total   map[string]int64            // energy counters, Wh
}

// line is one of a device, with what it adds to the truth: a reading of a standard code,
// or a bad record.
type line struct {
	at                         time.Time
	device, code, bad, planted string // planted is a value that must be found nowhere
	text                       []byte
}

func newSimulation(c Config) *simulation {
	s := &simulation{
		Config: c.withDefaults(), rng: rand.New(rand.NewPCG(c.Seed, 0xde71ce)),
		truth: Truth{Bad: map[string]int64{}, ByDevice: map[string]int64{}, ByCode: map[string]int64{}},
		plan:  map[string]map[string]Event{}, sent: map[string]int64{}, total: map[string]int64{},
	}
	s.plant()
	return s
}

// Simulate gives the lines, without line ends, in the order in which they arrive: mostly
// that of their times, those of a minute in any order.
func Simulate(c Config, emit func(line []byte) error) (Truth, error) {
	if err := c.Validate(); err != nil {
		return Truth{}, err
	}
	s := newSimulation(c)
	err := s.simulate(emit)
	return s.truth, err
}

func (s *simulation) simulate(emit func(line []byte) error) error {
	for minute := range int64(s.Length / time.Minute) {
		lines := s.minute(minute)
		s.rng.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		for _, l := range lines {
			s.count(l)
			if err := emit(l.text); err != nil {
				return err
			}
		}
	}
	return nil
}

// Patient and machine names; the former are personal data.
func (s *simulation) patient(i int) string {
	return fmt.Sprintf("Patient %s-%05d", firstNames[i%16], i)
}
func (s *simulation) monitor(i int) string { return fmt.Sprintf("monitor-%05d", i) }
func (s *simulation) machine(i int) string { return fmt.Sprintf("machine-%05d", i) }

var firstNames = []string{"Ada", "Ben", "Cleo", "Dara", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jana", "Kim", "Leo", "Mia", "Nils", "Ona", "Per"}

// plant decides what happens to whom, in minutes that do not touch each other.
func (s *simulation) plant() {
	minutes := int(s.Length / time.Minute)
	if minutes < 60 {
		return // too short for a story
	}
	at := func(from, length int) (time.Time, time.Time) {
		return s.Start.Add(time.Duration(from) * time.Minute), s.Start.Add(time.Duration(from+length) * time.Minute)
	}
	note := func(kind, device, code string, from, length int) {
		e := Event{Kind: kind, Device: device, Code: code}
		e.From, e.To = at(from, length)
		if s.plan[device] == nil {
			s.plan[device] = map[string]Event{}
		}
		s.plan[device][kind] = e
		s.truth.Events = append(s.truth.Events, e)
	}
	for i := range s.Patients {
		switch i % 4 {
		case 0:
			note("deterioration", s.monitor(i), "", minutes/3, minutes/3)
		case 1:
			note("spike", s.monitor(i), "8867-4", minutes/2, 1)
			note("range", s.monitor(i), "8310-5", minutes/4, 1)
		case 2:
			note("gap", s.monitor(i), "", minutes/2, 12)
		case 3:
			note("duplicate", s.monitor(i), "59408-5", minutes/2, 1)
		}
	}
	for i := range s.Machines {
		switch i % 3 {
		case 0:
			note("reset", s.machine(i), "energy", minutes/2, 1)
		case 1:
			note("stuck", s.machine(i), "temperature", minutes/4, min(40, minutes/4))
		case 2:
			long := max(40, minutes/5) // it comes back when half of that is over
			note("silence", s.machine(i), "", minutes-long, long/2)
		}
	}
}

// during tells whether something planted happens to a device at a time.
func (s *simulation) during(device, kind string, t time.Time) bool {
	e, ok := s.plan[device][kind]
	return ok && !t.Before(e.From) && t.Before(e.To)
}

// minute gives the lines of a minute.
func (s *simulation) minute(n int64) (lines []line) {
	t := s.Start.Add(time.Duration(n) * time.Minute)
	for i := range s.Patients {
		lines = s.patientMinute(lines, i, t)
	}
	for i := range s.Machines {
		lines = s.machineMinute(lines, i, t)
	}
	if n%30 == 7 {
		lines = s.bad(lines, t, n)
	}
	return lines
}

func (s *simulation) patientMinute(lines []line, i int, t time.Time) []line {
	device := s.monitor(i)
	if s.during(device, "gap", t) {
		return lines
	}
	for k, v := range vitals {
		at := t.Add(time.Duration(5+k*7+i%5) * time.Second)
		value := v.base + s.rng.IntN(2*v.noise+1) - v.noise
		if e, ok := s.plan[device]["deterioration"]; ok && !t.Before(e.From) {
			// A patient gets worse over the first half and stays so.
			value += v.worse * min(int(t.Sub(e.From)/time.Minute), int(e.To.Sub(e.From)/time.Minute)/2) / max(1, int(e.To.Sub(e.From)/time.Minute)/2)
		}
		if v.standard == "59408-5" {
			value = min(value, 1000)
		}
		if s.during(device, "spike", t) && v.standard == "8867-4" {
			value = 1900
		}
		if s.during(device, "range", t) && v.standard == "8310-5" {
			value = 990
		}
		unit, text := v.unit, tenths(value)
		if v.unit == "Cel" && i%2 == 1 {
			unit, text = "[degF]", hundredths(value*18+3200)
		}
		quality, planted := "", ""
		if s.Canaries && k == 0 && t.Minute() == 0 {
			planted = s.canary("email")
			quality = "call " + planted
		}
		line := s.line(device, s.patient(i), "", v.raw, v.standard, text, unit, at, quality)
		line.planted = planted
		lines = append(lines, line)
		if s.during(device, "duplicate", t) && v.standard == "59408-5" {
			lines = append(lines, line)
		}
	}
	return lines
}

func (s *simulation) machineMinute(lines []line, i int, t time.Time) []line {
	device := s.machine(i)
	if s.during(device, "silence", t) {
		return lines
	}
	for _, m := range measures {
		for second := 0; second < 60; second += 10 {
			at := t.Add(time.Duration(second+i%10) * time.Second)
			value := m.base + s.rng.IntN(2*m.noise+1) - m.noise
			if s.during(device, "stuck", t) && m.standard == "temperature" {
				value = m.base
			}
			lines = append(lines, s.line(device, "", "hall-"+strconv.Itoa(i/10), m.raw, m.standard, tenths(value), m.unit, at, ""))
		}
	}
	if s.during(device, "reset", t) {
		s.total[device] = 0
	}
	s.total[device] += int64(80 + s.rng.IntN(9))
	return append(lines, s.line(device, "", "hall-"+strconv.Itoa(i/10), "energy", "energy", strconv.FormatInt(s.total[device], 10), "W.h", t.Add(30*time.Second), ""))
}

// bad gives lines that cannot become readings.
func (s *simulation) bad(lines []line, t time.Time, n int64) []line {
	stamp := t.UTC().Format(time.RFC3339)
	named, planted := "unknown-code", ""
	if s.Canaries && n/30%4 == 0 {
		planted = s.canary("email")
		named = planted
	}
	for i, bad := range []struct{ reason, line string }{
		{"code", `{"event_time":"` + stamp + `","device_id":"monitor-x","code":"` + named + `","value":1}`},
		{"unit", `{"event_time":"` + stamp + `","device_id":"monitor-x","code":"8867-4","value":70,"unit":"bpm"}`},
		{"truncated", `{"event_time":"` + stamp + `","device_id":"monitor-x","co`},
		{"number", `{"event_time":"` + stamp + `","device_id":"monitor-x","code":"8867-4","value":"seventy"}`},
	} {
		if int64(i) == n/30%4 {
			lines = append(lines, line{at: t, device: "monitor-x", bad: bad.reason, planted: planted, text: []byte(bad.line)})
		}
	}
	return lines
}

func (s *simulation) line(device, patient, asset, raw, standard, value, unit string, at time.Time, quality string) line {
	s.sent[device]++
	b := s.buf[:0]
	b = append(b, `{"event_time":"`...)
	b = at.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	member := func(name, text string) {
		if text != "" {
			b = append(append(append(append(append(b, `,"`...), name...), `":"`...), text...), '"')
		}
	}
	b = append(b, '"')
	member("device_id", device)
	member("patient_id", patient)
	member("asset_id", asset)
	member("code", raw)
	b = append(append(b, `,"value":`...), value...)
	member("unit", unit)
	b = append(append(b, `,"device_time":`...), strconv.FormatInt(at.UnixMilli()+250, 10)...)
	b = append(append(b, `,"sequence":`...), strconv.FormatInt(s.sent[device], 10)...)
	member("quality", quality)
	b = append(b, '}')
	s.buf = b
	return line{at: at, device: device, code: standard, text: append([]byte(nil), b...)}
}

// count adds a line that is given to the truth.
func (s *simulation) count(l line) {
	s.truth.Lines++
	if l.planted != "" {
		s.truth.Canaries = append(s.truth.Canaries, l.planted)
	}
	if l.bad != "" {
		s.truth.Bad[l.bad]++
		return
	}
	s.truth.Readings++
	s.truth.ByDevice[l.device]++
	s.truth.ByCode[l.code]++
}

// canary is personal data that must be found nowhere.
func (s *simulation) canary(kind string) string {
	text := fmt.Sprintf("%s.%x%04d@example.com", kind, s.rng.Uint64()>>16, s.planted)
	s.planted++
	return text
}

func tenths(v int) string { return point(v, 10, 1) }

func hundredths(v int) string { return point(v, 100, 2) }

// point writes a number that is not negative with so many places.
func point(v, unit, places int) string { return fmt.Sprintf("%d.%0*d", v/unit, places, v%unit) }
