package lakeio

import (
	"context"
	"path"
	"time"
)

// SweepAge is how old staged rows of a roll without a commit are before they count
// as abandoned: a savepoint may refer to them, and be resumed days later.
const SweepAge = 7 * 24 * time.Hour

// SweepLive removes what a live run has left in the staging area and nobody needs:
// segments whose rolls are all committed (attempts that failed left them), and
// whatever is older than olderThan (SweepAge when zero). It is safe beside the run.
func SweepLive(ctx context.Context, s Store, run string, olderThan time.Duration) error {
	if olderThan == 0 {
		olderThan = SweepAge
	}
	root := path.Join(stagingName, run)
	staged, err := s.List(ctx, path.Join(root, segmentsName)+"/")
	if err != nil {
		return err
	}
	marks, err := s.List(ctx, path.Join(root, closedName)+"/")
	if err != nil {
		return err
	}
	// The listing came first: what it has not seen is not touched.
	committed := map[string]bool{}
	if len(staged) > 0 {
		parts, err := ReadLedger(ctx, s)
		if err != nil {
			return err
		}
		for _, p := range parts {
			committed[rollHash(p.Roll)] = true
		}
	}
	limit := time.Now().Add(-olderThan)
	var gone []string
	for _, info := range staged {
		needed := info.Modified.After(limit)
		if rolls := rollsOf(info.Key); needed && len(rolls) > 0 {
			needed = false
			for _, hash := range rolls {
				needed = needed || !committed[hash]
			}
		}
		if !needed {
			gone = append(gone, info.Key)
		}
	}
	for _, info := range marks {
		if !info.Modified.After(limit) {
			gone = append(gone, info.Key)
		}
	}
	if err := s.Delete(ctx, gone...); err != nil {
		return err
	}
	return s.Sweep(ctx)
}
