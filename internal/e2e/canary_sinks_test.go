package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"millrace/internal/testenv"
)

// TestNoPlantedPersonalDataIsFoundInSinks sends all that a log with planted values gives
// to sinks of each kind, and looks through what these store as it lies there; through the
// rows that one refuses, too.
func TestNoPlantedPersonalDataIsFoundInSinks(t *testing.T) {
	s3, kinesis, e := testenv.S3(t), testenv.Kinesis(t), newEnv(t)
	s := newSinks(t, "canary", s3, straight, sentOfWeblogs)
	kinesis.CreateStream(t, "canary-rows", 1)
	s.urls["top_pages"] = []string{"kinesis://canary-rows"}
	s.urls["late"] = []string{"opensearch://" + s.search.Addr + "/canary-late"}
	s.urls["events"] = append(s.urls["events"], narrowIndex(t, s.search, "canary-narrow", "bytes", "byte"))
	s.urls["bad_rows"] = []string{"opensearch://" + s.search.Addr + "/canary-bad"}
	mustRun(t, e, "generate", "weblog", "--out", e.in("log"), "--canaries", "--lines", "96000", "--days", "1", "--seed", "73", "--malformed", "0.02")
	find := newFinder(t, e.in("log", "truth_canaries.txt"))
	if len(find.types) < planted/2 {
		t.Fatalf("%d values are planted", len(find.types))
	}
	lake := e.in("lake")
	r := mustRun(t, e, weblogs(e.in("log", "access*"), lake, append(s.outputs(), "--progress", "json")...)...)
	find.in(t, "what the run says", []byte(r.stdout+r.stderr))

	texts := s.texts(t)
	for _, shard := range kinesis.Records(t, "canary-rows") {
		for _, record := range shard {
			texts["Kinesis"] = append(texts["Kinesis"], record.Data...)
		}
	}
	for _, row := range sql(t, lake, "SELECT row || message FROM refused") {
		texts["refused"] = append(texts["refused"], row[0]...)
	}
	for _, place := range []string{searchSink, houseSink, influxSink, timestreamSink, "Kinesis", "refused"} {
		if find.in(t, place, texts[place]); len(texts[place]) == 0 {
			t.Errorf("nothing of %s was looked through", place)
		}
	}
	find.report(t)

	// The search would find one.
	var first string
	for value := range find.types {
		first = value
		break
	}
	planted, err := json.Marshal(map[string]string{"path": "/a?x=" + first})
	if err != nil {
		t.Fatal(err)
	}
	if find.in(t, "a document with one", planted); len(find.found["a document with one"]) == 0 && !strings.ContainsAny(first, `"\<>&`) {
		t.Errorf("the search does not find %q in %s", first, planted)
	}
}
