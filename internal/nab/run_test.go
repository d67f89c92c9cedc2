package nab_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/nab"
	"millrace/transforms/anomaly"
)

// Whoever changes the detector sees here what it costs or gains, and notes it in
// docs/quality.md.
func TestTheDetectorReachesItsScoresOnTheCorpus(t *testing.T) {
	for name, c := range map[string]struct {
		o    anomaly.Options
		want [3]float64
	}{
		"with shapes":    {anomaly.Options{Shapes: true}, [3]float64{79.14, 71.13, 84.93}},
		"without shapes": {anomaly.Options{}, [3]float64{76.44, 67.61, 82.54}},
	} {
		r, err := nab.Run(t.Context(), corpus, t.TempDir(), c.o)
		if err != nil {
			t.Fatal(err)
		}
		for i, res := range r.Results {
			if math.Abs(res.Score-c.want[i]) > 0.00501 {
				t.Errorf("%s, %s: %.4f, want %.2f", name, res.Profile.Name, res.Score, c.want[i])
			}
		}
	}
}

// The lines of a file that is cut are the first lines of the whole one's scores.
func TestNoRowIsScoredWithKnowledgeOfLaterOnes(t *testing.T) {
	whole, cut := t.TempDir(), t.TempDir()
	rows := smallCorpus(t, whole, 1000)
	smallCorpus(t, cut, 600)
	scores := map[string][]string{}
	for _, dir := range []string{whole, cut} {
		if _, err := nab.Run(t.Context(), dir, filepath.Join(dir, "out"), anomaly.Options{Shapes: true}); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "out", "some", "millrace_series.csv"))
		if err != nil {
			t.Fatal(err)
		}
		scores[dir] = strings.Split(strings.TrimSpace(string(b)), "\n")
	}
	if n := len(scores[whole]); n != 1001 || scores[whole][0] != "timestamp,value,anomaly_score" {
		t.Fatalf("%d lines, the first is %s", n, scores[whole][0])
	}
	for i, line := range scores[cut] {
		if line != scores[whole][i] {
			t.Fatalf("line %d: %s in a file that is cut, %s in the whole one", i, line, scores[whole][i])
		}
		if i > 0 && !strings.HasPrefix(line, rows[i-1]+",") {
			t.Fatalf("line %d: %s is not of row %s", i, line, rows[i-1])
		}
	}
}

// smallCorpus writes one file whose window is rows 500 to 540, with a spike in it.
func smallCorpus(t *testing.T, dir string, n int) (rows []string) {
	t.Helper()
	for i := range n {
		value := []string{"10", "11.50", "9", "10.2"}[(i*i+i/7)%4]
		if i == 520 {
			value = "99"
		}
		rows = append(rows, timeOf(i)+","+value)
	}
	write(t, dir, "data/some/series.csv", "timestamp,value\n"+strings.Join(rows, "\n")+"\n")
	write(t, dir, "labels/combined_windows.json", `{"some/series.csv": [["`+timeOf(500)+`.000000", "`+timeOf(540)+`.000000"]]}`)
	return rows
}

func TestTheReportSaysWhatAThresholdMeans(t *testing.T) {
	dir := t.TempDir()
	smallCorpus(t, dir, 1000)
	r, err := nab.Run(t.Context(), dir, t.TempDir(), anomaly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := r.Detections
	if d.Rows != 850 || d.Windows != 1 || d.Found != 1 || d.Count != 1 || d.False != 0 || d.DelayRows != 20 || math.Abs(d.Delay-20.0/41) > 1e-12 {
		t.Errorf("%+v", d)
	}
	var text bytes.Buffer
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"all 1 files", "1 of 1 windows found, 1 detections in 850 rows (1.18 in 1,000), 0 of them outside", "Median delay: 20 rows, 49 % of the window"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, &text)
		}
	}
}

func TestACorpusWithAMistakeIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ path, text, want string }{
		"no labels":       {"labels/combined_windows.json", "", "combined_windows.json"},
		"a missing file":  {"labels/combined_windows.json", `{"some/series.csv": [], "some/other.csv": []}`, "some/other.csv"},
		"no entry":        {"labels/combined_windows.json", `{}`, "no entry"},
		"no such row":     {"labels/combined_windows.json", `{"some/series.csv": [["2024-01-01 00:00:30", "2024-01-01 00:10:00"]]}`, "no row"},
		"other columns":   {"data/some/series.csv", "a,b\n", "columns"},
		"a value missing": {"data/some/series.csv", "timestamp,value\n2024-01-01 00:00:00,\n", "series.csv"},
		"a bad time":      {"data/some/series.csv", "timestamp,value\nyesterday,1\n", "yesterday"},
	} {
		dir := t.TempDir()
		smallCorpus(t, dir, 600)
		write(t, dir, c.path, c.text)
		if _, err := nab.Run(t.Context(), dir, t.TempDir(), anomaly.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
