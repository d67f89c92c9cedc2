package process

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
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
	environ, err := readEnviron(pid)
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

// readEnviron reads a process's environment. While a process becomes another program
// it has none for a moment, and what is read in pieces then ends in the middle: a group
// is not to lose it for that.
func readEnviron(pid int) (environ []byte, err error) {
	const looks = 10
	for range looks {
		environ, err = readAtOnce(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil || len(environ) > 0 {
			return environ, err
		}
		if _, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err != nil {
			return nil, nil // it has ended, or is of the kernel
		}
		time.Sleep(time.Millisecond)
	}
	return nil, nil // it really has none
}

// readAtOnce reads a file with one call to the system.
func readAtOnce(name string) ([]byte, error) {
	for size := 16 << 10; ; size *= 2 {
		content, err := readUpTo(name, size)
		if err != nil || len(content) < size {
			return content, err
		}
	}
}

func readUpTo(name string, size int) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content := make([]byte, size)
	n, err := f.Read(content)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return content[:n], err
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
