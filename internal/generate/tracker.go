package generate

import (
	"strconv"
	"time"
)

const (
	gapSeconds = 1800 // a pause this long ends a session
	daySeconds = 86400
)

// tracker records the truth while lines are made. Events reach it in the order of
// their times, so it needs no sorting and no look-ahead.
type tracker struct {
	onSession func(Session)
	start     int64 // Unix second of the first tick
	day0      int64 // UTC day of it
	now       int64 // seconds since start

	total     Totals
	classes   [6]int64 // by first digit, 0 for others
	badCount  map[*badKind]int64
	days      []Day
	agents    map[string]*BotAgent
	attacks   []Attack
	attackers int // number of the first attacker
	incidents []Incident
	current   *Incident // the one that is on
	upcoming  int       // the first that is not over

	open []session // by number of the client
}

// session is the open session of a client, and its chain: the events since the
// last pause. Times are seconds since the start.
type session struct {
	start, last, chain int32
	events             int32
	day                int32 // 1 + the UTC day on which it was last seen, 0 for never
}

func newTracker(cfg *WeblogConfig) tracker {
	t := tracker{start: cfg.Start.Unix(), badCount: map[*badKind]int64{}, agents: map[string]*BotAgent{}}
	t.day0 = t.start / daySeconds
	t.open = make([]session, cfg.Visitors)
	t.incidents = planIncidents(cfg)
	return t
}

func (t *tracker) setTime(unix int64) {
	t.now = unix - t.start
	t.current = nil
	for t.upcoming < len(t.incidents) {
		i := &t.incidents[t.upcoming]
		if unix >= i.End.Unix() {
			t.upcoming++
			continue
		}
		if unix >= i.Start.Unix() {
			t.current = i
		}
		return
	}
}

func (t *tracker) bad(kind *badKind) { t.badCount[kind]++ }

// record notes one delivery of the line that q describes.
func (f *Farm) record(q *request) {
	t := &f.truth
	bot := q.bot && f.cfg.Format != Common // who gives no agent cannot say so
	t.total.Events++
	class := q.status / 100
	if class > 5 {
		class = 0
	}
	t.classes[class]++
	size := max(q.size, 0)
	t.total.Bytes += size
	day := t.today()
	day.Events++
	if q.page && q.method == "GET" && (class == 2 || q.status == 304) {
		t.total.PageViews++
		day.PageViews++
	}
	if t.current != nil {
		m := &t.current.Minutes[(f.now-t.current.Start.Unix())/60]
		m.Views++
		if class == 5 {
			m.Errors++
		}
	}
	if q.agent != "" || q.addr != "" { // somebody seen only once
		t.seeOnce(f, q)
		return
	}
	if n := int(q.who) - t.attackers; n >= 0 {
		t.attacked(&t.attacks[n], f.now, size)
	}
	first, firstToday := t.see(f, q.who)
	if first {
		t.total.Visitors++
	}
	if firstToday {
		day.Visitors++
		if !bot {
			day.VisitorsWithoutBots++
		}
	}
	if bot {
		t.botHit(f.agentOf(q), first)
	}
}

func (t *tracker) today() *Day {
	n := int((t.start+t.now)/daySeconds - t.day0)
	for len(t.days) <= n {
		day := time.Unix((t.day0+int64(len(t.days)))*daySeconds, 0).UTC()
		t.days = append(t.days, Day{Day: day.Format(time.DateOnly)})
	}
	return &t.days[n]
}

func (t *tracker) attacked(a *Attack, now, size int64) {
	at := time.Unix(now, 0).UTC()
	if a.Lines == 0 {
		a.Start = at
	}
	a.End = at
	a.Lines++
	a.Bytes += size
}

func (t *tracker) botHit(agent string, first bool) {
	b := t.agents[agent]
	if b == nil {
		b = &BotAgent{UserAgent: agent}
		t.agents[agent] = b
	}
	b.Hits++
	if first {
		b.Visitors++
	}
}

// see adds an event to the session of who, after ending the one before if this
// event begins another: after a pause, or at a UTC midnight that the chain reaches
// after 24 hours without one.
func (t *tracker) see(f *Farm, who int32) (first, firstToday bool) {
	for int(who) >= len(t.open) {
		t.open = append(t.open, session{})
	}
	s := &t.open[who]
	now := int32(t.now)
	day := int32((t.start+t.now)/daySeconds-t.day0) + 1
	midnight := int32((t.day0+int64(day)-1)*daySeconds - t.start)
	switch {
	case s.events == 0:
		s.start, s.chain = now, now
	case now-s.last >= gapSeconds:
		t.end(f, who)
		s.start, s.chain = now, now
	case s.day != day && s.chain <= midnight-daySeconds:
		t.end(f, who)
		s.start = now
	}
	first, firstToday = s.day == 0, s.day != day
	s.last, s.day = now, day
	s.events++
	return first, firstToday
}

// end writes the session of who and leaves none.
func (t *tracker) end(f *Farm, who int32) {
	s := &t.open[who]
	t.count(s.start)
	if t.onSession != nil {
		addr, agent := f.identity(who)
		t.onSession(Session{Client: addr, UserAgent: agent, Start: t.at(s.start), End: t.at(s.last), Events: int64(s.events)})
	}
	s.events = 0
}

func (t *tracker) count(start int32) {
	t.total.Sessions++
	t.days[(t.start+int64(start))/daySeconds-t.day0].Sessions++
}

func (t *tracker) at(seconds int32) time.Time { return time.Unix(t.start+int64(seconds), 0).UTC() }

// seeOnce records a client that nothing else is written about.
func (t *tracker) seeOnce(f *Farm, q *request) {
	day := t.today()
	t.total.Visitors++
	day.Visitors++
	day.VisitorsWithoutBots++
	t.count(int32(t.now))
	if t.onSession == nil {
		return
	}
	addr, agent := f.identity(q.who)
	if q.addr != "" {
		addr = q.addr
	}
	if q.agent != "" {
		agent = q.agent
	}
	at := t.at(int32(t.now))
	t.onSession(Session{Client: addr, UserAgent: agent, Start: at, End: at, Events: 1})
}

// finish ends every session that is open.
func (t *tracker) finish(f *Farm) {
	for who := range t.open {
		if t.open[who].events > 0 {
			t.end(f, int32(who))
		}
	}
}

// identity is what tells a client from others in the log.
func (f *Farm) identity(who int32) (addr, agent string) {
	if f.isPerson(who) {
		addr, agent = string(f.people.appendAddr(nil, int(who))), f.people.agent(int(who))
	} else {
		addr, agent = f.other(who).addr, f.other(who).agent
	}
	if f.cfg.Format == Common {
		agent = "-"
	}
	return addr, agent
}

// planIncidents places one incident in each day of the run: the site fails for
// some minutes.
func planIncidents(cfg *WeblogConfig) []Incident {
	r := newRNG(cfg.Seed, 2)
	seconds := cfg.seconds()
	n := max(1, seconds/daySeconds)
	part := seconds / n
	incidents := make([]Incident, 0, n)
	for i := range n {
		length := min(900, max(60, part/20/60*60))
		at := cfg.Start.Unix() + i*part + part/4 + int64(r.n(int(part/2+1)))
		from := time.Unix(at/60*60, 0).UTC()
		incident := Incident{Start: from, End: from.Add(time.Duration(length) * time.Second), FailPercent: r.between(35, 85)}
		for m := from; m.Before(incident.End); m = m.Add(time.Minute) {
			incident.Minutes = append(incident.Minutes, Minute{Minute: m})
		}
		incidents = append(incidents, incident)
	}
	return incidents
}

// zoneName is an offset as the log writes it.
func zoneName(offset time.Duration) string {
	minutes, sign := int(offset/time.Minute), "+"
	if minutes < 0 {
		minutes, sign = -minutes, "-"
	}
	return sign + strconv.Itoa(10_000 + minutes/60*100 + minutes%60)[1:]
}
