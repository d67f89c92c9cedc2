package maskpolicy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/maskpolicy"
	"millrace/transforms/accesslog"
)

// TestTheGuidesPolicyHoldsForWeblogs: the block of docs/masking.md that shows one.
func TestTheGuidesPolicyHoldsForWeblogs(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "masking.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(guide), "\n    mask_policy:\n")
	text, _, ended := strings.Cut("    mask_policy:\n"+rest, "\n\n")
	if !found || !ended {
		t.Fatal("the guide shows no policy")
	}
	f, err := maskpolicy.Read("masking.md", []byte(strings.ReplaceAll("\n"+text, "\n    ", "\n")))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.CheckJob(accesslog.Fields()); err != nil || !f.Reversible() || len(f.Fields) != 4 {
		t.Errorf("%d fields, %v", len(f.Fields), err)
	}
}
