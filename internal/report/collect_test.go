package report

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

var update = flag.Bool("update", false, "write golden files")

func TestCollectedDataAreAsBefore(t *testing.T) {
	d := collected(t, farm(7, 400, 2))
	d.Traffic.Points = d.Traffic.Points[:10] // the rest has the same form
	got, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "data.json")
	if *update {
		if err := os.WriteFile(golden, append(got, '\n'), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Errorf("data changed (-golden +got):\n%s", diff)
	}
}

func TestEqualDataGiveEqualBytes(t *testing.T) {
	l := farm(8, 3_000, 2)
	first, second := written(t, collected(t, l)), written(t, collected(t, l))
	if !bytes.Equal(first, second) {
		t.Error("two reports of the same lake differ")
	}
}

func TestDataSurviveJSON(t *testing.T) {
	d := collected(t, farm(8, 3_000, 2))
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var again Data
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written(t, d), written(t, again)) {
		t.Error("a report from stored data differs")
	}
}

func TestSectionsWithoutDataSaySoInWords(t *testing.T) {
	d, err := Collect(t.Context(), Dir(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	page := string(written(t, d))
	for _, words := range []string{
		"The lake holds no requests.", "No requests.", "No responses.", "No pages were asked for.", "No visitors.", "No sessions.",
		"No known bot came.", "No response says how large it was.", "No bad rows: every line became an event.", "No manifest of a run is at hand",
	} {
		if !strings.Contains(page, words) {
			t.Errorf("the report of an empty lake does not say %q", words)
		}
	}
	if strings.Contains(page, "data-chart=") {
		t.Error("the report of an empty lake has charts")
	}
}

func TestAnUnbalancedLedgerIsPlainToSee(t *testing.T) {
	d := collected(t, farm(8, 300, 1))
	d.Ledger.In += 7
	d.Ledger.Balanced = false
	page := string(written(t, d))
	for _, words := range []string{"Ledger does not balance", "it is off by 7 lines"} {
		if !strings.Contains(page, words) {
			t.Errorf("the report does not say %q", words)
		}
	}
}

func TestOnlyCurrentFilesCount(t *testing.T) {
	root := t.TempDir()
	l := farm(9, 1_000, 2)
	l.write(t, root)
	only := "traffic/year=2025/month=08/day=15/0.parquet"
	current(t, root, "traffic", `{"days":{"2025-08-15":{"files":[{"key":"`+only+`"}]}}}`)
	d, err := Collect(t.Context(), Dir(root))
	if err != nil {
		t.Fatal(err)
	}
	var want int64
	for _, e := range l.events {
		want += one(dayName(e.EventTime) == "2025-08-15")
	}
	if d.Traffic.Requests != want || len(d.Traffic.Days) != 1 {
		t.Errorf("traffic of %d requests on %d days, the current file holds %d on one", d.Traffic.Requests, len(d.Traffic.Days), want)
	}
}

func TestAListOfCurrentFilesCannotLeaveTheLake(t *testing.T) {
	root := t.TempDir()
	current(t, root, "traffic", `{"days":{"2025-08-15":{"files":[{"key":"../../etc/passwd"}]}}}`)
	_, err := Collect(t.Context(), Dir(root))
	if err == nil || !strings.Contains(err.Error(), "is not inside the lake") {
		t.Errorf("error is %v", err)
	}
}

func current(t *testing.T, root, output, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, "_current"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "_current", output+".json"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	short := func(t *testing.T, name string) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, text[:len(text)/2], 0o666); err != nil {
			t.Fatal(err)
		}
	}
	otherColumns := func(t *testing.T, name string) {
		if err := parquet.WriteFile(name, []struct{ Something int64 }{{1}}); err != nil {
			t.Fatal(err)
		}
	}
	for name, spoil := range map[string]func(*testing.T, string){"a truncated file": short, "a file with other columns": otherColumns} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			farm(9, 300, 1).write(t, root)
			file := "sessions/year=2025/month=08/day=15/0.parquet"
			spoil(t, filepath.Join(root, file))
			_, err := Collect(t.Context(), Dir(root))
			if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "section sessions") {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestCollectStopsWhenCancelled(t *testing.T) {
	root := t.TempDir()
	farm(9, 300, 1).write(t, root)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Collect(ctx, Dir(root)); err == nil {
		t.Error("a cancelled collection ends without an error")
	}
}

func BenchmarkCollect(b *testing.B) {
	root := b.TempDir()
	l := farm(1, benchEvents(b), 10)
	l.write(b, root)
	n := len(l.events)
	l = nil
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Collect(b.Context(), Dir(root)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
