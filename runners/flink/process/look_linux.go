package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Members lists the living processes of a group.
func Members(group string) ([]Member, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var members []Member
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		member, ok, err := look(pid)
		if err != nil {
			return nil, err
		}
		if ok && member.Getenv(Variable) == group {
			members = append(members, member)
		}
	}
	return members, nil
}

// look tells of a process; it has nothing to tell of one that has ended or is
// another user's. A process that has ended and that its parent has not waited
// for has no environment any more, so it belongs to no group.
func look(pid int) (Member, bool, error) {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if gone(err) {
		return Member{}, false, nil
	}
	if err != nil {
		return Member{}, false, fmt.Errorf("look at process %d: %w", pid, err)
	}
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if gone(err) {
		return Member{}, false, nil
	}
	if err != nil {
		return Member{}, false, fmt.Errorf("look at process %d: %w", pid, err)
	}
	return Member{PID: pid, Args: fields(args), Env: fields(environ)}, true, nil
}

func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ESRCH)
}

// fields splits what the kernel ends with zero bytes.
func fields(content []byte) []string {
	text := strings.TrimRight(string(content), "\x00")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\x00")
}
