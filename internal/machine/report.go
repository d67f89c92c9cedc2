package machine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Report is the head of a report of figures, in Markdown: when and where they were
// taken, by which call of the program of that package, and of what. with are names
// and versions of what else took part: "Flink 1.19.3".
func Report(ctx context.Context, title, program string, with ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s of %s\n\n", title, time.Now().UTC().Format(time.DateOnly))
	fmt.Fprintf(&b, "    go run ./%s %s\n\n", program, strings.Join(os.Args[1:], " "))
	fmt.Fprintf(&b, "- machine: %s, %d cores, %s of memory, %s/%s\n", CPU(), runtime.NumCPU(), Memory(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(&b, "- load average at the start: %s (%d is all cores busy)\n", Load(), runtime.NumCPU())
	fmt.Fprintf(&b, "- millrace %s, %s", commit(ctx), runtime.Version())
	if len(with) > 0 {
		fmt.Fprintf(&b, "; %s", strings.Join(with, ", "))
	}
	b.WriteString("\n")
	return b.String()
}

// commit is what is checked out, with a mark when files differ from it.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown commit"
	}
	return strings.TrimSpace(string(out))
}
