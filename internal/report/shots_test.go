package report

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

var looks = map[string]look{
	"desktop-light": {width: 1280, height: 900},
	"desktop-dark":  {width: 1280, height: 900, dark: true},
	"phone-light":   {width: 390, height: 844, mobile: true},
	"phone-dark":    {width: 390, height: 844, mobile: true, dark: true},
}

// TestDraw writes a report of a large lake, and pictures of it, to the folder
// that REPORT_OUT names, for people to look at.
func TestDraw(t *testing.T) {
	out := os.Getenv("REPORT_OUT")
	if out == "" {
		t.Skip("REPORT_OUT names no folder")
	}
	root := t.TempDir()
	l := farm(1, 200_000, 10)
	l.steps = funnelSteps(10)
	l.clients = clientRows(10)
	l.watch()
	l.write(t, root)
	d, err := Collect(t.Context(), Dir(root))
	if err != nil {
		t.Fatal(err)
	}
	d.Run, d.Ledger = exampleRun(), exampleLedger(d)
	page := written(t, d)
	if err := os.WriteFile(filepath.Join(out, "report.html"), page, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, l := range looks {
		shot := ask(t, open(t, page, l), chromedp.FullScreenshot(100))
		if err := os.WriteFile(filepath.Join(out, name+".png"), shot, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func written(t testing.TB, d Data) []byte {
	t.Helper()
	var page bytes.Buffer
	if err := Write(&page, d); err != nil {
		t.Fatal(err)
	}
	return page.Bytes()
}
