package testenv

import (
	"errors"
	"os/exec"
	"syscall"
)

// dieWithParent ends cmd when the test process dies without cleaning up.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// keepsAttributes tells whether files in dir can have extended attributes.
func keepsAttributes(dir string) bool {
	err := syscall.Setxattr(dir, "user.millrace", []byte("1"), 0)
	return !errors.Is(err, syscall.ENOTSUP)
}
