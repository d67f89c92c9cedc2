package transforms

import (
	"context"
	"sync"

	"millrace/internal/maskkey"
)

// Common is what the transforms of a run share. It travels with the pipeline and
// holds no secret.
type Common struct {
	Run       string
	KeyRef    string // masking key by reference, resolved in Setup on the worker
	Raw       string // "off", "plain" or "sealed"
	From, To  int64  // UTC days to write, days since the Unix epoch; 0 is open
	Revisions map[int64]int32
	// Spill is a folder of this machine for aggregates on their way through a
	// shuffle; when empty the runner carries them.
	Spill string
}

// within tells whether a day is to be written.
func (c Common) within(day int64) bool {
	return (c.From == 0 || day >= c.From) && (c.To == 0 || day <= c.To)
}

func (c Common) revision(day int64) int32 { return c.Revisions[day] }

func (c Common) keys(ctx context.Context) (maskkey.Ring, error) {
	return maskkey.Resolve(ctx, c.KeyRef)
}

var failures sync.Map // run -> error

// failed remembers the first error of a run that says what its user can do, and
// returns it.
func failed(run string, err error) error {
	failures.LoadOrStore(run, err)
	return err
}

// Failure returns the first such error of the run in this process. Runners pass
// errors on as text, wrapped in words of their own.
func Failure(run string) error {
	err, _ := failures.Load(run)
	if err == nil {
		return nil
	}
	return err.(error)
}
