package run

import (
	"os"
	"path/filepath"
	"regexp"

	"millrace/io/lakeio"
)

// artifactsDir is where the staged program of a job's workers is kept while the
// job may run: below the user's cache folder. It is empty when there is none. The
// TaskManagers read it there, so they have to be on this machine or share the
// folder; a job jar (millrace package) carries the program instead.
func artifactsDir(name string) string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "millrace", "artifacts", name)
}

// programFolder is where the program of a backfill's workers is staged when the user
// named a folder that they all see: it goes with the sorted runs. Else it is empty.
func (p *Plan) programFolder() string {
	if p.req.Staging == "" {
		return ""
	}
	dir, ok := lakeio.LocalDir(p.staging.Location())
	if !ok {
		return ""
	}
	return filepath.Join(dir, "runs", "program")
}

var attemptEnd = regexp.MustCompile(`-[0-9a-f]{8}$`)

// forgetArtifacts removes what was staged for earlier submissions of the same run:
// two cannot run at once.
func (s Submission) forgetArtifacts() {
	own := artifactsDir(s.Name)
	if own == "" {
		return
	}
	others, err := filepath.Glob(filepath.Join(filepath.Dir(own), s.Run+"-*"))
	if err != nil {
		return
	}
	for _, dir := range others {
		if dir != own && attemptEnd.ReplaceAllString(filepath.Base(dir), "") == s.Run {
			_ = os.RemoveAll(dir) // it is a matter of space only
		}
	}
}
