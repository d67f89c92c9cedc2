package machine_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"millrace/internal/machine"
)

func TestAReportTellsWhereFiguresWereTaken(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--allow-empty", "-m", "m"},
		{"tag", "-a", "-m", "m", "v7"},
	} {
		if args[0] == "tag" {
			args = append([]string{"-c", "user.name=n", "-c", "user.email=e"}, args...)
		}
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	before := os.Args
	defer func() { os.Args = before }()
	os.Args = []string{"program", "-runs", "2"}

	const head = `^# Figures of \d{4}-\d\d-\d\d

    go run \./internal/figures -runs 2

- machine: .+, \d+ cores, .+ of memory, \w+/\w+
- load average at the start: .+ \(\d+ is all cores busy\)
- millrace v7, go1\.[^;\n]+`
	for want, with := range map[string][]string{
		head + "\n$":                  nil,
		head + "; Flink 1, Beam 2\n$": {"Flink 1", "Beam 2"},
	} {
		if got := machine.Report(t.Context(), "Figures", "internal/figures", with...); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("with %v it is\n%s", with, got)
		}
	}
	t.Chdir(t.TempDir())
	if got := machine.Report(t.Context(), "Figures", "internal/figures"); !regexp.MustCompile("\n- millrace unknown commit, go").MatchString(got) {
		t.Errorf("outside a checkout it is\n%s", got)
	}
}
