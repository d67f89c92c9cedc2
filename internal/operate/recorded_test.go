package operate_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"millrace/internal/operate"
	"millrace/runners/flink/rest"
)

// recorded answers as a JobManager did when the answers in a file of testdata were
// taken from it: live jobs of Flink 1.19.3 and Beam's runner 2.62. change may
// alter them: keys are paths, and metrics are kept as one list a vertex.
type recorded struct {
	answers map[string]json.RawMessage
	posts   []string // what was asked for other than by GET
	longest int      // bytes of what was asked for
}

const (
	healthyID = "d09a41ad29b465b21e499b5455be5a9f"
	failingID = "9c52dfc273417a80fbf1b101867f5c84"
)

// at is when healthy.json was taken, by the JobManager's clock.
var at = time.UnixMilli(1795245487708).UTC()

func record(t *testing.T, name string, change func(answers map[string]json.RawMessage)) (*recorded, *operate.Client) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	r := &recorded{}
	if err := json.Unmarshal(content, &r.answers); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r.answers)
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	client, err := rest.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return r, client
}

func (r *recorded) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.longest = max(r.longest, len(q.URL.RequestURI()))
	if q.Method != http.MethodGet {
		r.posts = append(r.posts, q.Method+" "+q.URL.RequestURI())
		if job, stop := strings.CutSuffix(q.URL.Path, "/stop"); stop {
			r.answers[job] = json.RawMessage(strings.ReplaceAll(string(r.answers[job]), `"RUNNING"`, `"FINISHED"`))
		}
	}
	if strings.HasSuffix(q.URL.Path, "/metrics") {
		r.metrics(w, q)
		return
	}
	answer, ok := r.answers[q.URL.RequestURI()]
	if !ok {
		answer, ok = r.answers[q.Method+" "+q.URL.Path]
	}
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		answer = json.RawMessage(`{"errors":["Not found: ` + q.URL.Path + `"]}`)
	}
	_, _ = w.Write(answer)
}

// metrics gives the names of all, or the values of those that are asked for.
func (r *recorded) metrics(w http.ResponseWriter, q *http.Request) {
	type metric struct {
		ID    string `json:"id"`
		Value string `json:"value,omitempty"`
	}
	var all, some []metric
	_ = json.Unmarshal(r.answers[q.URL.Path], &all)
	asked := q.URL.Query().Get("get")
	for _, m := range all {
		switch {
		case asked == "":
			some = append(some, metric{ID: m.ID})
		case strings.Contains(","+asked+",", ","+m.ID+","):
			some = append(some, m)
		}
	}
	if some == nil {
		some = []metric{}
	}
	_ = json.NewEncoder(w).Encode(some)
}

// edit replaces text in an answer; it must be there.
func edit(t *testing.T, answers map[string]json.RawMessage, path, before, after string) {
	t.Helper()
	var compact []byte
	{
		var v any
		if err := json.Unmarshal(answers[path], &v); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		compact, _ = json.Marshal(v)
	}
	if !strings.Contains(string(compact), before) {
		t.Fatalf("%s does not hold %s: %s", path, before, compact)
	}
	answers[path] = json.RawMessage(strings.ReplaceAll(string(compact), before, after))
}
