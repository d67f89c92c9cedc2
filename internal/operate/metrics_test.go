package operate

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestEachMetricIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range metrics {
		if row := fmt.Sprintf("| `%s` | %s |", m.name, m.kind); !strings.Contains(string(page), row) {
			t.Errorf("docs/operations.md has no line that begins with %s", row)
		}
	}
	for line := range strings.Lines(string(page)) {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "| `"), "`")
		known := false
		for _, m := range metrics {
			known = known || m.name == name
		}
		if strings.HasPrefix(line, "| `millrace_") && !known {
			t.Errorf("docs/operations.md tells of %s, which there is not", name)
		}
	}
}
