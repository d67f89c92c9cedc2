package lakeio

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"
)

// Waiting says that a live job cannot go on since a sink besides the lake does not
// take its rows. A bundle that waits ends no earlier, and a runner's metrics travel
// with its end; so the worker notes it in the lake, where status looks.
type Waiting struct {
	Output string    `json:"output"`
	Since  time.Time `json:"since"`
	Noted  time.Time `json:"noted"` // the last time, every half minute while it waits
	Error  string    `json:"error"`
}

// waitingOld is when a note is that of a worker that is gone.
const waitingOld = 3 * time.Minute

func waitingDir(run string) string { return path.Join("_live", run, "waiting") + "/" }

// NoteWaiting writes the note of one writer of a run, id tells it from others.
func NoteWaiting(ctx context.Context, s Store, run, id string, w Waiting) error {
	return WriteJSON(ctx, s, waitingDir(run)+id+".json", w)
}

// EndWaiting removes it.
func EndWaiting(ctx context.Context, s Store, run, id string) error {
	return s.Delete(ctx, waitingDir(run)+id+".json")
}

// ReadWaiting gives, for each output, the note of who waits longest in a lake now.
func ReadWaiting(ctx context.Context, s Store, now time.Time) ([]Waiting, error) {
	infos, err := s.List(ctx, "_live/")
	if err != nil {
		return nil, err
	}
	var list []Waiting
	for _, info := range infos {
		if !strings.HasSuffix(path.Dir(info.Key), "/waiting") {
			continue
		}
		var w Waiting
		if err := ReadJSON(ctx, s, info.Key, &w); err != nil {
			continue // it has ended meanwhile
		}
		if now.Sub(w.Noted) > waitingOld {
			continue
		}
		i := slices.IndexFunc(list, func(o Waiting) bool { return o.Output == w.Output })
		switch {
		case i < 0:
			list = append(list, w)
		case w.Since.Before(list[i].Since):
			list[i] = w
		}
	}
	slices.SortFunc(list, func(a, b Waiting) int { return strings.Compare(a.Output, b.Output) })
	return list, nil
}
