package generate

import (
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

// A naive reading of a log, by splitting strings and filling maps: what the truth
// is held against.

var fileShape = regexp.MustCompile(`\.(css|js|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|eot|otf|mp4|webm|mp3)$`)

type parsed struct {
	client, user, request, agent, referrer string
	at                                     time.Time
	status                                 int
	bytes                                  int64
}

// parse splits at the quotes: no generated field has one inside.
func parse(line string) (p parsed, ok bool) {
	parts := strings.Split(line, `"`)
	switch {
	case len(parts) == 7 && parts[4] == " " && parts[6] == "":
		p.referrer, p.agent = parts[3], parts[5]
	case len(parts) == 3:
		p.agent = "-"
	default:
		return p, false
	}
	head, stamp, found := strings.Cut(parts[0], " [")
	before, user, found2 := strings.Cut(head, " - ")
	if !found || !found2 {
		return p, false
	}
	p.user, p.request = user, parts[1]
	p.client = before[strings.LastIndexByte(before, ' ')+1:] // behind the host, if the log has one
	at, err := time.Parse("02/Jan/2006:15:04:05 -0700] ", stamp)
	if err != nil || at.Year() < 1995 {
		return p, false
	}
	p.at = at.UTC()
	numbers := strings.Fields(parts[2])
	if p.status, err = strconv.Atoi(numbers[0]); err != nil {
		return p, false
	}
	if numbers[1] != "-" {
		if p.bytes, err = strconv.ParseInt(numbers[1], 10, 64); err != nil {
			return p, false
		}
	}
	return p, true
}

func (p parsed) isPageView() bool {
	words := strings.Split(p.request, " ")
	if words[0] != "GET" || len(words) < 2 || p.status/100 != 2 && p.status != 304 {
		return false
	}
	path, _, _ := strings.Cut(words[1], "?")
	return !fileShape.MatchString(path) && path != "/robots.txt" && path != "/chat"
}

func (p parsed) visitor() string { return p.client + "\x00" + p.agent }

// recounted is the truth as far as a reader of the log can find it.
type recounted struct {
	Totals
	Classes  map[string]int64
	Days     map[string]Day
	Sessions map[Session]int
	Minutes  map[time.Time]Minute
}

func recount(lines []string, bots map[string]bool) recounted {
	r := recounted{Classes: map[string]int64{}, Days: map[string]Day{}, Sessions: map[Session]int{}, Minutes: map[time.Time]Minute{}}
	byVisitor := map[string][]parsed{}
	seen := map[string]bool{}
	for _, line := range lines {
		r.Lines++
		p, ok := parse(line)
		if !ok {
			r.Bad++
			continue
		}
		r.Events++
		r.Bytes += p.bytes
		r.Classes[strconv.Itoa(p.status/100)+"xx"]++
		name := p.at.Format(time.DateOnly)
		day := r.Days[name]
		day.Day = name
		day.Events++
		if p.isPageView() {
			r.PageViews++
			day.PageViews++
		}
		if key := name + p.visitor(); !seen[key] {
			seen[key] = true
			day.Visitors++
			if !bots[p.agent] {
				day.VisitorsWithoutBots++
			}
		}
		r.Days[name] = day
		m := r.Minutes[p.at.Truncate(time.Minute)]
		m.Minute = p.at.Truncate(time.Minute)
		m.Views++
		if p.status >= 500 {
			m.Errors++
		}
		r.Minutes[m.Minute] = m
		byVisitor[p.visitor()] = append(byVisitor[p.visitor()], p)
	}
	r.Visitors = int64(len(byVisitor))
	for _, events := range byVisitor {
		for _, s := range sessionsOf(events) {
			r.addSession(s)
		}
	}
	return r
}

func (r *recounted) addSession(s Session) {
	r.Totals.Sessions++
	r.Sessions[s]++
	name := s.Start.Format(time.DateOnly)
	day := r.Days[name]
	day.Sessions++
	r.Days[name] = day
}

// sessionsOf cuts one visitor's events: into chains at each pause of 30 minutes,
// and a chain at each midnight that it reaches after 24 hours or more.
func sessionsOf(events []parsed) (sessions []Session) {
	sort.SliceStable(events, func(i, j int) bool { return events[i].at.Before(events[j].at) })
	var chain time.Time
	for i, e := range events {
		midnight := e.at.Truncate(24 * time.Hour)
		paused := i == 0 || e.at.Sub(events[i-1].at) >= 30*time.Minute
		if paused {
			chain = e.at
		}
		if paused || events[i-1].at.Before(midnight) && midnight.Sub(chain) >= 24*time.Hour {
			sessions = append(sessions, Session{Client: e.client, UserAgent: e.agent, Start: e.at})
		}
		last := &sessions[len(sessions)-1]
		last.End = e.at
		last.Events++
	}
	return sessions
}
