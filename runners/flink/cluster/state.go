package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"millrace/runners/flink/fault"
)

// stateVersion is that of cluster.json's layout.
const stateVersion = 1

// state is what cluster.json holds: enough to find the cluster and to start
// another TaskManager for it.
type state struct {
	Version int     `json:"version"`
	Group   string  `json:"group"` // in the environment of each process
	Rest    string  `json:"rest"`  // host:port
	Last    int     `json:"last"`  // the number of the newest TaskManager
	Options Options `json:"options"`
}

func stateFile(dir string) string { return filepath.Join(dir, "cluster.json") }

// load reads the state of the cluster in dir.
func load(dir string) (s state, err error) {
	content, err := os.ReadFile(stateFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return s, &fault.Error{
			Doing: "open", Object: "the Flink cluster in " + dir, Class: fault.ErrNotFound,
			Cause: errors.New("no cluster was started there, or it was ended"),
			Cure:  "start one with `millrace cluster up`, or name its folder",
		}
	}
	if err == nil {
		err = json.Unmarshal(content, &s)
	}
	if err == nil && (s.Version != stateVersion || s.Group == "") {
		err = fmt.Errorf("version %d of its layout is not %d", s.Version, stateVersion)
	}
	if err != nil {
		return state{}, &fault.Error{
			Doing: "open", Object: "the Flink cluster in " + dir, Class: fault.ErrInvalid, Cause: err,
			Cure: "end it with the release of millrace that started it",
		}
	}
	return s, nil
}

// save replaces the state in one step. Only the owner may read it: the
// environment of TaskManagers may hold credentials.
func (s state) save() error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("save the state of the cluster: %w", err)
	}
	file := stateFile(s.Options.Dir)
	if err := os.WriteFile(file+".new", append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("save the state of the cluster: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("save the state of the cluster: %w", err)
	}
	return nil
}

// lock lets one program at a time change the cluster in dir.
func lock(dir string) (release func(), err error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the cluster in %s: %w", dir, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the cluster in %s: %w", dir, err), file.Close())
	}
	return func() { _ = file.Close() }, nil // releases the lock
}
