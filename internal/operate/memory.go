package operate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// seen is what was seen of a job before. One look cannot tell a watermark that
// stands still from one that is only behind; two can. Times are by the JobManager's
// clock.
type seen struct {
	Watermark time.Time // that it had
	Since     time.Time // when it was first seen to have it
	Records   int64     // that were read then
	Restarts  int       // then
	Latest    int64     // records that were read at the last look
	Came      time.Time // when the last of these were first seen
}

// settling is how long behind the watermark the number of records may be: Flink's
// metrics come every ten seconds. Records that show so soon came before it stood.
const settling = 15 * time.Second

// still is how long the watermark has not moved, how many records came in the
// meantime and for how long none has come; zero when it is not known to stand.
type still struct {
	For     time.Duration
	Records int64
	Quiet   time.Duration
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
	now := seen{Watermark: *s.Watermark, Since: s.Now, Records: s.Read.Records, Restarts: s.Restarts, Latest: s.Read.Records, Came: s.Now}
	var stands still
	// With a restart the counters begin anew.
	if known && before.Watermark.Equal(now.Watermark) && before.Restarts == now.Restarts && now.Latest >= before.Latest {
		now.Since = before.Since
		if now.Latest == before.Latest {
			now.Came = before.Came
		}
		if now.Came.Sub(now.Since) > settling {
			now.Records = before.Records
		}
		stands = still{For: s.Now.Sub(now.Since), Records: now.Latest - now.Records, Quiet: s.Now.Sub(now.Came)}
	}
	b, err := json.Marshal(now)
	if err == nil && os.MkdirAll(r.Memory, 0o755) == nil {
		_ = os.WriteFile(file, b, 0o600)
	}
	return stands
}
