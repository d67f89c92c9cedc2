package operate_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/operate"
	"millrace/runners/flink/fault"
	"millrace/runners/flink/rest"
)

const trigger = "11112222333344445555666677778888"

// savepoints lets a recorded cluster take savepoints.
func savepoints(outcome string) func(a map[string]json.RawMessage) {
	return func(a map[string]json.RawMessage) {
		a["POST "+healthy+"/stop"] = json.RawMessage(`{"request-id":"` + trigger + `"}`)
		a["POST "+healthy+"/savepoints"] = json.RawMessage(`{"request-id":"` + trigger + `"}`)
		a[healthy+"/savepoints/"+trigger] = json.RawMessage(outcome)
	}
}

func TestStopNeverDrainsAndGivesTheSavepoint(t *testing.T) {
	const path = "file:/var/flink/savepoints/savepoint-d09a41-2c2a3d9ee9a0"
	r, client := record(t, "healthy.json", savepoints(`{"status":{"id":"COMPLETED"},"operation":{"location":"`+path+`"}}`))
	job, err := operate.Find(t.Context(), client, "weblogs")
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	tell := func(format string, _ ...any) { said = append(said, format) }
	if got, err := operate.Savepoint(t.Context(), client, job, "", tell); err != nil || got != path {
		t.Errorf("the savepoint is %s, %v", got, err)
	}
	if got, err := operate.Stop(t.Context(), client, job, "", tell); err != nil || got != path {
		t.Errorf("the savepoint is %s, %v", got, err)
	}
	if diff := cmp.Diff([]string{"POST " + healthy + "/savepoints", "POST " + healthy + "/stop"}, r.posts); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	if len(said) != 2 {
		t.Errorf("it said %q", said)
	}
}

func TestAJobThatHasEndedIsNotStoppedAgain(t *testing.T) {
	r, client := record(t, "healthy.json", nil)
	job := operate.Job{ID: healthyID, Name: "weblogs-live-a-00000001", Run: "weblogs-live-a", State: rest.Canceled}
	quiet := func(string, ...any) {}
	_, stopped := operate.Stop(t.Context(), client, job, "", quiet)
	_, taken := operate.Savepoint(t.Context(), client, job, "", quiet)
	for _, err := range []error{stopped, taken, operate.Cancel(t.Context(), client, job)} {
		if err == nil || !strings.Contains(err.Error(), "it has ended: it is CANCELED; to go on from where it was: millrace resume weblogs-live-a") {
			t.Errorf("the error is %v", err)
		}
	}
	if len(r.posts) != 0 {
		t.Errorf("asked for %q", r.posts)
	}
}

func TestAwaitJobWaitsForTheSubmissionOfThatName(t *testing.T) {
	_, client := record(t, "healthy.json", nil)
	j, err := operate.AwaitJob(t.Context(), client, "weblogs-live-3ca9ff004eb7-a631c05a")
	if err != nil || j.ID != healthyID {
		t.Errorf("it is %+v, %v", j, err)
	}
	ended, cancel := context.WithTimeout(t.Context(), 1200*time.Millisecond)
	defer cancel()
	if _, err := operate.AwaitJob(ended, client, "weblogs-live-3ca9ff004eb7-00000000"); err == nil || !strings.Contains(err.Error(), "waiting for job weblogs-live-3ca9ff004eb7-00000000") {
		t.Errorf("another submission of the run was taken for it: %v", err)
	}
}

func TestTheNewestCheckpointIsFlinksOrTheFolders(t *testing.T) {
	_, client := record(t, "healthy.json", nil)
	const told = "file:/var/flink/checkpoints/" + healthyID + "/chk-114"
	if got, err := operate.NewestCheckpoint(t.Context(), client, healthyID, ""); err != nil || got != told {
		t.Errorf("it is %s, %v, want %s", got, err, told)
	}
	_, later := record(t, "healthy.json", func(a map[string]json.RawMessage) {
		edit(t, a, healthy+"/checkpoints", `"savepoint":null`, `"savepoint":{"id":115,"external_path":"file:/var/flink/savepoints/s"}`)
	})
	if got, err := operate.NewestCheckpoint(t.Context(), later, healthyID, ""); err != nil || got != "file:/var/flink/savepoints/s" {
		t.Errorf("a later savepoint is passed over for %s, %v", got, err)
	}

	// A JobManager that was started anew knows nothing; the folder does.
	folder := t.TempDir()
	const id = "00000000000000000000000000000007"
	for _, chk := range []string{"chk-9", "chk-10"} {
		write(t, filepath.Join(folder, id, chk, "_metadata"))
	}
	write(t, filepath.Join(folder, id, "chk-11", "a-part-of-one-that-is-not-whole"))
	write(t, filepath.Join(folder, id, "shared", "_metadata"))
	write(t, filepath.Join(folder, strings.Repeat("1", 32), "chk-99", "_metadata"))
	want := "file:" + folder + "/" + id + "/chk-10"
	for _, c := range []*operate.Client{client, nil} {
		if got, err := operate.NewestCheckpoint(t.Context(), c, id, "file:"+folder); err != nil || got != want {
			t.Errorf("it is %s, %v, want %s", got, err, want)
		}
	}
	for _, none := range []string{"", "file://" + t.TempDir(), "file:" + filepath.Join(folder, "nowhere")} {
		_, err := operate.NewestCheckpoint(t.Context(), client, id, none)
		if !errors.Is(err, fault.ErrNotFound) || !strings.Contains(err.Error(), "--savepoint") {
			t.Errorf("in %q: %v", none, err)
		}
	}
}

func write(t *testing.T, file string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("state"), 0o644); err != nil {
		t.Fatal(err)
	}
}
