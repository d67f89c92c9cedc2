package vectors

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// SessionEvent is an event of sessions.json.
type SessionEvent struct {
	ID, User, Type, Page, Campaign string
	T                              int64 // Unix milliseconds
}

// Line is the event as a line of an access log in combined format: a page view by
// someone whom address and agent name. The format knows whole seconds.
func (e SessionEvent) Line(address, agent string) (string, error) {
	if e.Type != "page" || e.Campaign != "" || e.T%1000 != 0 {
		return "", fmt.Errorf("event %s: only a page view without a campaign, on a whole second, is written as a line", e.ID)
	}
	at := time.UnixMilli(e.T).UTC().Format("02/Jan/2006:15:04:05 -0700")
	return fmt.Sprintf(`%s - - [%s] "GET %s HTTP/1.1" 200 100 "-" "%s"`, address, at, e.Page, agent), nil
}

// Session is a session as sessions.json has it. Op says what becomes of its row, where
// rows change: Upsert, or Delete, which has only the id.
type Session struct {
	Op         string
	ID         string `json:"session_id"`
	Start, End int64  // Unix milliseconds
	Duration   int64  `json:"duration_ms"`
	Events     int64
	Pages      int64
	Entry      *string // null without a page view
	Exit       *string
	Bounce     bool
}

// Values of Session.Op.
const (
	Upsert = "upsert"
	Delete = "delete"
)

// LateMerge is a case of late events that join open sessions into one.
type LateMerge struct {
	ID      string
	Gap     int64 `json:"gap_ms"`
	Batches []struct {
		Events []SessionEvent
		Emit   []Session // what changes with these events
	}
}

// LateMerges reads the cases of sessions.json.
func LateMerges() ([]LateMerge, error) {
	var file struct{ Late []LateMerge }
	if err := Read("sessions.json", &file); err != nil {
		return nil, err
	}
	if len(file.Late) == 0 {
		return nil, errors.New("sessions.json has no late events")
	}
	return file.Late, nil
}

// Emitted are the changes of all batches.
func (l *LateMerge) Emitted() (all []Session) {
	for _, b := range l.Batches {
		all = append(all, b.Emit...)
	}
	return all
}

// Final are the sessions that the changes leave, by start and without an Op.
func (l *LateMerge) Final() []Session {
	left := map[string]Session{}
	for _, s := range l.Emitted() {
		delete(left, s.ID)
		if s.Op == Upsert {
			s.Op = ""
			left[s.ID] = s
		}
	}
	var list []Session
	for _, s := range left {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Session) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID)) })
	return list
}

// User is the one whose events they are.
func (l *LateMerge) User() (string, error) {
	var user string
	for _, b := range l.Batches {
		for _, e := range b.Events {
			if user != "" && e.User != user {
				return "", fmt.Errorf("case %s has events of %s and of %s, want one user", l.ID, user, e.User)
			}
			user = e.User
		}
	}
	return user, nil
}

// Lines are the events as lines of an access log, batch by batch, see
// SessionEvent.Line.
func (l *LateMerge) Lines(address, agent string) ([][]string, error) {
	batches := make([][]string, len(l.Batches))
	for i, b := range l.Batches {
		for _, e := range b.Events {
			line, err := e.Line(address, agent)
			if err != nil {
				return nil, fmt.Errorf("case %s: %w", l.ID, err)
			}
			batches[i] = append(batches[i], line)
		}
	}
	return batches, nil
}

// Horizons are the latest watermarks at which nothing is late that a later batch
// brings: for each batch but the last, the time of the first event of those behind it.
func (l *LateMerge) Horizons() []int64 {
	var horizons []int64
	for i := range l.Batches[1:] {
		first := l.Batches[i+1].Events[0].T
		for _, b := range l.Batches[i+1:] {
			for _, e := range b.Events {
				first = min(first, e.T)
			}
		}
		horizons = append(horizons, first)
	}
	return horizons
}
