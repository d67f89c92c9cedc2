package run

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"millrace/internal/progress"
	"millrace/io/endpoint"
)

// jobManager answers for one job, and keeps what it is asked to do.
type jobManager struct {
	name  string
	asked []string
}

func (m *jobManager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const id, trigger = "00000000000000000000000000000007", "11112222333344445555666677778888"
	state := "RUNNING"
	if r.Method != http.MethodGet {
		m.asked = append(m.asked, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/jobs/"+id))
	}
	if slices.Contains(m.asked, "PATCH ") {
		state = "CANCELED"
	} else if len(m.asked) > 0 {
		state = "FINISHED"
	}
	answer := map[string]string{
		"/jobs/overview":                         fmt.Sprintf(`{"jobs":[{"jid":%q,"name":%q,"state":%q,"start-time":1,"end-time":-1}]}`, id, m.name, state),
		"/jobs/" + id:                            fmt.Sprintf(`{"jid":%q,"name":%q,"state":%q}`, id, m.name, state),
		"/jobs/" + id + "/config":                fmt.Sprintf(`{"execution-config":{"user-config":{"appName":%q,"goOptions":""}}}`, m.name),
		"/jobs/" + id + "/stop":                  `{"request-id":"` + trigger + `"}`,
		"/jobs/" + id + "/savepoints/" + trigger: `{"status":{"id":"COMPLETED"},"operation":{"location":"file:/savepoints/1"}}`,
	}[r.URL.Path]
	if answer == "" && r.Method == http.MethodGet {
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = w.Write([]byte(answer))
}

// said keeps what a run says.
type said struct{ texts []string }

func (s *said) Say(format string, a ...any)    { s.texts = append(s.texts, fmt.Sprintf(format, a...)) }
func (s *said) Start(func() progress.Snapshot) {}
func (s *said) Done()                          {}

func TestALiveJobIsFollowedByItsLake(t *testing.T) {
	for name, c := range map[string]struct {
		marks      []string
		broken     bool // the lake
		supervised bool
		recycle    string
		age, reads time.Duration // since its submission, and since it was seen to read
		over       bool
		fault      string
		asked      string // of the JobManager
		says       string
	}{
		"it was submitted":              {age: time.Minute, recycle: "10s"},
		"nothing is read":               {age: time.Hour, recycle: "10s", says: "nothing has been read yet"},
		"it reads":                      {age: time.Hour, marks: []string{"begun"}},
		"it reads, and is young":        {age: time.Minute, marks: []string{"begun"}, recycle: "1h"},
		"it reads, after a long start":  {age: time.Hour, marks: []string{"begun"}, recycle: "10s"},
		"it reads, and is to recycle":   {age: time.Hour, marks: []string{"begun"}, reads: time.Minute, recycle: "10s", over: true, fault: "the job was stopped with savepoint file:/savepoints/1", asked: "POST /stop"},
		"it is sealed":                  {age: time.Hour, marks: []string{"begun", "ended"}, recycle: "10s", over: true, asked: "PATCH "},
		"the lake is gone":              {age: time.Minute, broken: true, over: true, fault: "lake"},
		"the lake is gone for a moment": {age: time.Hour, broken: true, supervised: true, recycle: "10s", says: "waiting until the lake answers"},
	} {
		t.Run(name, func(t *testing.T) {
			manager := &jobManager{name: "weblogs-live-a-00000001"}
			server := httptest.NewServer(manager)
			defer server.Close()
			lake := filepath.Join(t.TempDir(), "lake")
			ending := &endpoint.Ending{Lake: lake, Run: "run", Attempt: "a"}
			for _, mark := range c.marks {
				file := filepath.Join(lake, "_live", "run", mark+"-a")
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			if c.broken {
				ending.Lake = "nowhere://lake"
			}
			w := &said{}
			p := &Plan{req: request{Options: Options{Flink: FlinkOptions{Supervise: c.supervised, RecycleAfter: c.recycle}}}}
			f := &following{plan: p, job: watched{master: server.Listener.Addr().String(), name: manager.name}, ending: ending, w: w, submitted: time.Now().Add(-c.age)}
			if c.reads > 0 {
				f.begun = time.Now().Add(-c.reads)
			}
			over, err := false, error(nil)
			for range 3 { // a look a second
				if over, err = f.look(t.Context()); over {
					break
				}
			}
			if over != c.over || (err != nil) != (c.fault != "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("over %t, %v; want %t, %q", over, err, c.over, c.fault)
			}
			recycled := new(recycledError)
			if errors.As(err, &recycled) != (c.asked == "POST /stop") {
				t.Errorf("it is recycled: %v", err)
			}
			if got := strings.Join(manager.asked, ", "); got != c.asked || f.leaving.Load() != (c.asked != "") {
				t.Errorf("asked %q, leaving %t; want %q", got, f.leaving.Load(), c.asked)
			}
			if len(w.texts) > 1 || !strings.Contains(strings.Join(w.texts, ""), c.says) || c.says == "" && len(w.texts) > 0 {
				t.Errorf("it says %q, want once %q", w.texts, c.says)
			}
		})
	}
}
