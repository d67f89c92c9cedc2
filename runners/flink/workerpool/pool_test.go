package workerpool_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"millrace/runners/flink/fault"
	"millrace/runners/flink/process"
	"millrace/runners/flink/workerpool"
)

// stays is a program that tells how it was called and stays.
const stays = `#!/bin/sh
echo "$@" > "$TOLD/args.new"
{ cat "$PIPELINE_OPTIONS_FILE"; echo; echo "$RUNNER_CAPABILITIES"; pwd; } > "$TOLD/env"
mv "$TOLD/args.new" "$TOLD/args"
exec sleep 1000
`

// runner is a TaskManager as far as a pool needs it: what it says of a job, and
// the job's program.
type runner struct {
	fnpb.UnimplementedProvisionServiceServer
	jobpb.UnimplementedArtifactRetrievalServiceServer
	program string
	info    *fnpb.ProvisionInfo
	address string
}

func startRunner(t *testing.T, program string) *runner {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(program))
	payload, err := proto.Marshal(&pipepb.ArtifactFilePayload{Path: "/staged/it", Sha256: hex.EncodeToString(sum[:])})
	if err != nil {
		t.Fatal(err)
	}
	options, err := structpb.NewStruct(map[string]any{"option": "value"})
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{program: program, address: listener.Addr().String(), info: &fnpb.ProvisionInfo{
		PipelineOptions:    options,
		RunnerCapabilities: []string{"one", "two"},
		Dependencies:       []*pipepb.ArtifactInformation{{TypeUrn: "beam:artifact:type:file:v1", TypePayload: payload, RoleUrn: "beam:artifact:role:go_worker_binary:v1"}},
	}}
	server := grpc.NewServer()
	fnpb.RegisterProvisionServiceServer(server, r)
	jobpb.RegisterArtifactRetrievalServiceServer(server, r)
	go server.Serve(listener) //nolint:errcheck // a pool that cannot reach it says so
	t.Cleanup(server.Stop)
	return r
}

func (r *runner) GetProvisionInfo(context.Context, *fnpb.GetProvisionInfoRequest) (*fnpb.GetProvisionInfoResponse, error) {
	return &fnpb.GetProvisionInfoResponse{Info: r.info}, nil
}

func (r *runner) ResolveArtifacts(_ context.Context, q *jobpb.ResolveArtifactsRequest) (*jobpb.ResolveArtifactsResponse, error) {
	return &jobpb.ResolveArtifactsResponse{Replacements: q.GetArtifacts()}, nil
}

func (r *runner) GetArtifact(_ *jobpb.GetArtifactRequest, s jobpb.ArtifactRetrievalService_GetArtifactServer) error {
	return s.Send(&jobpb.GetArtifactResponse{Data: []byte(r.program)})
}

// request asks for a worker by number. Nobody answers at the endpoint control.
func (r *runner) request(id, control string) *fnpb.StartWorkerRequest {
	at := func(url string) *pipepb.ApiServiceDescriptor { return &pipepb.ApiServiceDescriptor{Url: url} }
	return &fnpb.StartWorkerRequest{
		WorkerId: id, ControlEndpoint: at(control), LoggingEndpoint: at("127.0.0.1:9"), ProvisionEndpoint: at(r.address), ArtifactEndpoint: at(r.address),
	}
}

// served is a pool and Flink's end of it.
type served struct {
	fnpb.BeamFnExternalWorkerPoolClient
	group, dir, told string
	stop             func() error // ends the pool
}

func serve(t *testing.T) *served {
	t.Helper()
	s := &served{group: process.NewGroup(), dir: t.TempDir(), told: t.TempDir()}
	t.Setenv(process.Variable, s.group)
	t.Setenv("TMPDIR", s.dir)
	t.Setenv("TOLD", s.told)
	pool, err := workerpool.Listen(t.Context(), "127.0.0.1:0", t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- pool.Serve(ctx) }()
	stopped := false
	s.stop = func() error {
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if !stopped {
			_ = s.stop()
		}
	})
	conn, err := grpc.NewClient(pool.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s.BeamFnExternalWorkerPoolClient = fnpb.NewBeamFnExternalWorkerPoolClient(conn)
	return s
}

func (s *served) start(t *testing.T, q *fnpb.StartWorkerRequest) (fault string) {
	t.Helper()
	answer, err := s.StartWorker(t.Context(), q, grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetError()
}

func (s *served) end(t *testing.T, id string) {
	t.Helper()
	if answer, err := s.StopWorker(t.Context(), &fnpb.StopWorkerRequest{WorkerId: id}); err != nil || answer.GetError() != "" {
		t.Fatal(answer, err)
	}
}

// running are the process numbers of the workers.
func (s *served) running(t *testing.T) (pids []int) {
	t.Helper()
	members, err := process.Members(s.group)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if m.Getenv(workerpool.Variable) != "" {
			pids = append(pids, m.PID)
		}
	}
	return pids
}

// left are the pool's files.
func (s *served) left(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "millrace-workers-*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// until polls until what is so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func TestAWorkerRunsTheJobsProgramUntilItIsStopped(t *testing.T) {
	s, r := serve(t), startRunner(t, stays)
	if fault := s.start(t, r.request("1-1", "127.0.0.1:7")); fault != "" {
		t.Fatal(fault)
	}
	until(t, "the worker has told how it was called", func() bool {
		_, err := os.Stat(filepath.Join(s.told, "args"))
		return err == nil
	})
	args, _ := os.ReadFile(filepath.Join(s.told, "args"))
	env, _ := os.ReadFile(filepath.Join(s.told, "env"))
	folder := s.left(t)[0]
	want := []string{
		"--worker=true --id=1-1 --logging_endpoint=127.0.0.1:9 --control_endpoint=127.0.0.1:7 --semi_persist_dir=" + folder + "\n",
		`{"option":"value"}` + "\none two\n" + folder + "\n",
	}
	if diff := cmp.Diff(want, []string{string(args), string(env)}); diff != "" {
		t.Errorf("arguments and environment (-want +got):\n%s", diff)
	}
	s.end(t, "1-1")
	if pids, files := s.running(t), s.left(t); len(pids)+len(files) > 0 {
		t.Errorf("processes %v and files %v are left", pids, files)
	}
	s.end(t, "1-1") // once more, as of a worker that has ended by itself
}

func TestRunnersMayNumberTheirWorkersAlike(t *testing.T) {
	s, r := serve(t), startRunner(t, "#!/bin/sh\nexec sleep 1000\n") // no process beside its own
	for _, control := range []string{"127.0.0.1:7", "127.0.0.1:8"} {
		if fault := s.start(t, r.request("1-1", control)); fault != "" {
			t.Fatal(fault)
		}
	}
	if fault := s.start(t, r.request("1-1", "127.0.0.1:8")); !strings.Contains(fault, "runs already") {
		t.Errorf("the same worker again: %q", fault)
	}
	s.end(t, "1-1") // which of the two is not said
	pids := s.running(t)
	if len(pids) != 2 {
		t.Fatalf("workers %v run, want both", pids)
	}
	if was, err := process.Signal(s.group, pids[0], syscall.SIGKILL); !was || err != nil {
		t.Fatal(was, err)
	}
	until(t, "the pool has reaped the killed one", func() bool { return len(s.left(t)) == 1 })
	s.end(t, "1-1")
	if pids := s.running(t); len(pids) != 0 {
		t.Errorf("workers %v are left", pids)
	}
}

func TestAWorkerThatDiedMayBeStartedAgain(t *testing.T) {
	s, r := serve(t), startRunner(t, "#!/bin/sh\nexit 3\n")
	for range 3 {
		if fault := s.start(t, r.request("1-1", "127.0.0.1:7")); fault != "" {
			t.Fatal(fault)
		}
		until(t, "it is reaped", func() bool { return len(s.left(t)) == 0 })
	}
}

func TestAWorkerThatWillNotEndIsMadeTo(t *testing.T) {
	s, r := serve(t), startRunner(t, "#!/bin/sh\ntrap '' TERM\ntouch \"$TOLD/deaf\"\nexec sleep 1000\n")
	if fault := s.start(t, r.request("1-1", "127.0.0.1:7")); fault != "" {
		t.Fatal(fault)
	}
	until(t, "it is deaf", func() bool {
		_, err := os.Stat(filepath.Join(s.told, "deaf"))
		return err == nil
	})
	s.end(t, "1-1")
	if pids := s.running(t); len(pids) != 0 {
		t.Errorf("workers %v are left", pids)
	}
}

func TestAPoolThatEndsLeavesNothing(t *testing.T) {
	s, r := serve(t), startRunner(t, stays)
	for _, id := range []string{"1-1", "1-2", "2-1"} {
		if fault := s.start(t, r.request(id, "127.0.0.1:7")); fault != "" {
			t.Fatal(fault)
		}
	}
	until(t, "all three run", func() bool { return len(s.running(t)) == 3 }) // besides, what their scripts call
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	files, err := os.ReadDir(s.dir)
	if pids := s.running(t); len(pids)+len(files) > 0 || err != nil {
		t.Errorf("processes %v and files %v are left, %v", pids, files, err)
	}
}

func TestWhatKeepsAWorkerFromStartingIsInTheAnswer(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		name   string
		change func(*runner, *fnpb.StartWorkerRequest)
		want   string
	}{
		{"no control endpoint", func(_ *runner, q *fnpb.StartWorkerRequest) { q.ControlEndpoint = nil }, "no control endpoint"},
		{"authentication", func(_ *runner, q *fnpb.StartWorkerRequest) {
			q.ControlEndpoint.Authentication = &pipepb.AuthenticationSpec{Urn: "x"}
		}, "authentication"},
		{"no program", func(r *runner, _ *fnpb.StartWorkerRequest) { r.info.Dependencies = nil }, "none is a worker's program"},
		{"no place of the program", func(_ *runner, q *fnpb.StartWorkerRequest) { q.ArtifactEndpoint = nil }, "names no place"},
		{"nothing known of the job", func(r *runner, _ *fnpb.StartWorkerRequest) { r.info = nil }, "what to run"},
		{"a program of another system", func(*runner, *fnpb.StartWorkerRequest) {}, "exec format error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := startRunner(t, "MZ")
			q := r.request("1-1", "127.0.0.1:7")
			c.change(r, q)
			if fault := s.start(t, q); !strings.Contains(fault, c.want) || !strings.Contains(fault, "could not start worker 1-1") {
				t.Errorf("it says %q, want %q", fault, c.want)
			}
			if files := s.left(t); len(files) > 0 {
				t.Errorf("%v is left", files)
			}
		})
	}
}

func TestAnAddressThatIsTakenIsTold(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := workerpool.Listen(t.Context(), taken.Addr().String(), t.Logf); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("error %v, want %v with the address", err, fault.ErrInvalid)
	}
}
