package operate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// Seen is what was seen of a job before. One look cannot tell a watermark that
// stands still from one that is only behind; two can.
type seen struct {
	Watermark time.Time // that it had
	Since     time.Time // when it was first seen to have it, by the JobManager's clock
	Records   int64     // that were read then
	Restarts  int       // then
}

// still is how long the watermark has not moved and how many records came in the
// meantime; zero when it is not known to stand.
type still struct {
	For     time.Duration
	Records int64
}

// remember compares with what was seen before and keeps what is seen now. That it
// cannot be kept is no fault of the job.
func (r Reader) remember(s *Status) still {
	if r.Memory == "" || s.Watermark == nil {
		return still{}
	}
	file := filepath.Join(r.Memory, s.ID+".json")
	var before seen
	known := false
	if b, err := os.ReadFile(file); err == nil {
		known = json.Unmarshal(b, &before) == nil
	}
	// With a restart the counters begin anew.
	if known && before.Watermark.Equal(*s.Watermark) && before.Restarts == s.Restarts && s.Read.Records >= before.Records {
		return still{For: s.Now.Sub(before.Since), Records: s.Read.Records - before.Records}
	}
	b, err := json.Marshal(seen{Watermark: *s.Watermark, Since: s.Now, Records: s.Read.Records, Restarts: s.Restarts})
	if err == nil && os.MkdirAll(r.Memory, 0o755) == nil {
		_ = os.WriteFile(file, b, 0o600)
	}
	return still{}
}
