package manifest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/golden"
	"millrace/schemas/badrow"
	"millrace/schemas/ledger"
	"millrace/schemas/manifest"
)

// full has a value in every field.
func full() manifest.Manifest {
	return manifest.Manifest{
		Run: "r1", Job: "weblogs", State: manifest.Done, Version: "v1.2.3", ConfigHash: "c0ffee",
		Settings: map[string]string{"top_pages": "10", "sessions.gap": "30m"}, KeyID: "k1", Source: "logs/*.gz",
		From: "2026-03-01", To: "2026-03-02", Started: time.Date(2026, 3, 3, 4, 5, 6, 0, time.UTC), Seconds: 1.5,
		Inputs:  []manifest.Input{{Name: "logs/a.gz", Source: "00112233445566778899aabbccddeeff", Format: "combined", Bytes: 123, Duplicate: true}},
		Outputs: map[string]manifest.Output{"events": {Rows: 9, Bytes: 456, Files: 1}},
		Ledger: manifest.Ledger{Balanced: true, Ledger: ledger.Ledger{
			In: 10, Events: 9, Bad: 1, Late: 1, Reasons: map[badrow.Reason]int64{badrow.Format: 1},
		}},
		Days:  []string{"2026-03-01"},
		Files: []manifest.File{{Key: "events/year=2026/month=03/day=01/x.parquet", Rows: 9, Bytes: 456, SHA256: "abc"}},
	}
}

// TestTheManifestKeepsItsForm compares with a file because scripts read it.
func TestTheManifestKeepsItsForm(t *testing.T) {
	data, err := json.MarshalIndent(full(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/manifest.json", append(data, '\n'))
	var back manifest.Manifest
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(full(), back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestAManifestLiesBesideTheData(t *testing.T) {
	if got := manifest.Key("r1"); got != "_runs/r1.json" {
		t.Errorf("key %q", got)
	}
}
