package operate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/operate"
	"millrace/runners/flink/rest"
)

const (
	healthy = "/jobs/" + healthyID
	failing = "/jobs/" + failingID
	source  = healthy + "/vertices/ad85acde7a205c47f139e0904447619e/metrics"
)

func look(t *testing.T, r operate.Reader, name string) operate.Status {
	t.Helper()
	s, err := r.Read(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheStatusOfAJobThatIsWell(t *testing.T) {
	_, client := record(t, "healthy.json", nil)
	s := look(t, operate.Reader{Client: client}, "weblogs")
	if s.Name != "weblogs-live-3ca9ff004eb7-a631c05a" || s.Run != "weblogs-live-3ca9ff004eb7" || s.ID != healthyID {
		t.Errorf("it is %s of run %s with id %s", s.Name, s.Run, s.ID)
	}
	if s.State != rest.Running || s.Parallelism != 1 || s.Restarts != 0 || !s.Now.Equal(at) {
		t.Errorf("it is %s, parallelism %d, %d restarts, at %v", s.State, s.Parallelism, s.Restarts, s.Now)
	}
	if want := (operate.Reading{Records: 125452, Bytes: 11533758, Rolls: 264}); s.Read != want {
		t.Errorf("it has read %+v, want %+v", s.Read, want)
	}
	if want := (operate.Counts{In: 125452, Events: 125452}); s.Ledger != want {
		t.Errorf("its ledger is %+v, want %+v", s.Ledger, want)
	}
	// The stages that hand out work are at the end of time, and are not what holds.
	if s.Watermark == nil || s.Watermark.UnixMilli() != 1795245475000 || *s.Lag != 12.708 || s.Sealed {
		t.Errorf("its watermark is %v, %v s behind, sealed %t", s.Watermark, s.Lag, s.Sealed)
	}
	var sources []string
	for _, stage := range s.Stages {
		if stage.Source {
			sources = append(sources, stage.Name)
		}
	}
	if diff := cmp.Diff([]string{"{endpoint.Follow, weblogs, endpoint.WriteLive}"}, sources); diff != "" {
		t.Errorf("the stages that read the stream (-want +got):\n%s", diff)
	}
	c := s.Checkpoints
	if c.Completed != 114 || c.Failed != 1 || c.Every != 10 || *c.Age != 5.009 || *c.Duration != 1.677 || *c.Size != 19457544 {
		t.Errorf("its checkpoints are %+v", c)
	}
	if !s.Healthy || len(s.Findings) != 0 || s.Failure != nil {
		t.Errorf("healthy %t, findings %v, failure %v", s.Healthy, s.Findings, s.Failure)
	}
}

func TestAJobThatKeepsFailingSaysWhyInOneLine(t *testing.T) {
	_, client := record(t, "failing.json", nil)
	s := look(t, operate.Reader{Client: client}, failingID)
	if s.Healthy || s.Restarts != 9 {
		t.Errorf("healthy %t after %d restarts", s.Healthy, s.Restarts)
	}
	const want = "describe kinesis://access-logs: no AWS credentials were found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role"
	if s.Failure == nil || s.Failure.Text != want {
		t.Fatalf("the last failure is %+v, want %s", s.Failure, want)
	}
	if len(s.Findings) == 0 || !strings.Contains(s.Findings[0].Text, want) || s.Findings[0].Cure == "" {
		t.Errorf("the findings are %+v", s.Findings)
	}
}

// TestFindings changes what a healthy job's cluster says, one thing at a time.
func TestFindings(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(t *testing.T, a map[string]json.RawMessage)
		problem bool
		text    string
		cure    string
	}{
		"failed": {func(t *testing.T, a map[string]json.RawMessage) { state(t, a, "FAILED") }, true, "it failed and was not started again", "millrace resume weblogs-live-3ca9ff004eb7"},
		"being started again": {func(t *testing.T, a map[string]json.RawMessage) {
			state(t, a, "RESTARTING")
		}, true, "being started again", "Flink keeps trying"},
		"cancelled": {func(t *testing.T, a map[string]json.RawMessage) { state(t, a, "CANCELED") }, false, "it was cancelled", "millrace resume"},
		"finished":  {func(t *testing.T, a map[string]json.RawMessage) { state(t, a, "FINISHED") }, false, "ended by itself", ""},
		"without slots": {func(t *testing.T, a map[string]json.RawMessage) {
			edit(t, a, healthy, `"status":"RUNNING"`, `"status":"SCHEDULED"`)
		}, true, "8 of 8 stages do not run", "free slots"},
		"an old checkpoint": {func(t *testing.T, a map[string]json.RawMessage) {
			edit(t, a, healthy+"/checkpoints", "1795245482699", "1795245282699")
		}, true, "the last checkpoint is 3 min old", "do not cancel"},
		"no checkpoint": {func(t *testing.T, a map[string]json.RawMessage) {
			a[healthy+"/checkpoints"] = json.RawMessage(`{"counts":{"failed":7},"latest":{"failed":{"id":9,"failure_timestamp":1795245480000,"failure_message":"Disk quota exceeded"}}}`)
		}, true, "no checkpoint was completed in 19 min: Disk quota exceeded", "folder of checkpoints"},
		"a large checkpoint": {func(t *testing.T, a map[string]json.RawMessage) {
			edit(t, a, healthy+"/checkpoints", `"state_size":19457544`, `"state_size":2000000000`)
		}, false, "a checkpoint has 1.86 GiB", "stop it with a savepoint and resume"},
		"a slow checkpoint": {func(t *testing.T, a map[string]json.RawMessage) {
			edit(t, a, healthy+"/checkpoints", `"end_to_end_duration":1677`, `"end_to_end_duration":30000`)
		}, false, "takes 30 s, longer than the 10 s", "checkpointing_interval"},
		"mostly bad": {func(t *testing.T, a map[string]json.RawMessage) {
			edit(t, a, source, "ledger_events", "ledger_bad")
		}, true, "125452 of 125452 records are bad", "the right stream"},
		"far behind": {func(t *testing.T, a map[string]json.RawMessage) {
			edit(t, a, source, "1795245475000", "1795243475000")
		}, false, "33 min behind", "parallelism"},
		"no watermark": {func(t *testing.T, a map[string]json.RawMessage) {
			for path := range a {
				if strings.HasSuffix(path, "/metrics") {
					for _, mark := range []string{"1795245475000", "1795245477000"} {
						a[path] = json.RawMessage(strings.ReplaceAll(string(a[path]), mark, "-9223372036854775808"))
					}
				}
			}
		}, true, "there is no watermark yet", "times of the records"},
		"nothing read": {func(t *testing.T, a map[string]json.RawMessage) {
			for path := range a {
				if strings.HasSuffix(path, "/metrics") {
					for _, mark := range []string{"1795245475000", "1795245477000"} {
						a[path] = json.RawMessage(strings.ReplaceAll(string(a[path]), mark, "-9223372036854775808"))
					}
					a[path] = json.RawMessage(strings.ReplaceAll(string(a[path]), "125452", "0"))
				}
			}
		}, false, "no record was read in 19 min", "TaskManagers' logs"},
		"sealed": {func(t *testing.T, a map[string]json.RawMessage) {
			for path := range a {
				if strings.HasSuffix(path, "/metrics") {
					for _, mark := range []string{"1795245475000", "1795245477000"} {
						a[path] = json.RawMessage(strings.ReplaceAll(string(a[path]), mark, "253402300800000000"))
					}
				}
			}
		}, false, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, client := record(t, "healthy.json", func(a map[string]json.RawMessage) { c.change(t, a) })
			s := look(t, operate.Reader{Client: client}, healthyID)
			if s.Healthy == c.problem {
				t.Errorf("healthy is %t: %+v", s.Healthy, s.Findings)
			}
			if c.text == "" {
				return
			}
			for _, f := range s.Findings {
				if strings.Contains(f.Text, c.text) && f.Problem == c.problem && strings.Contains(f.Cure, c.cure) {
					return
				}
			}
			t.Errorf("no finding (problem %t) says %q with the cure %q: %+v", c.problem, c.text, c.cure, s.Findings)
		})
	}
}

func state(t *testing.T, a map[string]json.RawMessage, to string) {
	t.Helper()
	edit(t, a, healthy, `"state":"RUNNING"`, `"state":"`+to+`"`)
}

func TestAWatermarkThatStandsThoughRecordsComeIsAProblem(t *testing.T) {
	memory := t.TempDir()
	read := func(after time.Duration, records int, mark string) operate.Status {
		_, client := record(t, "healthy.json", func(a map[string]json.RawMessage) {
			edit(t, a, healthy, `"now":1795245487708`, fmt.Sprintf(`"now":%d`, at.Add(after).UnixMilli()))
			edit(t, a, healthy+"/checkpoints", "1795245482699", fmt.Sprint(at.Add(after).UnixMilli()))
			for _, path := range []string{source, healthy + "/vertices/61024a939f60524792082c2fd55bdfdf/metrics", healthy + "/vertices/79de90164abccd9cadeff9623e688999/metrics"} {
				edit(t, a, path, "1795245475000", mark)
			}
			edit(t, a, source, `_records","value":"125452"`, fmt.Sprintf(`_records","value":"%d"`, records))
		})
		return look(t, operate.Reader{Client: client, Memory: memory}, healthyID)
	}
	const first, second, third = "1795245475000", "1795245475001", "1795245475002"
	for _, step := range []struct {
		after   time.Duration
		records int
		mark    string
		healthy bool
		text    string
	}{
		{0, 1000, first, true, ""},
		{time.Minute, 2000, first, true, ""},      // not long
		{4 * time.Minute, 2000, second, true, ""}, // it moved, if by little
		{8 * time.Minute, 2000, second, true, "no record came for 4 min"},
		{8 * time.Minute, 2001, second, false, "the watermark has not moved for 4 min while 1 record came"},
		{12 * time.Minute, 2001, second, true, "no record came for 4 min"},
		{13 * time.Minute, 2001, third, true, ""},
		{13*time.Minute + 10*time.Second, 2500, third, true, ""}, // they came with the watermark, and show later
		{17 * time.Minute, 2500, third, true, "no record came for 3 min"},
		{17 * time.Minute, 2501, third, false, "the watermark has not moved for 4 min while 1 record came"},
		{18 * time.Minute, 5, third, true, ""}, // started again: it counts anew
	} {
		s := read(step.after, step.records, step.mark)
		said := fmt.Sprint(s.Findings)
		if s.Healthy != step.healthy || !strings.Contains(said, step.text) || step.text == "" && strings.Contains(said, "watermark") && !strings.Contains(said, "behind") {
			t.Errorf("after %v with %d records: healthy %t, %s; want healthy %t and %q", step.after, step.records, s.Healthy, said, step.healthy, step.text)
		}
	}
}

func TestJobsAreFoundByWhatPeopleCallThem(t *testing.T) {
	list := func(names ...string) (jobs string, answers map[string]string) {
		var b strings.Builder
		answers = map[string]string{}
		for i, name := range names {
			name, state, _ := strings.Cut(name, " ")
			id := fmt.Sprintf("%032d", i)
			fmt.Fprintf(&b, `,{"jid":%q,"name":"beam0%d","state":%q,"start-time":%d,"end-time":-1}`, id, i, state, 1000+i)
			answers["/jobs/"+id+"/config"] = fmt.Sprintf(`{"execution-config":{"user-config":{"appName":%q,"goOptions":""}}}`, name)
		}
		return `{"jobs":[` + strings.TrimPrefix(b.String(), ",") + `]}`, answers
	}
	_, client := record(t, "healthy.json", func(a map[string]json.RawMessage) {
		overview, answers := list(
			"weblogs-live-aaaaaaaaaaaa-00000001 FAILED", "weblogs-live-aaaaaaaaaaaa-00000002 RUNNING", "weblogs-live-aaaaaaaaaaaa-00000003 CANCELED",
			"devices-live-bbbbbbbbbbbb-00000004 RUNNING", "devices-live-cccccccccccc-00000005 RUNNING", "clickstream-live-dddddddddddd-00000006 FAILED")
		a["/jobs/overview"] = json.RawMessage(overview)
		for path, text := range answers {
			a[path] = json.RawMessage(text)
		}
		a["/jobs/overview"] = json.RawMessage(strings.Replace(overview, `]}`, `,{"jid":"`+strings.Repeat("f", 32)+`","name":"weblogs","state":"RUNNING","start-time":5}]}`, 1))
		a["/jobs/"+strings.Repeat("f", 32)+"/config"] = json.RawMessage(`{"execution-config":{"user-config":{}}}`) // not one of ours
	})
	for name, want := range map[string]string{
		"weblogs":                            "weblogs-live-aaaaaaaaaaaa-00000002", // the one that runs
		"weblogs-live-aaaaaaaaaaaa":          "weblogs-live-aaaaaaaaaaaa-00000002",
		"weblogs-live-aaaaaaaaaaaa-00000001": "weblogs-live-aaaaaaaaaaaa-00000001",
		fmt.Sprintf("%032d", 2):              "weblogs-live-aaaaaaaaaaaa-00000003",
		"click":                              "clickstream-live-dddddddddddd-00000006",
		"devices-live-c":                     "devices-live-cccccccccccc-00000005",
	} {
		if j, err := operate.Find(t.Context(), client, name); err != nil || j.Name != want {
			t.Errorf("%s is understood as %s (%v), want %s", name, j.Name, err, want)
		}
	}
	for name, want := range map[string]string{
		"devices":                   "several jobs begin so: devices-live-bbbbbbbbbbbb, devices-live-cccccccccccc; name one of them in full",
		"weblogs-live-aaaaaaaaaaab": "did you mean weblogs-live-aaaaaaaaaaaa?",
		"zzzzzz":                    "list the jobs with millrace status",
		"":                          "list the jobs with millrace status",
	} {
		_, err := operate.Find(t.Context(), client, name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
		if operate.Unclear(err) != (name == "devices") {
			t.Errorf("%q: unclear is %t", name, operate.Unclear(err))
		}
	}
	jobs, err := operate.Jobs(t.Context(), client)
	if err != nil || len(jobs) != 6 || jobs[0].Name != "devices-live-cccccccccccc-00000005" || jobs[5].State != rest.Failed {
		t.Errorf("the list is %+v, %v", jobs, err)
	}
	if operate.AllWell(jobs) {
		t.Error("all is well though clickstream has failed for good")
	}
	if !operate.AllWell(jobs[:3]) {
		t.Error("a failed submission counts though the run goes on in another")
	}
}

func TestTextForPeople(t *testing.T) {
	_, client := record(t, "failing.json", nil)
	s := look(t, operate.Reader{Client: client}, failingID)
	var b bytes.Buffer
	if err := s.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "failing.txt", b.Bytes())
	_, client = record(t, "healthy.json", nil)
	s = look(t, operate.Reader{Client: client}, healthyID)
	b.Reset()
	if err := s.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "healthy.txt", b.Bytes())
}

func TestPrometheusText(t *testing.T) {
	_, client := record(t, "healthy.json", nil)
	s := look(t, operate.Reader{Client: client}, healthyID)
	var b bytes.Buffer
	if err := operate.WritePrometheus(&b, &s); err != nil {
		t.Fatal(err)
	}
	golden(t, "healthy.prom", b.Bytes())
	for i, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), " ")
		name, _, _ = strings.Cut(name, "{")
		if !strings.HasPrefix(name, "millrace_") {
			t.Errorf("line %d is of %s", i+1, name)
		}
	}
	if err := operate.WritePrometheus(&b, &operate.Status{Job: operate.Job{Name: "a\"b\\c\nd"}}); err != nil || !strings.Contains(b.String(), `name="a\"b\\c\nd"`) {
		t.Errorf("a name is not escaped: %v", err)
	}
}

func TestJSONRoundTrips(t *testing.T) {
	_, client := record(t, "healthy.json", nil)
	s := look(t, operate.Reader{Client: client}, healthyID)
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "healthy.status.json", append(b, '\n'))
}

// golden compares with a file of testdata; UPDATE=1 writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
