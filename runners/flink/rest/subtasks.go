package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"millrace/runners/flink/fault"
)

// Watermark is an event time in milliseconds since 1970: earlier events are not
// expected any more.
type Watermark int64

// Flink's own beginning of time, and Beam's, which lies a little inside.
const (
	unset     = -1 << 63
	beamStart = unset / 1000
)

// lastEvent is the end of what events have as their time. The watermark of a
// stream that has ended lies beyond it: at the end of time, Flink's or Beam's, or
// where our source puts it, before these (docs/adr/0006).
const lastEvent Watermark = 253_402_214_400_000 // 9999-12-31

// Known tells whether there has been a watermark at all.
func (w Watermark) Known() bool { return w > beamStart }

// Final tells whether no event is expected any more.
func (w Watermark) Final() bool { return w >= lastEvent }

// Lag is how far the watermark is behind now; false when it is unknown or final.
func (w Watermark) Lag(now time.Time) (time.Duration, bool) {
	if !w.Known() || w.Final() {
		return 0, false
	}
	return now.Sub(time.UnixMilli(int64(w))), true
}

func (w Watermark) String() string {
	switch {
	case !w.Known():
		return "none"
	case w.Final():
		return "final"
	default:
		return time.UnixMilli(int64(w)).UTC().Format("2006-01-02T15:04:05.000Z")
	}
}

// Subtask is one of the parallel instances of a vertex.
type Subtask struct {
	Index       int
	State       string // "RUNNING"
	Attempt     int    // how often it was started again
	TaskManager string // its id
	Traffic
	// Input is the watermark that has come in, the least of all inputs; a source
	// has none. Output is the one that its last operator has handed on.
	Input, Output Watermark
}

// Subtasks tells of the parallel instances of a vertex.
func (c *Client) Subtasks(ctx context.Context, id, vertex string) ([]Subtask, error) {
	if !jobID.MatchString(vertex) { // the same form
		return nil, &fault.Error{
			Doing: "look at", Object: fmt.Sprintf("vertex %q of job %s", vertex, id), Class: fault.ErrInvalid,
			Cause: errors.New("a vertex's id has 32 hexadecimal digits"),
		}
	}
	if err := c.freshen(ctx, id); err != nil {
		return nil, err
	}
	var answer struct {
		Subtasks []struct {
			Index       int           `json:"subtask"`
			State       string        `json:"status"`
			Attempt     int           `json:"attempt"`
			TaskManager string        `json:"taskmanager-id"`
			Metrics     trafficAnswer `json:"metrics"`
		} `json:"subtasks"`
	}
	path := "/vertices/" + vertex
	if err := c.ofJob(ctx, "look at", id, http.MethodGet, path, nil, &answer); err != nil {
		return nil, err
	}
	subtasks := make([]Subtask, len(answer.Subtasks))
	for i, s := range answer.Subtasks {
		subtasks[i] = Subtask{
			Index: s.Index, State: s.State, Attempt: s.Attempt, TaskManager: s.TaskManager, Traffic: Traffic(s.Metrics),
			Input: unset, Output: unset,
		}
	}
	if err := c.watermarks(ctx, id, path, subtasks); err != nil {
		return nil, err
	}
	return subtasks, nil
}

// watermarks fills in the watermarks. Metrics are called
// SUBTASK.currentInputWatermark and SUBTASK.OPERATOR.currentOutputWatermark.
func (c *Client) watermarks(ctx context.Context, id, path string, subtasks []Subtask) error {
	names, err := c.metricNames(ctx, id, path+"/metrics")
	if err != nil {
		return err
	}
	var asked []string
	for _, name := range names {
		if strings.HasSuffix(name, ".currentInputWatermark") && strings.Count(name, ".") == 1 || strings.HasSuffix(name, ".currentOutputWatermark") {
			asked = append(asked, name)
		}
	}
	for _, names := range batches(asked) {
		values, err := c.metrics(ctx, id, path+"/metrics?get="+url.QueryEscape(names))
		if err != nil {
			return err
		}
		if err := setWatermarks(subtasks, values); err != nil {
			return err
		}
	}
	return nil
}

// longestQuery keeps a request line below the 4,096 bytes that Flink takes.
const longestQuery = 3000

// batches joins names by commas into as few texts as a request line can hold.
func batches(names []string) []string {
	var joined []string
	size := longestQuery
	for _, name := range names {
		n := len(url.QueryEscape(name + ","))
		if size += n; size > longestQuery {
			joined, size = append(joined, name), n
		} else {
			joined[len(joined)-1] += "," + name
		}
	}
	return joined
}

func setWatermarks(subtasks []Subtask, values map[string]string) error {
	for name, text := range values {
		index, metric, _ := strings.Cut(name, ".")
		i := slices.IndexFunc(subtasks, func(s Subtask) bool { return strconv.Itoa(s.Index) == index })
		if i < 0 {
			continue
		}
		value, err := number(text)
		if err != nil {
			return err
		}
		s, w := &subtasks[i], Watermark(value)
		switch {
		case metric == "currentInputWatermark":
			s.Input = w
		case !s.Output.Known() || w.Known() && w < s.Output:
			// A chain's operators hand on one after the other, so the last has
			// handed on the least. Those before the first watermark know none.
			s.Output = w
		}
	}
	return nil
}

type metricAnswer struct{ ID, Value string }

func (c *Client) metricNames(ctx context.Context, id, path string) ([]string, error) {
	var answer []metricAnswer
	if err := c.ofJob(ctx, "read the metrics of", id, http.MethodGet, path, nil, &answer); err != nil {
		return nil, err
	}
	names := make([]string, len(answer))
	for i, m := range answer {
		names[i] = m.ID
	}
	return names, nil
}

// metrics asks for values; those that Flink does not have are left out.
func (c *Client) metrics(ctx context.Context, id, path string) (map[string]string, error) {
	var answer []metricAnswer
	if err := c.ofJob(ctx, "read the metrics of", id, http.MethodGet, path, nil, &answer); err != nil {
		return nil, err
	}
	values := make(map[string]string, len(answer))
	for _, m := range answer {
		values[m.ID] = m.Value
	}
	return values, nil
}

// number parses a metric; none is 0.
func number(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read a metric of Flink: %w", err)
	}
	return n, nil
}
