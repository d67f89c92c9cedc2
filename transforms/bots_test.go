package transforms

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAListOfBotsTravels: a worker has what is in the DoFn, and not the file.
func TestAListOfBotsTravels(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bots.txt")
	if err := os.WriteFile(file, []byte("crawlix\tCrawlix\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	version, err := BotsVersion(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(accessLogFn{Bots: readBotList(file)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	var fn accessLogFn
	if err := json.Unmarshal(text, &fn); err != nil {
		t.Fatal(err)
	}
	bots, err := fn.Bots.parse()
	if err != nil || bots.Version() != version {
		t.Fatalf("on the worker the list is %v, %v, want version %s", bots, err, version)
	}
	if builtIn, err := readBotList("").parse(); err != nil || builtIn.Version() == version {
		t.Errorf("the built-in list is %v, %v", builtIn, err)
	}
	if _, err := readBotList(file).parse(); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file that is gone gives %v", err)
	}
	if err := os.WriteFile(file, make([]byte, maxBotList+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readBotList(file).parse(); err == nil || !strings.Contains(err.Error(), "1048576 bytes") {
		t.Errorf("a file too large gives %v", err)
	}
}
