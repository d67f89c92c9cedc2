package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAQuietRunSaysNothingAndJSONIsAnObjectALine(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	writeFile(t, e.in("logs", "empty.log"), nil) // worth a note
	if r := mustRun(t, e, weblogs("logs", "quiet", "--quiet")...); r.stdout+r.stderr != "" {
		t.Errorf("a quiet run says %q %q", r.stdout, r.stderr)
	}
	r := mustRun(t, e, weblogs("logs", "json", "--progress", "json")...)
	notes := 0
	for line := range strings.Lines(r.stderr) {
		var state struct{ Phase, Message string }
		if err := json.Unmarshal([]byte(line), &state); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if state.Phase == "note" && strings.Contains(state.Message, "logs/empty.log is empty") {
			notes++
		}
	}
	if notes != 1 {
		t.Errorf("%d notes in %s", notes, r.stderr)
	}
	for _, form := range []string{"auto", "plain", "bar", "none"} {
		r := mustRun(t, e, weblogs("logs", form, "--progress", form)...)
		if !strings.Contains(r.stderr, "logs/empty.log is empty\n") || !strings.Contains(r.stdout, form+"/report.html") || strings.Contains(r.stdout, "\x1b") {
			t.Errorf("%s: stdout %q, stderr %q", form, r.stdout, r.stderr)
		}
	}
}
