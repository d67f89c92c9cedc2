package jobserver_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"millrace/internal/testenv/install"
	"millrace/runners/flink/cluster"
	"millrace/runners/flink/dist"
	"millrace/runners/flink/fault"
	"millrace/runners/flink/jobserver"
	"millrace/runners/flink/process"
)

func options(t *testing.T) jobserver.Options {
	t.Helper()
	home, err := install.Flink(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	d, err := dist.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	return jobserver.Options{Dist: d, Master: jobserver.Auto, Dir: t.TempDir(), JVM: cluster.QuickFlags, DieWithParent: true}
}

func listens(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func TestAServerTakesPipelinesUntilItIsStopped(t *testing.T) {
	s, err := jobserver.Start(t.Context(), options(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	host, _, err := net.SplitHostPort(s.Address())
	if err != nil || host != "127.0.0.1" {
		t.Errorf("address %s is not on loopback: %v", s.Address(), err)
	}
	if !listens(s.Address()) {
		t.Errorf("nothing listens on %s", s.Address())
	}
	if log, err := os.ReadFile(s.Log()); err != nil || !strings.Contains(string(log), "JobService started") {
		t.Errorf("log %q, %v", log, err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-s.Ended()
	if listens(s.Address()) {
		t.Errorf("a stopped server listens on %s", s.Address())
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("stop once more: %v", err)
	}
}

func TestAServerInAClustersGroupEndsAloneOrWithIt(t *testing.T) {
	o := options(t)
	o.Group = process.NewGroup()
	other, err := process.Start(process.Command{Name: "other", Args: []string{"sleep", "1000"}, Group: o.Group, Out: filepath.Join(t.TempDir(), "out")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.End(context.WithoutCancel(t.Context()), o.Group, 0, nil); err != nil {
			t.Error(err)
		}
	})
	s, err := jobserver.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	members, err := process.Members(o.Group)
	if err != nil {
		t.Fatal(err)
	}
	if len(members) != 1 || members[0].PID != other.PID {
		t.Errorf("members %v are left, want %d", members, other.PID)
	}
}

func TestAServerThatEndsSaysWhatItSaidLast(t *testing.T) {
	o := options(t)
	o.JVM = append(o.JVM, "-XX:+NoSuchFlag")
	_, err := jobserver.Start(t.Context(), o)
	if !errors.Is(err, fault.ErrEnded) || !strings.Contains(err.Error(), "NoSuchFlag") || !strings.Contains(err.Error(), "jobserver.log") {
		t.Errorf("error %v, want %v with the last lines and the log's path", err, fault.ErrEnded)
	}

	s, err := jobserver.Start(t.Context(), options(t))
	if err != nil {
		t.Fatal(err)
	}
	members, err := process.Members(s.Group())
	if err != nil || len(members) != 1 {
		t.Fatalf("members %v, %v; want one", members, err)
	}
	if _, err := process.Signal(s.Group(), members[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Ended()
	if err := s.Failure(); !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "signal: killed") || !strings.Contains(err.Error(), "Job server now running") {
		t.Errorf("failure %v, want how it ended and its last lines", err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAPortThatIsTakenIsTold(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	o := options(t)
	o.Port = taken.Addr().(*net.TCPAddr).Port
	if _, err := jobserver.Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "bind") {
		t.Errorf("error %v, want the port that cannot be bound", err)
	}
}

func TestWhatIsWrongWithOptionsIsToldAtOnce(t *testing.T) {
	_, err := jobserver.Start(t.Context(), jobserver.Options{Master: "nonsense", Port: -1, Heap: -1})
	if !errors.Is(err, fault.ErrInvalid) {
		t.Fatalf("error %v, want %v", err, fault.ErrInvalid)
	}
	for _, part := range []string{"distribution", "folder", `"nonsense"`, "port -1", "heap of -1"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %v does not tell of %s", err, part)
		}
	}
}
