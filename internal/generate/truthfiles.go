package generate

import (
	"errors"
	"fmt"
	"os"
)

// TruthFiles writes the truth of a farm whose lines go elsewhere than into files,
// as WriteFiles does beside the logs.
type TruthFiles struct {
	farm    *Farm
	out     outputs
	failure *error
}

// CreateTruth prepares the files in dir, which it makes if need be, before the
// farm runs.
func CreateTruth(dir string, farm *Farm) (*TruthFiles, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make folder for the truth: %w", err)
	}
	t := &TruthFiles{farm: farm, out: outputs{dir: dir}}
	var err error
	if t.failure, err = t.out.recordSessions(farm); err != nil {
		return nil, errors.Join(err, t.Abandon())
	}
	return t, nil
}

// Publish completes the files after the run and gives them their names.
func (t *TruthFiles) Publish() error {
	truth := t.farm.Truth()
	if err := errors.Join(*t.failure, t.out.writeTruth(t.farm, &truth)); err != nil {
		return errors.Join(err, t.Abandon())
	}
	return errors.Join(t.out.publish(), t.Abandon())
}

// Abandon removes what was not published.
func (t *TruthFiles) Abandon() error { return t.out.abandon() }
