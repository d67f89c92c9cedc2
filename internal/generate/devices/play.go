package devices

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"time"

	"millrace/internal/generate"
)

// Each minute a patient has so many lines, and a machine.
const (
	patientLines = 5
	machineLines = 13
)

// PerMinute is how many readings a minute of event time has, but for gaps and bad lines.
func (c Config) PerMinute() int {
	c = c.withDefaults()
	return patientLines*c.Patients + machineLines*c.Machines
}

// ForRate chooses patients and machines, two to one or about, that give so many readings
// a minute of event time.
func (c Config) ForRate(perMinute float64) Config {
	machines := math.Floor(perMinute / (2*patientLines + machineLines))
	patients := math.Round((perMinute - machines*machineLines) / patientLines)
	c.Patients, c.Machines = int(max(1, min(patients, maxDevices))), int(min(machines, maxDevices))
	if c.Machines == 0 {
		c.Machines = -1
	}
	return c
}

// Play is a ward and a hall whose readings come when they are measured. It belongs to one
// goroutine, but for Stop.
type Play struct {
	s       *simulation
	end     time.Time // of event time; zero for none
	stopped bool
}

// ValidatePlay is Validate for playing, which may be for a short while.
func (c Config) ValidatePlay() error { return c.validate(time.Second) }

// NewPlay makes one from Start on; it goes on for ever when endless, and what is planted
// comes within the first Length.
func NewPlay(c Config, endless bool) (*Play, error) {
	if err := c.ValidatePlay(); err != nil {
		return nil, err
	}
	p := &Play{s: newSimulation(c)}
	if !endless {
		p.end = p.s.Start.Add(p.s.Length)
	}
	return p, nil
}

// Lines gives the lines in the order of their times.
func (p *Play) Lines() iter.Seq[generate.Line] {
	return func(yield func(generate.Line) bool) {
		for minute := int64(0); !p.stopped; minute++ {
			lines := p.s.minute(minute)
			slices.SortStableFunc(lines, func(a, b line) int {
				return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.device, b.device))
			})
			for _, l := range lines {
				if p.stopped || !p.end.IsZero() && !l.at.Before(p.end) {
					return
				}
				p.s.count(l)
				if !yield(generate.Line{Key: l.device, At: l.at.Unix(), Text: l.text}) {
					return
				}
			}
			if next := p.s.Start.Add(time.Duration(minute+1) * time.Minute); !p.end.IsZero() && !next.Before(p.end) {
				return
			}
		}
	}
}

// Stop ends the lines. It is called while Lines runs, by the one who ranges over it.
func (p *Play) Stop() { p.stopped = true }

// Truth is that of the lines given so far, and of all that is planted.
func (p *Play) Truth() Truth { return p.s.truth }

// WriteTruth writes what is true of the lines given so far, into dir.
func (p *Play) WriteTruth(dir string) error { return writeTruth(dir, p.s) }
