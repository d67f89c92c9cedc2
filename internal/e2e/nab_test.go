package e2e

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/testenv"
)

// TestTheBenchmarkIsScoredByTheCommand: it prints the figures of docs/quality.md and
// writes a score for each row of each file. The view of shapes is left out to be fast.
func TestTheBenchmarkIsScoredByTheCommand(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	data, out := filepath.Join(testenv.Root(t), "testdata", "nab"), e.in("scores")
	r := mustRun(t, e, "nab", "--data", data, "--out", out, "--no-shapes")
	said := strings.Join(strings.Fields(r.stdout), " ")
	for _, want := range []string{
		"score standard reward_low_FP_rate reward_low_FN_rate all 31 files 76.44 67.61 82.54 artificialNoAnomaly no windows no windows no windows artificialWithAnomaly",
		"54 of 57 windows found, 217 detections in 161840 rows (1.34 in 1,000), 131 of them outside of windows.",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, r.stdout)
		}
	}
	files := glob(t, filepath.Join(data, "data", "*", "*.csv*"))
	for _, file := range files {
		category, name := filepath.Base(filepath.Dir(file)), strings.TrimSuffix(filepath.Base(file), ".gz")
		content := readFile(t, file)
		if filepath.Ext(file) == ".gz" {
			content = gunzip(t, file)
		}
		scores := readFile(t, filepath.Join(out, category, "millrace_"+name))
		if got, want := bytes.Count(scores, []byte("\n")), len(bytes.Split(bytes.TrimSpace(content), []byte("\n"))); got != want || !bytes.HasPrefix(scores, []byte("timestamp,value,anomaly_score\n")) {
			t.Errorf("scores of %s/%s have %d lines, want %d", category, name, got, want)
		}
	}
	if len(files) != 31 {
		t.Errorf("%d files", len(files))
	}
	for say, args := range map[string][]string{
		"--data and --out are needed":   {"--data", data},
		"--data is a folder like NAB's": {"--data", e.in("nothing"), "--out", out},
	} {
		if r := run(t, e, append([]string{"nab"}, args...)...); r.code == 0 || !strings.Contains(r.stderr, say) {
			t.Errorf("%v: exit code %d, %s", args, r.code, r.stderr)
		}
	}
}
