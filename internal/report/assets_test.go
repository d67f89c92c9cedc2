package report

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

func TestTheChartLibraryIsTheOneItsReadmeDescribes(t *testing.T) {
	readme, err := os.ReadFile("assets/echarts/README.md")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(chartLibrary))
	if !strings.Contains(string(readme), hex.EncodeToString(sum[:])) {
		t.Errorf("echarts.min.js has SHA-256 %x, its README says otherwise", sum)
	}
}

func TestTheChartLibraryCarriesItsLicences(t *testing.T) {
	head := chartLibrary[:6000]
	for _, name := range []string{"NOTICE", "LICENSE-zrender", "LICENSE-d3", "LICENSE-tslib"} {
		text, err := os.ReadFile("assets/echarts/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(head, strings.TrimSpace(strings.ReplaceAll(string(text), "\r", ""))) {
			t.Errorf("%s is not at the head of echarts.min.js", name)
		}
	}
}

// A script element ends at the first end tag, wherever it stands.
func TestScriptsCanStandInsideAPage(t *testing.T) {
	for name, script := range map[string]string{"echarts.min.js": chartLibrary, "the page's script": pageScript} {
		for _, tag := range []string{"</script", "<!--", "<script"} {
			if strings.Contains(strings.ToLower(script), tag) {
				t.Errorf("%s contains %s", name, tag)
			}
		}
	}
}
