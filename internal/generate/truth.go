package generate

import (
	"cmp"
	"slices"
	"time"
)

// Truth is what a correct analysis of the logs finds. A line delivered twice is two
// events, being at two places; a log delivered twice is one.
type Truth struct {
	Config Settings `json:"config"`
	Totals
	BadByKind     map[string]int64 `json:"bad_by_kind"`
	BadByReason   map[string]int64 `json:"bad_by_reason"`  // an over-long line is too_long where a limit is below its length, else format
	StatusClasses map[string]int64 `json:"status_classes"` // of events; as the traffic output names them
	Days          []Day            `json:"days"`           // UTC
	Incidents     []Incident       `json:"incidents"`
	BotAgents     []BotAgent       `json:"bot_agents"`
	AttackLines   map[string]int64 `json:"attack_lines"`
	CanariesOf    map[string]int64 `json:"canaries"` // values planted, by type
	Files         []File           `json:"files,omitempty"`

	Attacks []Attack `json:"-"` // truth_attacks.ndjson
}

// Settings are those of the run, defaults filled in.
type Settings struct {
	Seed       uint64    `json:"seed"`
	Lines      int64     `json:"lines,omitempty"`
	Days       int       `json:"days,omitempty"`
	Rate       float64   `json:"rate,omitempty"`
	Flat       bool      `json:"flat"`
	Steady     bool      `json:"steady,omitempty"`
	Start      time.Time `json:"start"`
	Zone       string    `json:"zone"`
	Format     Format    `json:"format"`
	Servers    int       `json:"servers"`
	Visitors   int       `json:"visitors"`
	Disorder   string    `json:"disorder"`
	Shuffle    string    `json:"shuffle,omitempty"`
	Duplicates float64   `json:"duplicates"`
	Malformed  float64   `json:"malformed"`
	LongLine   int       `json:"long_line"`
	Bots       float64   `json:"bots"`
	Attacks    float64   `json:"attacks"`
	Canaries   int       `json:"canaries"`
	Gzip       bool      `json:"gzip"`
	Redeliver  int       `json:"redeliver"`
}

// Totals are counts over the whole log.
type Totals struct {
	Lines      int64 `json:"lines"` // events + bad
	Events     int64 `json:"events"`
	Bad        int64 `json:"bad"`
	Duplicated int64 `json:"duplicated"` // events whose line was delivered before
	PageViews  int64 `json:"page_views"` // GET, status 2xx or 304, not a file of the site
	Bytes      int64 `json:"bytes"`      // sum of the sizes logged
	Visitors   int64 `json:"visitors"`   // distinct pairs of client address and user agent
	Sessions   int64 `json:"sessions"`   // gap 30 minutes; a chain without one over 24 h is cut at midnight UTC
}

// Day is a UTC day.
type Day struct {
	Day                 string `json:"day"`
	Events              int64  `json:"events"`
	PageViews           int64  `json:"page_views"`
	Visitors            int64  `json:"visitors"`
	VisitorsWithoutBots int64  `json:"visitors_without_bots"`
	Sessions            int64  `json:"sessions"` // that begin on it
}

// Incident is a time in which the site answers a part of the requests with 5xx.
type Incident struct {
	Start       time.Time `json:"start"`
	End         time.Time `json:"end"` // exclusive
	FailPercent int       `json:"fail_percent"`
	Minutes     []Minute  `json:"minutes"`
}

// Minute is the traffic of one minute.
type Minute struct {
	Minute time.Time `json:"minute"`
	Views  int64     `json:"views"` // events
	Errors int64     `json:"errors_5xx"`
}

// BotAgent is a user agent that says itself that it is a program.
type BotAgent struct {
	UserAgent string `json:"user_agent"`
	Hits      int64  `json:"hits"`
	Visitors  int64  `json:"visitors"`
}

// Session is a session of the truth, by the client's address and user agent ("-"
// for none).
type Session struct {
	Client    string    `json:"client"`
	UserAgent string    `json:"user_agent"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"` // time of the last event
	Events    int64     `json:"events"`
}

// File is a log that was written.
type File struct {
	Name   string `json:"name"`
	Lines  int64  `json:"lines"`
	Bytes  int64  `json:"bytes"`             // decompressed
	CopyOf string `json:"copy_of,omitempty"` // the log that this one delivers again
}

// Truth is complete once the run is over.
func (f *Farm) Truth() Truth {
	t := &f.truth
	truth := Truth{
		Config: f.cfg.settings(), Totals: t.total, Days: t.days, Incidents: t.incidents,
		BadByKind: map[string]int64{}, BadByReason: map[string]int64{}, StatusClasses: map[string]int64{},
		AttackLines: map[string]int64{}, CanariesOf: map[string]int64{}, BotAgents: []BotAgent{},
	}
	for kind, n := range t.badCount {
		truth.Bad += n
		truth.BadByKind[kind.name] += n
		truth.BadByReason[string(kind.reason)] += n
	}
	truth.Lines = truth.Events + truth.Bad
	for class, n := range t.classes {
		if n > 0 {
			truth.StatusClasses[[...]string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"}[class]] = n
		}
	}
	for _, a := range t.attacks {
		if a.Lines > 0 {
			truth.Attacks = append(truth.Attacks, a)
			truth.AttackLines[a.Kind] += a.Lines
		}
	}
	for _, b := range t.agents {
		truth.BotAgents = append(truth.BotAgents, *b)
	}
	slices.SortFunc(truth.BotAgents, func(a, b BotAgent) int { return cmp.Compare(a.UserAgent, b.UserAgent) })
	for c := range f.Canaries {
		truth.CanariesOf[c.Type]++
	}
	return truth
}

func (cfg *WeblogConfig) settings() Settings {
	s := Settings{
		Seed: cfg.Seed, Lines: cfg.Lines, Days: cfg.Days, Rate: cfg.Rate, Flat: cfg.Flat, Start: cfg.Start, Zone: zoneName(cfg.Zone),
		Format: cfg.Format, Servers: cfg.Servers, Visitors: cfg.Visitors, Disorder: cfg.Disorder.String(), Duplicates: cfg.Duplicates,
		Malformed: cfg.Malformed, LongLine: cfg.LongLine, Bots: cfg.Bots, Attacks: cfg.Attacks, Canaries: cfg.Canaries,
		Gzip: cfg.Gzip, Redeliver: cfg.Redeliver, Steady: cfg.Steady,
	}
	if cfg.Shuffle > 0 {
		s.Shuffle = cfg.Shuffle.String()
	}
	return s
}
