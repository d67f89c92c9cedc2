package live

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"millrace/internal/generate"
	"millrace/internal/generate/devices"
)

// Script is what is played.
type Script struct {
	Start time.Time // of event time; zero for now
	Rate  float64   // of the clock: the most lines of a second, if nothing holds them up
	Lines int64     // in all; 0 where that is not known
	// Open makes the simulation, which begins at a time.
	Open func(start time.Time) (Simulation, error)
}

// Simulation gives lines with their keys in the order of their times. One that is an
// io.Closer is closed.
type Simulation interface {
	Lines() iter.Seq[generate.Line]
	// Stop ends the lines, but for those on their way.
	Stop()
	// WriteTruth writes what is true of the lines that were given into a folder.
	WriteTruth(dir string) error
}

// farmScript is that of the options' farm.
func (o Options) farmScript() *Script {
	cfg := o.farm()
	return &Script{Start: cfg.Start, Rate: o.Farm.Rate, Lines: o.Farm.Lines, Open: func(start time.Time) (Simulation, error) {
		cfg.Start = start
		farm, err := generate.Weblog(cfg)
		if err != nil {
			return nil, err
		}
		f := &farmSimulation{Farm: farm}
		for server := range cfg.Servers {
			f.keys = append(f.keys, fmt.Sprintf("web-%02d", server+1))
		}
		if o.TruthDir != "" {
			f.truth, err = generate.CreateTruth(o.TruthDir, farm)
		}
		return f, err
	}}
}

type farmSimulation struct {
	*generate.Farm
	keys  []string             // of servers
	truth *generate.TruthFiles // nil for none
}

func (f *farmSimulation) Lines() iter.Seq[generate.Line] {
	return func(yield func(generate.Line) bool) {
		for line := range f.Farm.Lines() {
			line.Key = f.keys[line.Server]
			if !yield(line) {
				return
			}
		}
	}
}

func (f *farmSimulation) WriteTruth(string) error { return f.truth.Publish() }

// Close removes what was not published.
func (f *farmSimulation) Close() error {
	if f.truth == nil {
		return nil
	}
	return f.truth.Abandon()
}

// Shop is the script of a shop: rate is in lines a second of the clock, of which speed is
// how many seconds of event time pass in one; lines is how many to give, 0 for no end.
func Shop(c generate.ClickConfig, rate, speed float64, lines int64) (*Script, error) {
	c.Events = lines
	if lines == 0 {
		c.Events = 1 << 40 // enough for whatever is planted
	}
	if c.Visitors == 0 {
		c.Visitors = generate.VisitorsFor(rate / speed)
	}
	if err := errors.Join(c.Validate(), positive(rate, speed)); err != nil {
		return nil, err
	}
	return &Script{Start: c.Start, Rate: rate, Lines: lines, Open: func(start time.Time) (Simulation, error) {
		c.Start = start
		return generate.NewOpenShop(c, rate/speed, lines), nil
	}}, nil
}

// Ward is the script of a ward and a hall: length is in event time, 0 for no end. The rate
// follows from the devices, see devices.Config.ForRate.
func Ward(c devices.Config, speed float64, length time.Duration) (*Script, error) {
	if length > 0 {
		c.Length = length
	}
	if err := positive(1, speed); err != nil {
		return nil, err
	}
	if err := c.ValidatePlay(); err != nil {
		return nil, err
	}
	// Devices measure at the same seconds of a minute.
	const peak = 8
	return &Script{Start: c.Start, Rate: peak * float64(c.PerMinute()) / 60 * speed, Open: func(start time.Time) (Simulation, error) {
		c.Start = start
		return devices.NewPlay(c, length == 0)
	}}, nil
}

func positive(rate, speed float64) error {
	if !(rate > 0) || !(speed > 0) {
		return fmt.Errorf("generate: rate %g and speed %g have to be above zero", rate, speed)
	}
	return nil
}
