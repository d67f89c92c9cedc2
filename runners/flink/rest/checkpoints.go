package rest

import (
	"context"
	"net/http"
	"time"
)

// Checkpoints tells how the state of a job is being kept.
type Checkpoints struct {
	Completed, Failed, InProgress, Restored int

	Last          *Checkpoint // the last completed one, unless it is a savepoint
	LastSavepoint *Checkpoint
	LastFailure   *CheckpointFailure
	RestoredFrom  *Restored // what the job, or its last restart, began with
}

// Checkpoint is a completed one.
type Checkpoint struct {
	ID        int64
	Path      string // URL of its folder
	Triggered time.Time
	Duration  time.Duration // to the last acknowledgement
	Size      int64         // bytes of the whole state
	Written   int64         // bytes that this checkpoint wrote of it
}

// CheckpointFailure is one that went wrong. Of an expired one Flink keeps no
// more than that.
type CheckpointFailure struct {
	ID     int64
	Time   time.Time
	Reason string
}

// Restored is the checkpoint or savepoint that the state came from.
type Restored struct {
	ID        int64
	Time      time.Time
	Savepoint bool
	Path      string
}

type checkpointAnswer struct {
	ID        int64  `json:"id"`
	Path      string `json:"external_path"`
	Triggered int64  `json:"trigger_timestamp"`
	Duration  int64  `json:"end_to_end_duration"`
	Size      int64  `json:"state_size"`
	Written   int64  `json:"checkpointed_size"`
}

func (a *checkpointAnswer) checkpoint() *Checkpoint {
	if a == nil {
		return nil
	}
	return &Checkpoint{
		ID: a.ID, Path: a.Path, Triggered: instant(a.Triggered),
		Duration: time.Duration(a.Duration) * time.Millisecond, Size: a.Size, Written: a.Written,
	}
}

// Checkpoints tells of a job's checkpoints.
func (c *Client) Checkpoints(ctx context.Context, id string) (Checkpoints, error) {
	var answer struct {
		Counts struct {
			Completed  int `json:"completed"`
			Failed     int `json:"failed"`
			InProgress int `json:"in_progress"`
			Restored   int `json:"restored"`
		} `json:"counts"`
		Latest struct {
			Completed *checkpointAnswer `json:"completed"`
			Savepoint *checkpointAnswer `json:"savepoint"`
			Failed    *struct {
				ID      int64  `json:"id"`
				Time    int64  `json:"failure_timestamp"`
				Message string `json:"failure_message"`
			} `json:"failed"`
			Restored *struct {
				ID        int64  `json:"id"`
				Time      int64  `json:"restore_timestamp"`
				Savepoint bool   `json:"is_savepoint"`
				Path      string `json:"external_path"`
			} `json:"restored"`
		} `json:"latest"`
	}
	if err := c.ofJob(ctx, "read the checkpoints of", id, http.MethodGet, "/checkpoints", nil, &answer); err != nil {
		return Checkpoints{}, err
	}
	checkpoints := Checkpoints{
		Completed: answer.Counts.Completed, Failed: answer.Counts.Failed,
		InProgress: answer.Counts.InProgress, Restored: answer.Counts.Restored,
		Last: answer.Latest.Completed.checkpoint(), LastSavepoint: answer.Latest.Savepoint.checkpoint(),
	}
	if f := answer.Latest.Failed; f != nil {
		checkpoints.LastFailure = &CheckpointFailure{ID: f.ID, Time: instant(f.Time), Reason: RootCause(f.Message)}
	}
	if r := answer.Latest.Restored; r != nil {
		checkpoints.RestoredFrom = &Restored{ID: r.ID, Time: instant(r.Time), Savepoint: r.Savepoint, Path: r.Path}
	}
	return checkpoints, nil
}
