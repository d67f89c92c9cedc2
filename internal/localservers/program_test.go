package localservers_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/localservers"
	"millrace/runners/flink/process"
)

func place(t *testing.T) localservers.Place {
	t.Helper()
	p := localservers.Place{Dir: t.TempDir(), Logs: t.TempDir(), Group: process.NewGroup()}
	t.Cleanup(func() {
		if err := process.End(context.WithoutCancel(t.Context()), p.Group, 0, nil); err != nil {
			t.Error(err)
		}
	})
	return p
}

func start(ctx context.Context, t *testing.T, p localservers.Place, said func(string), script string) *localservers.Program {
	t.Helper()
	program, err := p.Start(ctx, "sh", said, "sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// eventually polls, as what is waited for happens in other processes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

func TestWhatAProgramSaysIsKept(t *testing.T) {
	p := place(t)
	p.Temp = t.TempDir()
	var said []string
	program := start(t.Context(), t, p, func(line string) { said = append(said, line) },
		`echo result; echo "$TMPDIR" "$MILLRACE_GROUP"; printf 'one line\ntwo\n\nrest' >&2`)
	if err := program.Wait(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("result\n"+p.Temp+" "+p.Group+"\n", program.Stdout.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"one line", "two", ""}, said); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	log, err := os.ReadFile(filepath.Join(p.Logs, "sh.log"))
	if diff := cmp.Diff("one line\ntwo\n\nrest", string(log)); err != nil || diff != "" {
		t.Errorf("log: %v (-want +got):\n%s", err, diff)
	}
}

func TestAProgramThatFailsShowsItsLastMessages(t *testing.T) {
	err := start(t.Context(), t, place(t), nil, `echo what went wrong >&2; exit 3`).Wait()
	if err == nil || !strings.Contains(err.Error(), "sh ended with exit status 3; its last lines:\nwhat went wrong") {
		t.Errorf("error %v", err)
	}
	if _, err := place(t).Start(t.Context(), "none", nil, "/no/such/program"); err == nil || !strings.Contains(err.Error(), "starting none") {
		t.Errorf("error of a program that is not there: %v", err)
	}
}

func TestAProgramMayEndInPeace(t *testing.T) {
	const polite = `trap 'echo bye; exit 0' TERM; echo ready >&2; while :; do sleep 0.01; done`
	cause := errors.New("Ctrl-C")
	for name, end := range map[string]func(cancel context.CancelCauseFunc, p *localservers.Program){
		"with its context": func(cancel context.CancelCauseFunc, _ *localservers.Program) { cancel(cause) },
		"when it is told":  func(_ context.CancelCauseFunc, p *localservers.Program) { p.Quit() },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			ready := make(chan struct{})
			program := start(ctx, t, place(t), func(string) { close(ready) }, polite)
			<-ready
			end(cancel, program)
			err := program.Wait()
			if want := context.Cause(ctx); !errors.Is(err, want) {
				t.Errorf("it ended with %v, want %v", err, want)
			}
			if got := program.Stdout.String(); got != "bye\n" {
				t.Errorf("it printed %q, want its farewell", got)
			}
		})
	}
}

func TestAProgramAndItsChildrenBelongToTheGroup(t *testing.T) {
	p := place(t)
	program := start(t.Context(), t, p, nil, `sleep 1000 & sleep 1000 & wait`)
	eventually(t, "three processes", func() bool {
		members, err := process.Members(p.Group)
		return err == nil && len(members) == 3
	})
	if err := process.End(t.Context(), p.Group, 0, nil); err != nil {
		t.Fatal(err)
	}
	if err := program.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("it ended with %v, want to be killed", err)
	}
	p.Group = ""
	outside := start(t.Context(), t, p, nil, "env")
	if err := outside.Wait(); err != nil || slices.ContainsFunc(strings.Fields(outside.Stdout.String()), func(v string) bool { return strings.HasPrefix(v, process.Variable+"=") }) {
		t.Errorf("without a group: %v, environment\n%s", err, outside.Stdout.String())
	}
}

func TestAMissingBinaryIsNamedWithTheCure(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if _, err := localservers.Binary("millrace"); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "millrace")) || !strings.Contains(err.Error(), "make build") {
		t.Errorf("error %v", err)
	}
	if err := os.WriteFile("millrace", nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := localservers.Binary("millrace"); err != nil || got != filepath.Join(dir, "millrace") {
		t.Errorf("Binary = %q, %v", got, err)
	}
}
