package operate

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"millrace/io/driver"
	"millrace/runners/flink/rest"
)

// Status is how a job is doing. Times are UTC and by the JobManager's clock,
// durations in JSON are seconds.
type Status struct {
	Job
	Now         time.Time `json:"now"`
	Parallelism int       `json:"parallelism"`
	Restarts    int       `json:"restarts"` // since it was submitted

	// Watermark is the least of all stages: what lies before it is sealed. Lag is
	// how far it is behind now. Both are nil before the first, and when the source
	// has ended.
	Watermark *time.Time `json:"watermark,omitempty"`
	Lag       *float64   `json:"watermark_lag_seconds,omitempty"`
	// Ended tells that the source has ended and everything is sealed.
	Sealed bool    `json:"sealed"`
	Stages []Stage `json:"stages"`

	// What the workers have counted since they were last started.
	Read   Reading `json:"read"`
	Ledger Counts  `json:"ledger"`
	Wrote  Writing `json:"wrote"`
	// Shards of the stream, those that are worst off first.
	Shards []ReadShard `json:"shards"`

	Checkpoints Checkpoints `json:"checkpoints"`
	Failure     *Failure    `json:"last_failure,omitempty"`
	Lake        *Lake       `json:"lake,omitempty"`

	Healthy  bool      `json:"healthy"`
	Findings []Finding `json:"findings"`
}

// Stage is a vertex of the job: steps that run together.
type Stage struct {
	Name        string     `json:"name"`
	Source      bool       `json:"source"` // it reads the stream
	State       string     `json:"state"`
	Parallelism int        `json:"parallelism"`
	Watermark   *time.Time `json:"watermark,omitempty"` // the least of its subtasks
	Lag         *float64   `json:"watermark_lag_seconds,omitempty"`
	In          int64      `json:"elements_in"` // across the borders of the stage; blocks, not records
	Out         int64      `json:"elements_out"`
	BytesIn     int64      `json:"bytes_in"`
	BytesOut    int64      `json:"bytes_out"`
	Retries     int64      `json:"retries"` // calls to the stream or the lake that were made again

	vertex string
	final  bool // no event is expected any more
}

// Reading is what came from the source.
type Reading struct {
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"`
	Rolls   int64 `json:"rolls"` // finished and put into the lake
	// Retries are calls that failed and were made again, Throttled those of them that the
	// service refused for their rate.
	Retries   int64 `json:"retries"`
	Throttled int64 `json:"throttled"`
}

// Writing is what went to the lake, and by output what went to sinks besides.
type Writing struct {
	Rows    map[string]int64   `json:"rows"` // of finished files, by output
	Retries int64              `json:"retries"`
	Sinks   map[string]Sending `json:"sinks,omitempty"`
}

// Sending counts the rows of an output that went to a sink.
type Sending struct {
	Sent    int64 `json:"sent"`
	Refused int64 `json:"refused"` // of these; they are in the lake's output refused
	Retries int64 `json:"retries"` // calls that failed and were made again
}

// Counts are the counters of the ledger. The lake's own is the account that
// lasts; these begin anew with a restart.
type Counts struct {
	In        int64 `json:"in"`
	Events    int64 `json:"events"`
	Bad       int64 `json:"bad"`
	Late      int64 `json:"late"`
	Duplicate int64 `json:"duplicate"`
	Skipped   int64 `json:"skipped"`
}

// Checkpoints tell how the state is being kept.
type Checkpoints struct {
	Completed int        `json:"completed"`
	Failed    int        `json:"failed"`
	Every     float64    `json:"interval_seconds"` // 0 when it is not known
	Last      *time.Time `json:"last,omitempty"`   // triggered
	Age       *float64   `json:"last_age_seconds,omitempty"`
	Duration  *float64   `json:"last_duration_seconds,omitempty"`
	Size      *int64     `json:"last_size_bytes,omitempty"`
	Path      string     `json:"last_path,omitempty"`
	Reason    string     `json:"last_failure,omitempty"`
	Restored  string     `json:"restored_from,omitempty"`

	failed time.Time // the last one that went wrong
}

// Reader reads the status of jobs.
type Reader struct {
	Client *rest.Client
	Lake   string // location; empty leaves it out
	// Memory is the folder where what was seen is kept, so that a watermark that
	// stands still shows; empty forgets.
	Memory string
	// StillAfter is for how long the watermark may stand while records come, or the reads
	// of a shard fail, until that is a problem; 0 is the package's StillAfter.
	StillAfter time.Duration
	// Clock is that of this machine; nil is time.Now. Only Memory and Lake need it.
	Clock func() time.Time
}

// Read tells how the job that name means is doing; see Find.
func (r Reader) Read(ctx context.Context, name string) (Status, error) {
	job, err := Find(ctx, r.Client, name)
	if err != nil {
		return Status{}, err
	}
	s := Status{Job: job}
	if err := r.readStages(ctx, &s); err != nil {
		return s, err
	}
	// The JobManager fetches metrics when it is first asked for them.
	for tries := 0; tries < 10 && s.State == rest.Running && !s.measured(); tries++ {
		select {
		case <-ctx.Done():
			return s, context.Cause(ctx)
		case <-time.After(300 * time.Millisecond):
		}
		if err := r.readStages(ctx, &s); err != nil {
			return s, err
		}
	}
	if s.Restarts, err = r.Client.Restarts(ctx, s.ID); err != nil {
		return s, err
	}
	if err := r.readCheckpoints(ctx, &s); err != nil {
		return s, err
	}
	if err := r.readFailures(ctx, &s); err != nil {
		return s, err
	}
	if r.Lake != "" {
		if s.Lake, err = readLake(ctx, r.Lake, r.clock()()); err != nil {
			return s, err
		}
	}
	s.judge(r.remember(&s), cmp.Or(r.StillAfter, StillAfter))
	return s, nil
}

func (r Reader) clock() func() time.Time {
	if r.Clock == nil {
		return time.Now
	}
	return r.Clock
}

// readStages fills in what Flink says of the job and of its stages.
func (r Reader) readStages(ctx context.Context, s *Status) error {
	job, err := r.Client.Job(ctx, s.ID)
	if err != nil {
		return err
	}
	s.State, s.Now, s.Parallelism = job.State, job.Now, job.Parallelism()
	s.Stages, s.Read, s.Ledger, s.Wrote, s.Shards = nil, Reading{}, Counts{}, Writing{Rows: map[string]int64{}, Sinks: map[string]Sending{}}, []ReadShard{}
	var figures []rest.UserMetric
	for _, v := range job.Vertices {
		stage := Stage{
			Name: stageName(v.Name), State: v.State, Parallelism: v.Parallelism, vertex: v.ID,
			In: v.ReadRecords, Out: v.WrittenRecords, BytesIn: v.ReadBytes, BytesOut: v.WrittenBytes,
		}
		subtasks, err := r.Client.Subtasks(ctx, s.ID, v.ID)
		if err != nil {
			return err
		}
		least, known := rest.Watermark(0), len(subtasks) > 0
		for i, t := range subtasks {
			known = known && t.Output.Known()
			if i == 0 || t.Output < least {
				least = t.Output
			}
		}
		if known {
			stage.final = least.Final()
			stage.Watermark, stage.Lag = at(least, s.Now)
		}
		metrics, err := r.Client.UserMetrics(ctx, s.ID, v.ID, "ledger", "millrace", driver.FiguresNamespace)
		if err != nil {
			return err
		}
		for _, m := range metrics {
			s.count(m, &stage)
		}
		figures = append(figures, metrics...)
		s.Stages = append(s.Stages, stage)
	}
	s.readShards(figures)
	s.sumUp()
	return nil
}

// count adds a counter of the pipeline.
func (s *Status) count(m rest.UserMetric, stage *Stage) {
	into := map[string]*int64{
		"ledger_in": &s.Ledger.In, "ledger_events": &s.Ledger.Events, "ledger_bad": &s.Ledger.Bad, "ledger_late": &s.Ledger.Late,
		"ledger_duplicate": &s.Ledger.Duplicate, "ledger_skipped": &s.Ledger.Skipped,
		"millrace_records": &s.Read.Records, "millrace_bytes": &s.Read.Bytes, "millrace_rolls": &s.Read.Rolls,
		"millrace_read-retries": &s.Read.Retries, "millrace_read-throttled": &s.Read.Throttled, "millrace_lake-retries": &s.Wrote.Retries,
	}
	if n := into[m.Name]; n != nil {
		*n += m.Value
	}
	if output, ok := strings.CutPrefix(m.Name, "millrace_rows-"); ok {
		s.Wrote.Rows[output] += m.Value
	}
	s.countSink(m, stage)
	if m.Name == "millrace_read-retries" || m.Name == "millrace_lake-retries" {
		stage.Retries += m.Value
	}
	if m.Name == "millrace_records" || m.Name == "millrace_watermark" {
		stage.Source = true
	}
}

// countSink adds a counter of a sink.
func (s *Status) countSink(m rest.UserMetric, stage *Stage) {
	name, ok := strings.CutPrefix(m.Name, "millrace_")
	what, output, named := strings.Cut(name, "-")
	sink := s.Wrote.Sinks[output]
	into := map[string]*int64{"sent": &sink.Sent, "refused": &sink.Refused, "retries": &sink.Retries}[what]
	if !ok || !named || into == nil {
		return
	}
	*into += m.Value
	s.Wrote.Sinks[output] = sink
	if what == "retries" {
		stage.Retries += m.Value
	}
}

// sumUp takes the watermark of the job from those of its stages. The beginnings
// of a pipeline, which hand out what there is to do, are at the end of time at
// once; they come before the stage that reads.
func (s *Status) sumUp() {
	s.Watermark, s.Lag, s.Sealed = nil, nil, false
	open, sealed := false, false
	for _, stage := range s.Stages {
		switch {
		case stage.Watermark != nil:
			open = true
			if s.Watermark == nil || stage.Watermark.Before(*s.Watermark) {
				s.Watermark, s.Lag = stage.Watermark, stage.Lag
			}
		case !stage.final:
			open = true
		case stage.Source:
			sealed = true
		}
	}
	s.Sealed = sealed && !open
}

// measured tells whether Flink has given metrics yet.
func (s *Status) measured() bool {
	for _, stage := range s.Stages {
		if stage.Watermark != nil || stage.final || stage.Source {
			return true
		}
	}
	return false
}

func at(w rest.Watermark, now time.Time) (*time.Time, *float64) {
	lag, ok := w.Lag(now)
	if !ok {
		return nil, nil
	}
	t, seconds := time.UnixMilli(int64(w)).UTC(), lag.Seconds()
	return &t, &seconds
}

func (r Reader) readCheckpoints(ctx context.Context, s *Status) error {
	c, err := r.Client.Checkpoints(ctx, s.ID)
	if err != nil {
		return err
	}
	s.Checkpoints = Checkpoints{Completed: c.Completed, Failed: c.Failed}
	into := &s.Checkpoints
	if ms, err := strconv.ParseFloat(s.options["checkpointingInterval"], 64); err == nil && ms > 0 {
		into.Every = ms / 1000
	}
	if c.Last != nil {
		age, duration := s.Now.Sub(c.Last.Triggered).Seconds(), c.Last.Duration.Seconds()
		into.Last, into.Age, into.Duration, into.Size, into.Path = &c.Last.Triggered, &age, &duration, &c.Last.Size, c.Last.Path
	}
	if c.LastFailure != nil {
		into.Reason, into.failed = oneLine(c.LastFailure.Reason), c.LastFailure.Time
	}
	if c.RestoredFrom != nil {
		into.Restored = c.RestoredFrom.Path
	}
	return nil
}

// stageName is the name of a vertex or task as a person needs it: without the
// beginning that hands out work, and the number of its steps.
func stageName(name string) string {
	name = strings.TrimPrefix(name, "Source: Impulse -> ")
	if strings.HasPrefix(name, "[") {
		if end := strings.IndexByte(name, ']'); end > 0 {
			name = name[end+1:]
		}
	}
	return strings.TrimSuffix(name, " -> ToKeyedWorkItem")
}

// oneLine is a text without line breaks. One of more than 400 bytes loses its
// middle: what was being done stands at the beginning, and why it failed at the
// end.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	const head, tail = 120, 280
	if len(text) <= head+tail {
		return text
	}
	return strings.ToValidUTF8(text[:head], "") + " ... " + strings.ToValidUTF8(text[len(text)-tail:], "")
}
