package generate

import "iter"

// Line is one line of a log, in the order in which the farm writes them.
type Line struct {
	Server int    // of a farm: whose log it is written to, from 0
	Key    string // of others: by which lines are spread over a stream's shards
	At     int64  // Unix second at which it is written; never decreases
	Text   []byte // without line end; valid until the next line
}

// Farm is one run of the simulation. It belongs to one goroutine.
type Farm struct {
	// OnSession, when set before the run, is told every session of the truth, each
	// when it is over.
	OnSession func(Session)

	cfg    WeblogConfig
	rng    rng
	people people
	others []actor // numbered from cfg.Visitors on

	now, second int64 // the running second: Unix, and since the start
	last        int64 // second of the log's end, if it has one
	budget      budget
	wheel       wheel
	pipe        pipe
	stamp       stamp
	line        []byte // the line in the making
	target, ref []byte // parts of it

	written, limit int64   // lines so far; their number at the end, or no limit
	planned        int64   // lines that open visits will still write, by estimate
	jitter         float64 // how far the next visit lags the budget, in lines
	spent          spent
	duplicates     share
	malformed      share
	badRound       int
	longLeft       int
	oddRound       int

	orders   uint32
	crawlers int // first of them in others
	strays   int // first of them in others
	canaries canaries
	truth    tracker
	run      bool
}

// spent counts the lines planned for a kind of visit, to keep its share.
type spent struct{ bots, attacks, odd int64 }

// Weblog prepares the farm that cfg describes.
func Weblog(cfg WeblogConfig) (*Farm, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	f := &Farm{
		cfg:        cfg,
		rng:        newRNG(cfg.Seed, 1),
		people:     people{salt: mix(cfg.Seed), alone: cfg.Format == Common},
		budget:     newBudget(&cfg),
		pipe:       newPipe(cfg.Disorder + cfg.Shuffle),
		stamp:      newStamp(cfg.Zone),
		limit:      1<<63 - 1,
		last:       1<<62 - 1,
		duplicates: shareOf(cfg.Duplicates),
		malformed:  shareOf(cfg.Malformed),
		longLeft:   3,
	}
	if cfg.Lines > 0 {
		f.limit = cfg.Lines
	}
	if cfg.Days > 0 {
		f.last = cfg.seconds() - 1
	}
	if cfg.LongLine < 0 {
		f.longLeft = 0
	}
	f.canaries = newCanaries(&cfg)
	f.truth = newTracker(&cfg)
	f.hire()
	return f, nil
}

// hire lists everybody who is not one of the people, but for attackers.
func (f *Farm) hire() {
	f.others = append(f.others, restless)
	f.others = append(f.others, monitors...)
	f.crawlers = len(f.others)
	for _, c := range crawlers {
		for host := range crawlerHosts {
			f.others = append(f.others, actor{addr: c.network + octets[10+37*host], agent: c.agent, bot: true})
		}
	}
	f.strays = len(f.others)
	for i := range strayCount {
		f.others = append(f.others, actor{addr: "61." + octets[100+i/16] + "." + octets[i*7%256] + "." + octets[1+i], agent: "-"})
	}
	f.truth.attackers = f.cfg.Visitors + len(f.others)
}

// Lines runs the simulation, once. Stopping early is allowed; what Truth then
// says includes lines made but not yet written.
func (f *Farm) Lines() iter.Seq[Line] {
	return func(yield func(Line) bool) {
		if f.run {
			panic("generate: a farm runs once")
		}
		f.run = true
		f.pipe.yield = yield
		f.truth.onSession = f.OnSession
		f.startRegulars()
		for f.second = 0; !f.pipe.stopped && f.written < f.limit; f.second++ {
			f.tick()
			if f.second == f.last {
				f.fill()
				break
			}
		}
		f.pipe.drain(f.now)
		f.truth.finish(f)
	}
}

// Stop ends the run before its time: no more lines are made, and those on their
// way are still given. It is called while Lines runs, by the one who ranges over
// it.
func (f *Farm) Stop() { f.limit = min(f.limit, f.written) }

// tick lives one second.
func (f *Farm) tick() {
	f.now = f.cfg.Start.Unix() + f.second
	f.stamp.set(f.now)
	f.truth.setTime(f.now)
	f.pipe.flush(f.now)
	f.budget.grow(f.second, f.now)
	if !f.cfg.Steady {
		f.admit()
	}
	for f.open() {
		if v := f.wheel.pop(f.second); v != nil {
			f.advance(v)
		} else if f.cfg.Steady && float64(f.written) < f.budget.granted {
			f.startVisit() // its first line is due at once
		} else {
			return
		}
	}
}

// open tells whether more lines may be made.
func (f *Farm) open() bool { return f.written < f.limit && !f.pipe.stopped }

// admit starts visits until the lines written and planned meet the budget.
func (f *Farm) admit() {
	for float64(f.written+f.planned) < f.budget.granted+f.jitter {
		f.startVisit()
		f.jitter = float64(f.rng.exp()-expOne) * 10 / expOne
	}
}

// startVisit lets the kind of visit come that is furthest behind its share.
func (f *Farm) startVisit() {
	total := float64(f.written + f.planned + 100)
	switch {
	case float64(f.spent.odd) < total*oddShare:
		f.spent.odd++
		f.startOdd()
	case float64(f.spent.attacks) < total*f.cfg.Attacks:
		f.startAttack()
	case float64(f.spent.bots) < total*f.cfg.Bots:
		f.startCrawl()
	default:
		f.startPerson()
	}
}

// fill ends a run whose time is over: the planted values that are still to come,
// and the lines short of the number asked for, fall in the last second.
func (f *Farm) fill() {
	for f.canaries.left() > 0 && f.open() {
		f.plant(f.rng.n(f.cfg.Visitors))
	}
	for f.cfg.Lines > 0 && f.open() {
		v := visit{kind: person, who: int32(f.rng.n(f.cfg.Visitors)), page: f.newPage(product), source: 0}
		f.personPage(&v)
	}
}

// advance takes the next step of a visit and puts it back into the wheel, or ends
// it.
func (f *Farm) advance(v *visit) {
	before := f.written
	var wait int
	switch v.kind {
	case person:
		wait = f.stepPerson(v)
	case crawler:
		wait = f.stepCrawl(v)
	case regular:
		wait = f.stepRegular(v)
	case attacker:
		wait = f.stepAttack(v)
	case stray:
		f.odd(v)
		wait = over
	}
	if f.budget.until > 0 && v.kind != regular && f.second+int64(wait) > f.last {
		// The log ends first, and all its lines must be in it.
		wait = f.rng.n(int(f.last-f.second) + 1)
	}
	if used := int32(f.written - before); wait == over {
		f.planned -= int64(v.plan)
		f.wheel.free(v)
	} else {
		used = min(used, v.plan)
		v.plan -= used
		f.planned -= int64(used)
		f.wheel.put(v, f.second+int64(wait))
	}
}

// enter opens a visit that will write about plan lines.
func (f *Farm) enter(v visit, plan int) {
	v.plan = int32(plan)
	v.server = uint16(f.rng.n(f.cfg.Servers))
	f.planned += int64(plan)
	f.wheel.put(f.wheel.add(v), f.second)
}

// over is the wait of a visit that is over.
const over = -1
