package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/parser"

	"millrace/internal/settings"
	"millrace/internal/testenv"
)

// TestFilesThatNestDeepAreRefused before the parser sees them, which would take
// gigabytes.
func TestFilesThatNestDeepAreRefused(t *testing.T) {
	for name, content := range map[string]string{
		"brackets":            strings.Repeat("[", 50_000),
		"closed brackets":     strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000),
		"a million brackets":  strings.Repeat("[", 1_000_000),
		"braces":              strings.Repeat("{a: ", 20_000),
		"items":               strings.Repeat("- ", 50_000),
		"tagged items":        strings.Repeat("- !a &b ", 10_000),
		"keys":                strings.Repeat("? ", 50_000),
		"brackets over lines": strings.Repeat("[\n", 50_000),
	} {
		peak := testenv.PeakHeap(t, func() {
			err := settings.CheckFile([]byte(content), "f.yaml")
			if err == nil || !strings.HasPrefix(err.Error(), "f.yaml:") || len(err.Error()) > 200 {
				t.Errorf("%s: %v", name, err)
			}
		})
		if peak > 1<<20 {
			t.Errorf("%s: the heap grew by %d KiB", name, peak>>10)
		}
	}
	err := settings.CheckFile([]byte("a: 1\nb:\n  c: "+strings.Repeat("[", 33)), "f.yaml")
	if err == nil || !strings.HasPrefix(err.Error(), "f.yaml:3: ") {
		t.Errorf("the error is %v", err)
	}
}

// TestFilesThatPassAreParsedInLittleMemory: of what is not refused, the worst that is
// known takes 128 MiB.
func TestFilesThatPassAreParsedInLittleMemory(t *testing.T) {
	const size = 127 << 10
	repeat := func(s string) string { return strings.Repeat(s, size/len(s)) }
	deep := strings.Repeat("[", 31) + strings.Repeat("]", 31) + ", "
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for _, c := range "bcdefghi" { // 9^9 when it is written out
		below := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+below+",", 8) + "*" + below + "]\n"
	}
	for name, content := range map[string]string{
		"aliases of aliases": bomb, "keys": repeat("aaaa: b\n"), "anchors": repeat("&a "), "tags": repeat("!a "), "maps in a line": repeat("a: "), "lists": "a: [" + repeat(deep),
		"text": "a: |\n" + repeat(" x\n"), "quotes": repeat(`"`), "comments": repeat("#\n"), "documents": repeat("---\n"),
	} {
		if err := settings.CheckFile([]byte(content), "f.yaml"); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		peak := testenv.PeakHeap(t, func() { _, _ = parser.ParseBytes([]byte(content), 0) })
		if peak > 128<<20 {
			t.Errorf("%s: the heap grew by %d MiB", name, peak>>20)
		}
	}
}

// TestOnlySoMuchOfAFileIsRead as settings can have.
func TestOnlySoMuchOfAFileIsRead(t *testing.T) {
	good := filepath.Join(t.TempDir(), "f.yaml")
	if err := os.WriteFile(good, []byte("job: weblogs\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	marked := filepath.Join(t.TempDir(), "marked.yaml")
	if err := os.WriteFile(marked, []byte("\xef\xbb\xbfjob: weblogs\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if content, err := settings.ReadFile(marked); err != nil || string(content) != "job: weblogs\n" {
		t.Errorf("behind a byte order mark: %q, %v", content, err)
	}
	if content, err := settings.ReadFile(good); err != nil || string(content) != "job: weblogs\n" {
		t.Errorf("%q, %v", content, err)
	}
	peak := testenv.PeakHeap(t, func() {
		if _, err := settings.ReadFile("/dev/zero"); err == nil || !strings.HasPrefix(err.Error(), "/dev/zero: it is longer than") {
			t.Errorf("a file without end: %v", err)
		}
	})
	if peak > 1<<20 {
		t.Errorf("the heap grew by %d KiB", peak>>10)
	}
	if _, err := settings.ReadFile(good + "x"); !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
}
