package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/runners/flink/fault"
	"millrace/runners/flink/rest"
)

// The jobs of the recorded answers: one that ran, one that failed.
const (
	ran    = "66224ca0c98678fbd2dba35d22ce39e3"
	failed = "bb2d1b66f7be4e997d6eedc283db743a"
)

// exchange is a request and the answer that Flink 1.19.3 gave to it.
type exchange struct {
	Request string          // "GET /jobs/JOB"
	Status  int             //
	Body    json.RawMessage //
}

func recorded(t *testing.T, name string) exchange {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "recorded", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var e exchange
	if err := json.Unmarshal(content, &e); err != nil {
		t.Fatal(err)
	}
	e.Request = strings.NewReplacer("/JOB", "/"+ran, "/FAILING", "/"+failed).Replace(e.Request)
	return e
}

// replay is a server that gives the recorded answers; those to the same request
// one after the other, the last one for ever. It tells what was sent to it.
func replay(t *testing.T, names ...string) (client *rest.Client, sent func() []string) {
	t.Helper()
	answers := map[string][]exchange{}
	for _, name := range names {
		e := recorded(t, name)
		answers[e.Request] = append(answers[e.Request], e)
	}
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if len(body) > 0 {
			bodies = append(bodies, string(body))
		}
		request := r.Method + " " + r.URL.RequestURI()
		left := answers[request]
		if len(left) == 0 && strings.Contains(request, "/metrics?get=") {
			// The order of names in the query is not ours to choose.
			left = answers[r.Method+" "+r.URL.Path+"?get="]
		}
		if len(left) == 0 && r.Method == http.MethodGet && strings.Count(r.URL.Path, "/") == 3 && strings.HasSuffix(r.URL.Path, "/metrics") {
			left = []exchange{{Status: http.StatusOK, Body: json.RawMessage("[]")}} // makes Flink collect them
		}
		if len(left) == 0 {
			t.Errorf("unexpected request %s", request)
			http.NotFound(w, r)
			return
		}
		if len(left) > 1 {
			answers[request] = left[1:]
		}
		w.WriteHeader(left[0].Status)
		if _, err := w.Write(left[0].Body); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	// The query of the recorded request is long; any query for the same metrics will do.
	for request, e := range answers {
		if path, _, ok := strings.Cut(request, "?get="); ok && strings.Contains(path, "/vertices/") {
			answers[path+"?get="] = e
		}
	}
	client, err := rest.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return client, func() []string { return bodies }
}

func ms(n int64) time.Time { return time.UnixMilli(n).UTC() }

func TestTheClusterInNumbers(t *testing.T) {
	client, _ := replay(t, "overview", "taskmanagers", "config")
	overview, err := client.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := rest.Overview{TaskManagers: 1, SlotsTotal: 4, JobsRunning: 2, JobsCancelled: 1, JobsFailed: 2, FlinkVersion: "1.19.3"}
	if diff := cmp.Diff(want, overview); diff != "" {
		t.Errorf("overview (-want +got):\n%s", diff)
	}
	managers, err := client.TaskManagers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]rest.TaskManager{{ID: "tm-1", Slots: 4}}, managers); diff != "" {
		t.Errorf("TaskManagers (-want +got):\n%s", diff)
	}
	config, err := client.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if config["taskmanager.numberOfTaskSlots"] != "4" {
		t.Errorf("configuration %v lacks the slots", config)
	}
}

func TestAJobAndItsVertices(t *testing.T) {
	client, _ := replay(t, "job", "restarts", "jobs", "vertex-1", "metrics-1", "watermarks-1", "vertex-0", "metrics-0", "watermarks-0")
	job, err := client.Job(t.Context(), ran)
	if err != nil {
		t.Fatal(err)
	}
	if job.Parallelism() != 2 || job.State.Ended() || len(job.Vertices) != 2 {
		t.Fatalf("job %+v, want two vertices of parallelism 2 that run", job)
	}
	vertices := job.Vertices
	job.Vertices = nil
	want := rest.Job{
		ID: ran, Name: "runs", State: rest.Running, Started: ms(1795243600484),
		Duration: 89091 * time.Millisecond, Now: ms(1795243689575),
	}
	if diff := cmp.Diff(want, job); diff != "" {
		t.Errorf("job (-want +got):\n%s", diff)
	}
	if v := vertices[1]; v.Name != "GlobalWindowAggregate[6] -> Calc[7] -> nowhere[8]: Writer" || v.State != "RUNNING" ||
		v.ReadRecords == 0 || v.ReadBytes == 0 || v.ReadRecords > vertices[0].WrittenRecords {
		t.Errorf("vertex %+v after %+v", v, vertices[0])
	}
	if n, err := client.Restarts(t.Context(), ran); n != 0 || err != nil {
		t.Errorf("restarts %d, %v; want none", n, err)
	}

	source, err := client.Subtasks(t.Context(), ran, vertices[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	sink, err := client.Subtasks(t.Context(), ran, vertices[1].ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(source) != 2 || len(sink) != 2 {
		t.Fatalf("%d and %d subtasks, want 2 and 2", len(source), len(sink))
	}
	for i := range 2 {
		if source[i].Index != i || source[i].TaskManager != "tm-1" || source[i].State != "RUNNING" {
			t.Errorf("subtask %+v of the source", source[i])
		}
		if source[i].Input.Known() || !source[i].Output.Known() {
			t.Errorf("the source has watermarks %v in and %v out, want only out", source[i].Input, source[i].Output)
		}
		lag, ok := sink[i].Input.Lag(job.Now)
		if !ok || lag < 0 || lag > 10*time.Second {
			t.Errorf("the sink's watermark %v lags %v, %v", sink[i].Input, lag, ok)
		}
	}
	if got := sink[0].Input.String(); got != "2026-11-21T06:48:08.069Z" {
		t.Errorf("watermark %s", got)
	}

	jobs, err := client.Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]rest.State{}
	for _, j := range jobs {
		states[j.ID] = j.State
		if j.State.Ended() == j.Ended.IsZero() {
			t.Errorf("job %+v has ended or not", j)
		}
	}
	if states[ran] != rest.Running || len(jobs) < 3 {
		t.Errorf("jobs %v", states)
	}
}

func TestWatermarksHaveEnds(t *testing.T) {
	now := ms(100_000)
	for _, c := range []struct {
		watermark rest.Watermark
		text      string
		lags      bool
	}{
		{-1 << 63, "none", false},
		{-9223372036854775, "none", false}, // Beam's beginning
		{-9223372036854774, "", true},
		{0, "1970-01-01T00:00:00.000Z", true},
		{253402214400000, "final", false},  // 9999-12-31: a stream with an end has ended
		{9223371950454775, "final", false}, // Beam's end of the global window
		{9223372036854775, "final", false}, // Beam's end
		{1<<63 - 1, "final", false},
	} {
		if c.text != "" && c.watermark.String() != c.text {
			t.Errorf("watermark %d is %s, want %s", int64(c.watermark), c.watermark, c.text)
		}
		if _, ok := c.watermark.Lag(now); ok != c.lags {
			t.Errorf("watermark %d lags: %v, want %v", int64(c.watermark), ok, c.lags)
		}
	}
	if lag, _ := rest.Watermark(98_500).Lag(now); lag != 1500*time.Millisecond {
		t.Errorf("lag %v, want 1.5s", lag)
	}
}

func TestCheckpoints(t *testing.T) {
	client, _ := replay(t, "checkpoints")
	got, err := client.Checkpoints(t.Context(), ran)
	if err != nil {
		t.Fatal(err)
	}
	want := rest.Checkpoints{
		Completed: 95, Failed: 2, InProgress: 1,
		Last: &rest.Checkpoint{
			ID: 96, Path: "file:/tmp/fx/cl/checkpoints/" + ran + "/chk-96",
			Triggered: ms(1795243695460), Duration: 62 * time.Millisecond, Size: 11162, Written: 11162,
		},
		LastSavepoint: &rest.Checkpoint{
			ID: 93, Path: "file:/tmp/fx/cl/savepoints/savepoint-66224c-ac0fe0b56389",
			Triggered: ms(1795243693087), Duration: 18 * time.Millisecond, Size: 8946, Written: 8946,
		},
		LastFailure: &rest.CheckpointFailure{
			ID: 89, Time: ms(1795243689725), Reason: "An Exception occurred while triggering the checkpoint. IO-problem detected.",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("checkpoints (-want +got):\n%s", diff)
	}
}

func TestExceptionsTellTheRootCause(t *testing.T) {
	client, _ := replay(t, "exceptions", "restarts-failing")
	got, err := client.Exceptions(t.Context(), failed, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := []rest.Exception{
		{
			Time: ms(1795243951492), TaskManager: "tm-1", Task: "GlobalWindowAggregate[6] -> Calc[7] -> nowhere[8]: Writer (1/2) - execution #3",
			Cause: "java.lang.NumberFormatException: For input string: 'no number7'. Invalid character found.",
		},
		{
			Time: ms(1795243949172), TaskManager: "tm-1", Task: "GlobalWindowAggregate[6] -> Calc[7] -> nowhere[8]: Writer (2/2) - execution #2",
			Cause: "java.lang.NumberFormatException: For input string: 'no number2'. Invalid character found.",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("exceptions (-want +got):\n%s", diff)
	}
	if n, err := client.Restarts(t.Context(), failed); n != 1 || err != nil {
		t.Errorf("restarts %d, %v; want 1", n, err)
	}
}

func TestSavepointsAreWaitedFor(t *testing.T) {
	client, sent := replay(t, "job", "savepoint", "savepoint-progress", "savepoint-done")
	path, err := client.Savepoint(t.Context(), ran, "")
	if want := "file:/tmp/fx/cl/savepoints/savepoint-66224c-ac0fe0b56389"; path != want || err != nil {
		t.Errorf("savepoint %q, %v; want %q", path, err, want)
	}
	if diff := cmp.Diff([]string{`{"cancel-job":false}`}, sent()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}

	client, sent = replay(t, "job", "stop", "stop-done", "job", "job-stopped")
	path, err = client.Stop(t.Context(), ran, "s3://bucket/savepoints")
	if want := "file:/tmp/fx/cl/savepoints/savepoint-66224c-8f40d2473f89"; path != want || err != nil {
		t.Errorf("savepoint %q, %v; want %q", path, err, want)
	}
	if diff := cmp.Diff([]string{`{"drain":false,"targetDirectory":"s3://bucket/savepoints"}`}, sent()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestASavepointThatGoesWrongSaysWhy(t *testing.T) {
	client, _ := replay(t, "job", "stop-bad-target", "stop-bad-target-state")
	_, err := client.Stop(t.Context(), ran, "nofs://x/y")
	if !errors.Is(err, fault.ErrRefused) || !strings.Contains(err.Error(), "Hadoop is not in the classpath") || !strings.Contains(err.Error(), "the job goes on") {
		t.Errorf("error %v, want %v with cause and cure", err, fault.ErrRefused)
	}
}

func TestAJobThatHasEndedCannotBeStopped(t *testing.T) {
	client, sent := replay(t, "job-stopped")
	_, err := client.Stop(t.Context(), ran, "")
	if !errors.Is(err, fault.ErrRefused) || !strings.Contains(err.Error(), "FINISHED") {
		t.Errorf("error %v, want %v that names the state", err, fault.ErrRefused)
	}
	if err := client.Cancel(t.Context(), ran); err != nil {
		t.Errorf("cancel: %v", err)
	}
	if len(sent()) != 0 {
		t.Errorf("sent %v, want nothing", sent())
	}
}

func TestErrorsHaveAClassAndACure(t *testing.T) {
	client, _ := replay(t, "missing")
	_, err := client.Await(t.Context(), strings.Repeat("0", 32), func(rest.Job) bool { return true })
	if !errors.Is(err, fault.ErrNotFound) || !strings.Contains(err.Error(), "Could not find Flink job (00000000000000000000000000000000)") || strings.Contains(err.Error(), "\tat ") {
		t.Errorf("missing job: %v, want %v without a stack trace", err, fault.ErrNotFound)
	}
	if _, err := client.Job(t.Context(), "../overview"); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("an id that is none: %v, want %v", err, fault.ErrInvalid)
	}
	if _, err := client.Subtasks(t.Context(), ran, "../.."); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("a vertex that is none: %v, want %v", err, fault.ErrInvalid)
	}
	for _, address := range []string{"", "ftp://host:1", "http://user:secret@host:1", "http://"} {
		if _, err := rest.New(address); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("address %q: %v, want %v", address, err, fault.ErrInvalid)
		}
	}

	server := httptest.NewServer(http.NotFoundHandler())
	address := server.URL
	server.Close()
	silent, err := rest.New(address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := silent.Overview(t.Context()); !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), address) {
		t.Errorf("nobody there: %v, want %v that names the address", err, fault.ErrUnavailable)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := silent.Overview(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("cancelled: %v, want %v only", err, context.Canceled)
	}

	for _, c := range []struct {
		status int
		body   string
		class  error
	}{
		{http.StatusOK, "<html>", fault.ErrInvalid},
		{http.StatusBadRequest, `{"errors":["bad"]}`, fault.ErrInvalid},
		{http.StatusServiceUnavailable, "{}", fault.ErrUnavailable},
		{http.StatusConflict, "", fault.ErrRefused},
		{http.StatusInternalServerError, `{"errors":["Internal server error.","a.B: c\n\tat d(e)"]}`, fault.ErrRefused},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			if _, err := io.WriteString(w, c.body); err != nil {
				t.Error(err)
			}
		}))
		client, err := rest.New(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Overview(t.Context()); !errors.Is(err, c.class) {
			t.Errorf("status %d: %v, want %v", c.status, err, c.class)
		}
		server.Close()
	}
}

func TestASilentJobManagerIsAskedAgain(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if _, err := w.Write(recorded(t, "job-stopped").Body); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	client, err := rest.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	job, err := client.Await(t.Context(), ran, func(j rest.Job) bool { return j.State.Ended() })
	if job.State != rest.Finished || err != nil {
		t.Errorf("job %s, %v; want it finished", job.State, err)
	}
}
