package e2e

import (
	"net/http"
	"strconv"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// narrowIndex is an index whose field takes numbers of a type only.
func narrowIndex(t testing.TB, node *testenv.OpenSearchNode, index, field, kind string) (url string) {
	t.Helper()
	node.Call(t, http.MethodPut, index, map[string]any{"mappings": map[string]any{"properties": map[string]any{field: map[string]any{"type": kind}}}}, nil)
	return "opensearch://" + node.Addr + "/" + index + "?template=skip"
}

// TestLiveRefusedRowsAreKeptAndSentAgain: of rows that change, the sealed ones are
// listed; what a replay brings makes the sink equal to the lake.
func TestLiveRefusedRowsAreKeptAndSentAgain(t *testing.T) {
	node, server, e := testenv.OpenSearch(t), testenv.Kinesis(t), newEnv(t)
	putDemo(t, server, "refused")
	for name, on := range map[string]func(args []string) []string{
		"prism": func(args []string) []string { return args },
		"flink": func(args []string) []string { return onFlink(t, e, testenv.Flink(t), args) },
	} {
		t.Run(name, func(t *testing.T) { refusedAndReplayed(t, node, e, name, on) })
	}
}

func refusedAndReplayed(t *testing.T, node *testenv.OpenSearchNode, e env, name string, on func(args []string) []string) {
	lake := e.in(name)
	refused, mended := name+"-refused-", name+"-mended-"
	mustRun(t, e, on(live("refused", everything, lake, "--raw", "off",
		"--output", "events="+narrowIndex(t, node, refused+"events", "bytes", "short"),
		"--output", "traffic="+narrowIndex(t, node, refused+"traffic", "views", "byte")))...)
	counts := `SELECT 'events', (SELECT count(*) FROM events WHERE bytes > 32767)::VARCHAR, (SELECT count(DISTINCT refused_id) FROM refused WHERE output = 'events')::VARCHAR
UNION ALL SELECT 'traffic', (SELECT count(*) FROM traffic WHERE views > 127)::VARCHAR, (SELECT count(*) FROM refused WHERE output = 'traffic')::VARCHAR ORDER BY 1`
	m := readManifest(t, lake)
	for _, row := range sql(t, lake, counts) {
		output, large, listed := row[0], row[1], row[2]
		if large == "0" || large != listed || strconv.FormatInt(m.Sinks[output].Refused, 10) != listed {
			t.Errorf("%s has %s rows that are too large; %s are listed, the manifest counts %+v", output, large, listed, m.Sinks[output])
		}
	}
	if m.Outputs["refused"].Rows != m.Sinks["events"].Refused+m.Sinks["traffic"].Refused {
		t.Errorf("%d rows are refused, sinks %+v", m.Outputs["refused"].Rows, m.Sinks)
	}
	for output, field := range map[string]string{"events": "bytes", "traffic": "views"} {
		url := narrowIndex(t, node, mended+output, field, "long")
		mustRun(t, e, "replay", "--sink", output, "--lake", lake, "--url", url)
		if n := int64(len(node.Search(t, mended+output, nil))); n != m.Sinks[output].Refused {
			t.Errorf("a replay of %s brings %d documents, want %d", output, n, m.Sinks[output].Refused)
		}
		if n := int64(len(node.Search(t, refused+output, map[string]any{"term": map[string]any{"sealed": true}}))); output == "traffic" && n+m.Sinks[output].Refused != m.Outputs[output].Rows {
			t.Errorf("%s has %d sealed documents and %d refused rows, and %d rows in the lake", output, n, m.Sinks[output].Refused, m.Outputs[output].Rows)
		}
	}
	kinds := sql(t, lake, "SELECT DISTINCT kind FROM refused")
	if d := gocmp.Diff([][]string{{"sealed"}}, kinds); d != "" {
		t.Errorf("kinds (-want +listed):\n%s", d)
	}
}
