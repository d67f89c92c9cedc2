package operate

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"millrace/internal/progress"
	"millrace/io/driver"
	"millrace/runners/flink/rest"
)

// ReadShard is a shard of the stream as its reader told of it, some fifteen seconds
// ago at most. Each reader tells of the fifty that are worst off.
type ReadShard struct {
	Shard string `json:"shard"` // as the service calls it
	// Lag is for how long the shard was not read up to its tip, nil when it never was
	// read. It grows while nothing is read.
	Lag *float64 `json:"lag_seconds,omitempty"`
	// Age is how old the last records were when they were read: the iterator's age.
	Age          float64    `json:"iterator_age_seconds"`
	Watermark    *time.Time `json:"watermark,omitempty"`
	WatermarkLag *float64   `json:"watermark_lag_seconds,omitempty"`
	// Fault is what its reads fail with, in the service's word for it, and Since when;
	// empty and nil when they do not.
	Fault string     `json:"fault,omitempty"`
	Since *time.Time `json:"fault_since,omitempty"`
}

// readShards takes the shards from a job's metrics, those that are worst off first.
func (s *Status) readShards(metrics []rest.UserMetric) {
	subtasks := map[int]map[string]int64{}
	for _, m := range metrics {
		if subtasks[m.Subtask] == nil {
			subtasks[m.Subtask] = map[string]int64{}
		}
		subtasks[m.Subtask][m.Name] = m.Value
	}
	latest := map[string]driver.ShardStatus{} // a reader may have gone to another subtask
	for _, named := range subtasks {
		for _, shard := range driver.ReadFigures(maps.All(named)) {
			if other, there := latest[shard.Shard]; !there || other.Upto < shard.Upto {
				latest[shard.Shard] = shard
			}
		}
	}
	for _, shard := range latest {
		s.Shards = append(s.Shards, readShard(shard, s.Now))
	}
	slices.SortFunc(s.Shards, func(a, b ReadShard) int {
		if (a.Since == nil) != (b.Since == nil) {
			if a.Since != nil {
				return -1
			}
			return 1
		}
		return cmp.Or(-cmp.Compare(behind(a.Lag), behind(b.Lag)), cmp.Compare(a.Shard, b.Shard))
	})
}

func readShard(known driver.ShardStatus, now time.Time) ReadShard {
	shard := ReadShard{Shard: known.Shard, Age: known.Behind.Seconds(), Fault: known.FaultCode}
	if known.Upto > 0 {
		lag := max(0, now.Sub(time.UnixMilli(known.Upto)).Seconds())
		shard.Lag = &lag
	}
	if known.Watermark > 0 {
		shard.Watermark, shard.WatermarkLag = at(rest.Watermark(known.Watermark), now)
	}
	if known.Since > 0 {
		since := time.UnixMilli(known.Since).UTC()
		shard.Since = &since
	}
	return shard
}

// behind puts what was never read behind everything.
func behind(lag *float64) float64 {
	if lag == nil {
		return 1e18
	}
	return *lag
}

// reason is why the reads of a shard are refused, and what to do.
func reason(code string) (why, cure string) {
	switch code {
	case "ProvisionedThroughputExceededException", "LimitExceededException", "Throttled":
		why, cure = "the service is asked for more than the shard gives", "stop other readers of the stream, or give it more shards"
	case "AccessDeniedException", "AccessDenied", "Permission":
		why, cure = "the credentials of the workers may not", "allow kinesis:GetRecords and kinesis:GetShardIterator to the role of the TaskManagers"
	case "ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException":
		why, cure = "the credentials of the workers are not valid", "renew the credentials of the TaskManagers"
	case "Unavailable":
		why, cure = "the service does not answer", "check the way from the TaskManagers to Kinesis; their logs have the whole error"
	default:
		return code, "the logs of the TaskManagers have the whole error, with the shard"
	}
	return why + " (" + code + ")", cure
}

// judgeShards names the shard that is worst off, of those whose reads fail and of
// those that are behind.
func (s *Status) judgeShards(patience time.Duration, problem, note say) {
	var failing, late []ReadShard
	for _, shard := range s.Shards { // the worst first
		switch {
		case shard.Since != nil:
			failing = append(failing, shard)
		case shard.Lag != nil && *shard.Lag > farBehind.Seconds():
			late = append(late, shard)
		}
	}
	if len(failing) > 0 {
		worst := failing[0]
		lasts := s.Now.Sub(*worst.Since)
		tell := note
		if lasts >= patience {
			tell = problem
		}
		lags := "it was not read yet"
		if worst.Lag != nil {
			lags = "it lags by " + seconds(worst.Lag)
		}
		why, cure := reason(worst.Fault)
		tell(cure, "the stream refuses the reads of %s since %s, %s: %s; %s%s",
			worst.Shard, clock(*worst.Since), span(lasts), why, lags, others(failing, "fails", "fail"))
	}
	if quiet := s.unasked(); quiet >= patience {
		problem("the TaskManagers' logs say what it waits for, in the lines with trying again; see whether lake and sinks can be reached from there",
			"the stream was not asked for records for %s, though it does not refuse: a stage waits, most often for the lake or a sink", span(quiet))
		return
	}
	if len(late) > 0 {
		note("look again in a minute: when that grows, the job is too slow for its stream: give it more parallelism, and no more readers than shards",
			"%s lags by %s%s", late[0].Shard, seconds(late[0].Lag), others(late, "lags", "lag"))
	}
}

// unasked is for how long no shard gave an answer, of those whose reads do not fail: a
// reader that waits for what follows it does not ask. It is 0 when that is not known.
func (s *Status) unasked() time.Duration {
	least := time.Duration(0)
	for _, shard := range s.Shards {
		if shard.Since != nil || shard.Lag == nil {
			continue
		}
		answered := time.Duration((*shard.Lag - shard.Age) * float64(time.Second))
		if least == 0 || answered < least {
			least = max(answered, 1)
		}
	}
	return least
}

// others tells how many shards but the first are so.
func others(all []ReadShard, one, many string) string {
	switch n := len(all) - 1; n {
	case 0:
		return ""
	case 1:
		return ", and 1 more " + one
	default:
		return fmt.Sprintf(", and %d more %s", n, many)
	}
}

// holding names the shard that holds the watermark back, empty when that is not known.
func (s *Status) holding() string {
	least := -1
	for i, shard := range s.Shards {
		if shard.Lag == nil && shard.Since == nil {
			continue // it waits for the one that it came from, or begins now
		}
		if shard.Watermark == nil {
			return ": " + shard.Shard + " has given no time yet"
		}
		if least < 0 || shard.Watermark.Before(*s.Shards[least].Watermark) {
			least = i
		}
	}
	if least < 0 {
		return ""
	}
	return fmt.Sprintf(": %s holds it, with %s", s.Shards[least].Shard, clock(*s.Shards[least].Watermark))
}

// mostLines is how many shards a text shows.
const mostLines = 8

func (s *Status) shardText(out io.Writer) error {
	if len(s.Shards) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprint(w, "\nshard\tbehind its tip\twatermark\tbehind\treads\n")
	for i, shard := range s.Shards {
		if i == mostLines {
			fmt.Fprintf(w, "and %s more, better off\n", progress.Of(int64(len(s.Shards)-mostLines), "shard"))
			break
		}
		mark, reads := "-", "well"
		if shard.Lag == nil {
			reads = "not yet"
		}
		if shard.Watermark != nil {
			mark = clock(*shard.Watermark)
		}
		if shard.Since != nil {
			reads = "refused since " + clock(*shard.Since) + " (" + shard.Fault + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", shard.Shard, seconds(shard.Lag), mark, seconds(shard.WatermarkLag), reads)
	}
	return w.Flush()
}
