//go:build !linux

package process

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// Members lists the living processes of a group. Here ps tells: -E shows the
// environment of the user's own processes.
func Members(group string) ([]Member, error) {
	return list(group, "-axww")
}

func look(pid int) (Member, bool, error) {
	found, err := list("", "-ww", "-p", strconv.Itoa(pid))
	if err != nil || len(found) == 0 {
		return Member{}, false, nil // ps fails when there is no such process
	}
	return found[0], true, nil
}

func list(group string, which ...string) ([]Member, error) {
	output, err := exec.Command("ps", append(which, "-E", "-o", "pid=,command=")...).Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var members []Member
	for _, line := range strings.Split(string(output), "\n") {
		if !strings.Contains(line, Variable+"="+group) {
			continue
		}
		fields := strings.Fields(line)
		pid, err := strconv.Atoi(fields[0])
		if err != nil {
			continue
		}
		// Arguments and environment come as one; a variable has a name of capitals.
		members = append(members, Member{PID: pid, Args: fields[1:], Env: fields[1:]})
	}
	return members, nil
}
