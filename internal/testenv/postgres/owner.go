package postgres

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// nobody is a user without rights, on Linux and macOS.
const nobody = 65534

// owner says as whom PostgreSQL runs, and gives its folder to them. It refuses to run
// as root, so root's tests run it as nobody, from a copy of its programs where nobody
// may not go to where they are.
func owner(dir *string, data string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	who := &syscall.Credential{Uid: nobody, Gid: nobody}
	if !open(*dir) {
		own := filepath.Join(data, "postgres")
		if out, err := exec.Command("cp", "-R", *dir, own).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("copy its programs: %w\n%s", err, out)
		}
		*dir = own
	}
	return who, chown(who, data)
}

// open tells whether all can reach a folder.
func open(dir string) bool {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

func chown(who *syscall.Credential, path string) error {
	if who == nil {
		return nil
	}
	return os.Chown(path, int(who.Uid), int(who.Gid))
}
