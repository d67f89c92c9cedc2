package install

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// command is one step of an installation. Its output is shown only when it
// fails.
type command struct {
	dir  string
	env  []string // added to the environment
	args []string
}

func (c command) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), c.env...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w\n%s", strings.Join(c.args, " "), err, tail(output.Bytes(), 4096))
	}
	return nil
}

func tail(b []byte, n int) []byte {
	return b[max(0, len(b)-n):]
}
