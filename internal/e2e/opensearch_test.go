package e2e

import (
	"encoding/json"
	"path/filepath"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// TestOutputsGoToOpenSearch sends outputs to indexes by day and to a single one,
// and does it again: the same documents are there, as many as the lake has rows.
func TestOutputsGoToOpenSearch(t *testing.T) {
	node, e := testenv.OpenSearch(t), newEnv(t)
	source := filepath.Join(accessLogs(t), "semicomplete_2015-05-17_18.log.gz")
	places := map[string]string{"events": "e2e-events-{day}", "sessions": "e2e-sessions-{day}?compress=gzip", "traffic": "e2e-traffic"}
	aliases := map[string]string{"events": "e2e-events", "sessions": "e2e-sessions", "traffic": "e2e-traffic-current"}
	args := weblogs(source, e.in("one"))
	for output, place := range places {
		args = append(args, "--output", output+"=opensearch://"+node.Addr+"/"+place)
	}
	mustRun(t, e, args...)
	documents := func() map[string]map[string]string {
		found := map[string]map[string]string{}
		for output, alias := range aliases {
			found[output] = map[string]string{}
			for _, hit := range node.Search(t, alias, nil) {
				found[output][hit.Index+" "+hit.ID] = string(hit.Source)
			}
		}
		return found
	}
	first := documents()
	for output, rows := range readManifest(t, e.in("one")).Outputs {
		if _, sent := places[output]; sent && int64(len(first[output])) != rows.Rows {
			t.Errorf("%s has %d documents, and %d rows in the lake", output, len(first[output]), rows.Rows)
		}
	}
	for _, document := range first["events"] {
		var event struct {
			ID     string `json:"event_id"`
			Status int
		}
		if err := json.Unmarshal([]byte(document), &event); err != nil || event.ID == "" || event.Status == 0 {
			t.Fatalf("%s: %v", document, err)
		}
	}
	args[5] = e.in("two")
	mustRun(t, e, args...)
	if d := gocmp.Diff(first, documents()); d != "" {
		t.Errorf("after another run (-first +second):\n%s", cut(d))
	}
}
