package testenv

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// aggregate begins a Kinesis record that the Kinesis Producer Library has made
// of several.
var aggregate = []byte{0xF3, 0x89, 0x9A, 0xC2}

// mentioning are the command lines of running processes that hold text, as far
// as the system has a folder of them.
func mentioning(t *testing.T, text string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(line), text) { // an error: it has ended
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func TestKPLPutsPlainAndAggregatedRecords(t *testing.T) {
	server := Kinesis(t)
	server.CreateStream(t, "s", 2)
	missing := map[string]bool{}
	var records []KinesisRecord
	for i := range 1000 {
		data := fmt.Sprintf("payload %04d of the test", i)
		missing[data] = true
		records = append(records, KinesisRecord{Key: fmt.Sprintf("kéy\t%d", i%7), Data: []byte(data)})
	}
	// One shard is told by its hash key, not by that of the partition key.
	last := len(records) - 1
	records[last].HashKey = *server.Shards(t, "s")[1].HashKeyRange.StartingHashKey

	KPL(t, server, "s", records)
	if processes := mentioning(t, filepath.Dir(t.TempDir())); len(processes) > 0 {
		t.Errorf("the library has left processes: %q", processes)
	}

	plain, aggregates := 0, [][]byte{}
	for _, shard := range server.Records(t, "s") {
		for _, record := range shard {
			if bytes.HasPrefix(record.Data, aggregate) {
				aggregates = append(aggregates, record.Data)
				continue
			}
			plain++
			if !missing[string(record.Data)] {
				t.Errorf("plain record %q was not put, or twice", record.Data)
			}
			delete(missing, string(record.Data))
		}
	}
	if plain == 0 || len(aggregates) == 0 {
		t.Errorf("%d plain records and %d aggregates, want some of both", plain, len(aggregates))
	}
	// A payload stands in an aggregate as it is.
	whole := bytes.Join(aggregates, nil)
	for data := range missing {
		if n := bytes.Count(whole, []byte(data)); n != 1 {
			t.Errorf("%q is %d times in the aggregates, want once", data, n)
		}
	}
	if !bytes.Contains(whole, []byte(records[last].HashKey)) {
		t.Errorf("no aggregate holds the explicit hash key %s", records[last].HashKey)
	}
	t.Logf("%d plain records, %d in %d aggregates", plain, len(missing), len(aggregates))
}
