package lakeio

import (
	"errors"
	"os"
	"syscall"
)

// flock locks an open file against every other open of it, in this process or
// another. The lock ends with the process, however it ends. On NFS Linux maps
// it to a lock at the server.
func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
