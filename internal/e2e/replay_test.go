package e2e

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// TestRefusedRowsAreKeptAndSentAgain sends events to an index that takes only small
// numbers of bytes: the others are in the lake as refused, and when the index is
// mended a replay brings them, once.
func TestRefusedRowsAreKeptAndSentAgain(t *testing.T) {
	node, e := testenv.OpenSearch(t), newEnv(t)
	narrow := func(kind string) {
		node.Call(t, http.MethodPut, "e2e-refused", map[string]any{"mappings": map[string]any{"properties": map[string]any{"bytes": map[string]any{"type": kind}}}}, nil)
	}
	narrow("short")
	lake := e.in("lake")
	url := "opensearch://" + node.Addr + "/e2e-refused?template=skip"
	args := append(weblogs(filepath.Join(accessLogs(t), "semicomplete_2015-05-17_18.log.gz"), lake), "--output", "events="+url)
	out := mustRun(t, e, args...)
	m := readManifest(t, lake)
	large, err := strconv.ParseInt(sql(t, lake, "SELECT count(*) FROM events WHERE bytes > 32767")[0][0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	sink, refused := m.Sinks["events"], m.Outputs["refused"].Rows
	if large == 0 || refused != large || sink.Refused != large || sink.Sent != m.Outputs["events"].Rows || sink.URL != url {
		t.Fatalf("%d events are too large, the sink counts %+v, the lake has %d refused", large, sink, refused)
	}
	if !strings.Contains(out.stdout, "millrace replay --sink events --lake "+lake) {
		t.Errorf("the summary does not say how to go on:\n%s", out.stdout)
	}
	want := [][]string{{"events", url, "invalid", "mapper_parsing_exception", "sealed", "weblog.events/1"}}
	if d := gocmp.Diff(want, sql(t, lake, "SELECT DISTINCT output, sink, reason, code, kind, schema FROM refused")); d != "" {
		t.Errorf("refused (-want +listed):\n%s", d)
	}
	stored := func() int64 { return int64(len(node.Search(t, "e2e-refused", nil))) }
	if n := stored(); n != sink.Sent-large {
		t.Errorf("%d documents, want %d", n, sink.Sent-large)
	}

	replay := []string{"replay", "--sink", "events", "--lake", lake}
	if out := run(t, e, replay...); out.code != 1 || !strings.Contains(out.stdout, "refused again") {
		t.Errorf("a replay into the same index: %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	if out := run(t, e, append(replay, "--reason", "overload")...); out.code != 0 {
		t.Errorf("a replay of another reason: %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	kept := node.Search(t, "e2e-refused", nil)
	node.Call(t, http.MethodDelete, "e2e-refused", nil, nil)
	narrow("long")
	for range 2 { // the second finds everything delivered
		mustRun(t, e, replay...)
		if n := stored(); n != large {
			t.Errorf("after a replay there are %d documents, want %d", n, large)
		}
	}
	for _, hit := range node.Search(t, "e2e-refused", nil) {
		var event struct{ Bytes int64 }
		if err := json.Unmarshal(hit.Source, &event); err != nil || event.Bytes <= 32767 {
			t.Fatalf("%s: %v", hit.Source, err)
		}
	}
	mustRun(t, e, append(args, "--from", "2015-05-17", "--to", "2015-05-18")...)
	if n := stored(); n != int64(len(kept))+large {
		t.Errorf("after another run there are %d documents, want %d", n, int64(len(kept))+large)
	}
	if again := readManifest(t, lake); again.Outputs["refused"].Rows != 0 || again.Sinks["events"].Refused != 0 {
		t.Errorf("after another run %d rows are refused", again.Outputs["refused"].Rows)
	}

	for _, wrong := range []struct{ flags, say string }{
		{"--lake " + lake, "--sink is missing"},
		{"--sink events", "--lake is missing"},
		{"--sink event --lake " + lake, "no sink has refused"},
		{"--sink events --reason bad --lake " + lake, "there are invalid, overload, too_large"},
		{"--sink events --from 2015-05-18 --to 2015-05-17 --lake " + lake, "exchange them"},
		{"--sink events --url s3://b/p --lake " + lake, "outputs can go to"},
	} {
		if out := run(t, e, append([]string{"replay"}, strings.Fields(wrong.flags)...)...); out.code != 2 || !strings.Contains(out.stderr, wrong.say) {
			t.Errorf("replay %s: %d %s", wrong.flags, out.code, out.stderr)
		}
	}
}
