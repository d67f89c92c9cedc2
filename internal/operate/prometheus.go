package operate

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"millrace/runners/flink/rest"
)

// WritePrometheus writes statuses in Prometheus' text format (version 0.0.4).
// Times are Unix seconds, sizes bytes. A sample that is not known is left out.
// Counters begin anew when Flink starts a job again.
func WritePrometheus(out io.Writer, statuses ...*Status) error {
	var b strings.Builder
	for _, m := range metrics {
		var samples strings.Builder
		for _, s := range statuses {
			m.each(s, func(value float64, labels ...string) {
				labels = append([]string{"job", s.Run, "name", s.Name}, labels...)
				for i := 0; i < len(labels); i += 2 {
					sign := ","
					if i == 0 {
						sign = m.name + "{"
					}
					fmt.Fprintf(&samples, "%s%s=\"%s\"", sign, labels[i], escape.Replace(labels[i+1]))
				}
				fmt.Fprintf(&samples, "} %s\n", strconv.FormatFloat(value, 'f', -1, 64))
			})
		}
		if samples.Len() > 0 {
			fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n%s", m.name, m.help, m.name, m.kind, samples.String())
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// metric is one of the exposition with its samples of a status.
type metric struct {
	name, kind, help string
	each             func(s *Status, sample func(value float64, labels ...string))
}

const (
	gauge   = "gauge"
	counter = "counter"
)

// states are those that a sample tells of, so that a job that is in none of the
// good ones can be alerted on.
var states = []rest.State{
	rest.Initializing, rest.Created, rest.Running, rest.Failing, rest.Restarting, rest.Cancelling, rest.Canceled, rest.Finished, rest.Failed,
	rest.Suspended, rest.Reconciling,
}

var metrics = []metric{
	{"millrace_job_healthy", gauge, "1 when nothing is wrong with the job, 0 otherwise.", func(s *Status, sample func(float64, ...string)) {
		sample(bit(s.Healthy))
	}},
	{"millrace_job_state", gauge, "1 for the state the job is in, 0 for the others.", func(s *Status, sample func(float64, ...string)) {
		for _, state := range states {
			sample(bit(s.State == state), "state", string(state))
		}
	}},
	{"millrace_job_start_time_seconds", gauge, "When the job was submitted.", func(s *Status, sample func(float64, ...string)) {
		sample(unix(s.Started))
	}},
	{"millrace_job_parallelism", gauge, "Subtasks of the widest stage.", func(s *Status, sample func(float64, ...string)) {
		sample(float64(s.Parallelism))
	}},
	{"millrace_job_restarts_total", counter, "How often Flink started the job again.", func(s *Status, sample func(float64, ...string)) {
		sample(float64(s.Restarts))
	}},
	{"millrace_job_last_failure_time_seconds", gauge, "When the job last failed.", func(s *Status, sample func(float64, ...string)) {
		if s.Failure != nil {
			sample(unix(s.Failure.At))
		}
	}},
	{"millrace_watermark_time_seconds", gauge, "Least watermark of the stages, event time: what lies before is sealed.", func(s *Status, sample func(float64, ...string)) {
		if s.Watermark != nil {
			sample(unix(*s.Watermark))
		}
	}},
	{"millrace_watermark_lag_seconds", gauge, "How far that watermark is behind the clock.", func(s *Status, sample func(float64, ...string)) {
		if s.Lag != nil {
			sample(*s.Lag)
		}
	}},
	{"millrace_stage_watermark_lag_seconds", gauge, "How far the watermark of a stage is behind the clock.", func(s *Status, sample func(float64, ...string)) {
		for i, stage := range s.Stages {
			if stage.Lag != nil {
				sample(*stage.Lag, "stage", stage.Name, "index", strconv.Itoa(i))
			}
		}
	}},
	{"millrace_stage_elements_in_total", counter, "Elements (blocks, not records) that came into a stage.", func(s *Status, sample func(float64, ...string)) {
		for i, stage := range s.Stages {
			sample(float64(stage.In), "stage", stage.Name, "index", strconv.Itoa(i))
		}
	}},
	{"millrace_stage_elements_out_total", counter, "Elements that left a stage.", func(s *Status, sample func(float64, ...string)) {
		for i, stage := range s.Stages {
			sample(float64(stage.Out), "stage", stage.Name, "index", strconv.Itoa(i))
		}
	}},
	{"millrace_source_records_total", counter, "Records read from the stream.", func(s *Status, sample func(float64, ...string)) {
		sample(float64(s.Read.Records))
	}},
	{"millrace_source_bytes_total", counter, "Bytes of these records.", func(s *Status, sample func(float64, ...string)) {
		sample(float64(s.Read.Bytes))
	}},
	{"millrace_source_retries_total", counter, "Calls to the stream that failed and were made again.", func(s *Status, sample func(float64, ...string)) {
		sample(float64(s.Read.Retries))
	}},
	{"millrace_source_throttled_total", counter, "Those of them that the stream refused for their rate.", func(s *Status, sample func(float64, ...string)) {
		sample(float64(s.Read.Throttled))
	}},
	{"millrace_shard_lag_seconds", gauge, "For how long a shard was not read up to its tip.", eachShard(func(shard *ReadShard) *float64 { return shard.Lag })},
	{"millrace_shard_iterator_age_seconds", gauge, "How old the last records of a shard were when they were read.", eachShard(func(shard *ReadShard) *float64 { return &shard.Age })},
	{"millrace_shard_watermark_lag_seconds", gauge, "How far the watermark of a shard is behind the clock.", eachShard(func(shard *ReadShard) *float64 { return shard.WatermarkLag })},
	{"millrace_shard_fault_start_time_seconds", gauge, "Since when the reads of a shard fail; label error is the service's word for it.", func(s *Status, sample func(float64, ...string)) {
		for _, shard := range s.worst() {
			if shard.Since != nil {
				sample(unix(*shard.Since), "shard", shard.Shard, "error", shard.Fault)
			}
		}
	}},
	{"millrace_written_rows_total", counter, "Rows of finished files that were put into the lake.", func(s *Status, sample func(float64, ...string)) {
		for _, output := range slices.Sorted(maps.Keys(s.Wrote.Rows)) {
			sample(float64(s.Wrote.Rows[output]), "output", output)
		}
	}},
	{"millrace_sink_rows_total", counter, "Rows of an output that were sent to a sink besides the lake, provisional ones included.", eachSink(func(sink Sending) int64 { return sink.Sent })},
	{"millrace_sink_refused_rows_total", counter, "Those of them that the sink will not take; they are in the lake's output refused.", eachSink(func(sink Sending) int64 { return sink.Refused })},
	{"millrace_sink_retries_total", counter, "Calls to a sink that failed and were made again.", eachSink(func(sink Sending) int64 { return sink.Retries })},
	{"millrace_lake_retries_total", counter, "Calls to the lake that failed and were made again.", func(s *Status, sample func(float64, ...string)) {
		sample(float64(s.Wrote.Retries))
	}},
	{"millrace_stage_retries_total", counter, "Calls of a stage that failed and were made again.", func(s *Status, sample func(float64, ...string)) {
		for i, stage := range s.Stages {
			sample(float64(stage.Retries), "stage", stage.Name, "index", strconv.Itoa(i))
		}
	}},
	{"millrace_rolls_total", counter, "Rolls put into the lake.", func(s *Status, sample func(float64, ...string)) {
		sample(float64(s.Read.Rolls))
	}},
	{"millrace_ledger_records_total", counter, "Records by what became of them; kind in is all of them, late a part of events.", func(s *Status, sample func(float64, ...string)) {
		c := s.Ledger
		for _, k := range []struct {
			kind  string
			count int64
		}{{"in", c.In}, {"events", c.Events}, {"bad", c.Bad}, {"late", c.Late}, {"duplicate", c.Duplicate}, {"skipped", c.Skipped}} {
			sample(float64(k.count), "kind", k.kind)
		}
	}},
	{"millrace_checkpoints_completed_total", counter, "Checkpoints that succeeded.", func(s *Status, sample func(float64, ...string)) {
		sample(float64(s.Checkpoints.Completed))
	}},
	{"millrace_checkpoints_failed_total", counter, "Checkpoints that failed.", func(s *Status, sample func(float64, ...string)) {
		sample(float64(s.Checkpoints.Failed))
	}},
	{"millrace_checkpoint_last_size_bytes", gauge, "State in the last checkpoint.", func(s *Status, sample func(float64, ...string)) {
		if s.Checkpoints.Size != nil {
			sample(float64(*s.Checkpoints.Size))
		}
	}},
	{"millrace_checkpoint_last_duration_seconds", gauge, "How long the last checkpoint took.", func(s *Status, sample func(float64, ...string)) {
		if s.Checkpoints.Duration != nil {
			sample(*s.Checkpoints.Duration)
		}
	}},
	{"millrace_checkpoint_last_age_seconds", gauge, "How long ago the last checkpoint began.", func(s *Status, sample func(float64, ...string)) {
		if s.Checkpoints.Age != nil {
			sample(*s.Checkpoints.Age)
		}
	}},
	{"millrace_lake_ledger_records_total", counter, "Records by what became of them, by the lake's own account.", func(s *Status, sample func(float64, ...string)) {
		if s.Lake == nil {
			return
		}
		c := s.Lake.Ledger
		for _, k := range []struct {
			kind  string
			count int64
		}{{"in", c.In}, {"events", c.Events}, {"bad", c.Bad}, {"late", c.Late}, {"duplicate", c.Duplicate}, {"skipped", c.Skipped}} {
			sample(float64(k.count), "kind", k.kind)
		}
	}},
	{"millrace_lake_breaks", gauge, "Places where the rolls of a shard do not follow one another.", func(s *Status, sample func(float64, ...string)) {
		if s.Lake != nil {
			sample(float64(len(s.Lake.Breaks)))
		}
	}},
	{"millrace_lake_roll_age_seconds", gauge, "How long ago the last record of a shard's last roll arrived.", func(s *Status, sample func(float64, ...string)) {
		if s.Lake != nil {
			for _, shard := range s.Lake.Shards {
				if !shard.Closed {
					sample(shard.Age, "shard", shard.Identity)
				}
			}
		}
	}},
}

// mostSeries is how many shards of a job are exposed, those that are worst off: each
// is some series in a database that keeps them for long.
const mostSeries = 200

func (s *Status) worst() []ReadShard { return s.Shards[:min(len(s.Shards), mostSeries)] }

// eachShard are the samples of a figure of shards, where it is known.
func eachShard(figure func(*ReadShard) *float64) func(s *Status, sample func(float64, ...string)) {
	return func(s *Status, sample func(float64, ...string)) {
		for _, shard := range s.worst() {
			if value := figure(&shard); value != nil {
				sample(*value, "shard", shard.Shard)
			}
		}
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// eachSink gives a sample for each output that goes to a sink.
func eachSink(count func(Sending) int64) func(*Status, func(float64, ...string)) {
	return func(s *Status, sample func(float64, ...string)) {
		for _, output := range slices.Sorted(maps.Keys(s.Wrote.Sinks)) {
			sample(float64(count(s.Wrote.Sinks[output])), "output", output)
		}
	}
}
