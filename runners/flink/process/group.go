// Package process starts the processes of a Flink cluster and finds them again:
// in this program or in a later one, and also those that they started in turn.
// All carry the name of their group in the environment, so a process that is
// ended is one of ours, whatever has become of its parent or its number.
package process

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// Variable names the environment variable that holds the group of a process.
const Variable = "MILLRACE_GROUP"

// NewGroup is a name no other group has.
func NewGroup() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// Member is a living process of a group, as it was when it was looked at.
type Member struct {
	PID  int
	Args []string
	Env  []string // NAME=value
}

// Getenv is a variable of the member's environment.
func (m Member) Getenv(name string) string {
	for _, variable := range m.Env {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}

// Signal sends sig to the process pid if it is a member of group. It tells
// whether it was.
func Signal(group string, pid int, sig os.Signal) (bool, error) {
	// On Linux the handle stays with this process: a later one with the same
	// number does not get the signal.
	handle, err := os.FindProcess(pid)
	if err != nil {
		return false, nil // there is no such process
	}
	defer handle.Release() //nolint:errcheck // nothing is lost with a handle
	member, ok, err := look(pid)
	if err != nil || !ok || member.Getenv(Variable) != group {
		return false, err
	}
	if err := handle.Signal(sig); errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("signal process %d: %w", pid, err)
	}
	return true, nil
}

// End ends the members of group that chosen picks (all when it is nil): it asks
// them, waits for grace, and then ends them by force, with whatever they have
// started meanwhile. It returns when none is left.
func End(ctx context.Context, group string, grace time.Duration, chosen func(Member) bool) error {
	asked := map[int]bool{}
	force := time.Now().Add(grace)
	for {
		members, err := Members(group)
		if err != nil {
			return err
		}
		left := 0
		for _, member := range members {
			if chosen != nil && !chosen(member) {
				continue
			}
			left++
			if grace > 0 && !asked[member.PID] {
				asked[member.PID] = true
				if _, err := Signal(group, member.PID, syscall.SIGTERM); err != nil {
					return err
				}
			}
			if time.Now().After(force) {
				if _, err := Signal(group, member.PID, os.Kill); err != nil {
					return err
				}
			}
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("end %d processes of group %s: %w", left, group, context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}
