package e2e

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"millrace/internal/testenv"
)

// TestNoPlantedPersonalDataIsFoundInSinks sends all that a log with planted values, and
// one of JSON with members that nobody knows, give to sinks of each kind, and looks through
// what these store as it lies there; through the rows that one refuses, too.
func TestNoPlantedPersonalDataIsFoundInSinks(t *testing.T) {
	s3, kinesis, e := testenv.S3(t), testenv.Kinesis(t), newEnv(t).with("VAULT_KEY=v1:"+strings.Repeat("5a", 32))
	s := newSinks(t, "canary", s3, straight, sentOfWeblogs)
	kinesis.CreateStream(t, "canary-rows", 1)
	s.urls["top_pages"] = []string{"kinesis://canary-rows"}
	s.urls["late"] = []string{"opensearch://" + s.search.Addr + "/canary-late"}
	s.urls["events"] = append(s.urls["events"], narrowIndex(t, s.search, "canary-narrow", "bytes", "byte"))
	s.urls["bad_rows"] = []string{"opensearch://" + s.search.Addr + "/canary-bad"}
	mustRun(t, e, "generate", "weblog", "--out", e.in("log"), "--canaries", "--lines", "96000", "--days", "1", "--seed", "73", "--malformed", "0.02")
	canaryList(t, e.in("canaries.txt"))
	find := newFinder(t, e.in("log", "truth_canaries.txt"), e.in("canaries.txt"))
	if len(find.types) < planted/2 {
		t.Fatalf("%d values are planted", len(find.types))
	}
	// A quarter of the log has values of each type; indexing all of it twice takes minutes.
	writeFile(t, e.in("some.log"), append(bytes.Join(logLines(t, e.in("log", "access-01.log"))[:24_000], []byte("\n")), '\n'))
	if find.in(t, "the log", readFile(t, e.in("some.log"))); len(find.found["the log"]) < planted/10 {
		t.Errorf("%d values are in the part", len(find.found["the log"]))
	}
	clear(find.found)
	lake := e.in("lake")
	r := mustRun(t, e, weblogs(e.in("some.log"), lake, append(s.outputs(), "--progress", "json")...)...)
	find.in(t, "what the run says", []byte(r.stdout+r.stderr))

	// The same sinks have the rows of JSON with members that nobody knows.
	writeFile(t, e.in("mapping.yaml"), []byte(jsonMapping))
	writeFile(t, e.in("app.ndjson"), []byte(repeat(canaryJSON)+`{"time":"canary.person@example.com",`+unknownMembers+"}\n"))
	other := e.in("json")
	r = mustRun(t, e, weblogs(e.in("app.ndjson"), other, append(append(s.outputs(), withVault(t, e)...), "--format", "json@"+e.in("mapping.yaml"))...)...)
	find.in(t, "what the run of JSON says", []byte(r.stdout+r.stderr))
	for output, sink := range readManifest(t, other).Sinks {
		if want := readManifest(t, other).Outputs[strings.Split(output, "-")[0]].Rows; sink.Sent != want || want == 0 && output != "late" {
			t.Errorf("%s: of %d rows of JSON, %d were sent", output, want, sink.Sent)
		}
	}

	texts := s.texts(t)
	for _, shard := range kinesis.Records(t, "canary-rows") {
		for _, record := range shard {
			texts["Kinesis"] = append(texts["Kinesis"], record.Data...)
		}
	}
	for _, from := range []string{lake, other} {
		rows := sql(t, from, "SELECT row || message FROM refused")
		if len(rows) == 0 {
			t.Errorf("no row of %s is refused", from)
		}
		for _, row := range rows {
			texts["refused"] = append(texts["refused"], row[0]...)
		}
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
