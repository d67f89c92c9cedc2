package process

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

//go:embed guard.sh
var guardScript string

// Guard ends a group when this program does, also when it is killed. A signal
// that the kernel sends to children on their parent's death would not reach the
// workers that they started.
type Guard struct {
	program io.Closer // the guard's standard input, open as long as this program
	ended   chan struct{}
}

// NewGuard watches a group. When the program or the guard ends, the folders are
// removed.
func NewGuard(group string, folders ...string) (*Guard, error) {
	cmd := exec.Command("sh", append([]string{"-c", guardScript, "guard.sh", group}, folders...)...) //nolint:gosec // our script
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the guard of group %s: %w", group, err)
	}
	cmd.Dir = "/"                                        // it holds no folder that others remove
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is not for it
	cmd.Env = append(os.Environ(), Variable+"=")         // it outlives the group that this program may be of
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the guard of group %s: %w", group, err)
	}
	g := &Guard{program: input, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // it has nothing to tell
		close(g.ended)
	}()
	return g, nil
}

// End ends what is left of the group, removes the folders and returns when that
// is done.
func (g *Guard) End() {
	if g == nil {
		return
	}
	_ = g.program.Close() // closed twice is closed
	<-g.ended
}
