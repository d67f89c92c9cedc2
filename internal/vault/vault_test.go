package vault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"millrace/internal/maskkey"
	"millrace/internal/vault"
	"millrace/transforms/mask"
)

// request writes a vault of two rows and returns a request for the first.
func request(t *testing.T) vault.Request {
	t.Helper()
	dir := t.TempDir()
	key, err := maskkey.New("v1", [32]byte{7})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := maskkey.NewRing(key)
	if err != nil {
		t.Fatal(err)
	}
	v, err := mask.NewVault(key.Secret())
	if err != nil {
		t.Fatal(err)
	}
	var rows []vault.Row
	for i, value := range []string{"ann@example.com", "bob@example.org", "gone@example.net"} {
		token := mask.Token("k1", [32]byte{1}, "email", []byte(value))
		id := "v1"
		if i == 2 {
			id = "v0"
		}
		rows = append(rows, vault.Row{Token: token, KeyID: id, Sealed: v.Append(nil, []byte(token), []byte(value))})
	}
	if err := os.MkdirAll(filepath.Join(dir, "vault", "day=01"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := parquet.WriteFile(filepath.Join(dir, "vault", "day=01", "a.parquet"), rows); err != nil {
		t.Fatal(err)
	}
	return vault.Request{Token: rows[0].Token, Case: "C-17", Who: "dpo", Dir: filepath.Join(dir, "vault"), Keys: ring, Audit: filepath.Join(dir, "audit.log")}
}

// audit returns the results in the audit log.
func audit(t *testing.T, r vault.Request) (results []string) {
	t.Helper()
	content, err := os.ReadFile(r.Audit)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if strings.Contains(string(content), "ann@") {
		t.Errorf("the audit log holds the value: %s", content)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(content)), "\n") {
		var e struct{ Case, Who, Token, Result, Time string }
		if line == "" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Who != "dpo" || e.Case != "C-17" || e.Token != r.Token || e.Time == "" {
			t.Errorf("line %s: %v", line, err)
		}
		results = append(results, e.Result)
	}
	return results
}

func TestATokenIsRevealedAndTheReadingRecorded(t *testing.T) {
	r := request(t)
	value, err := vault.Reveal(t.Context(), r)
	if err != nil || value != "ann@example.com" {
		t.Fatalf("%s, %v", value, err)
	}
	if got := strings.Join(audit(t, r), " "); got != "asked revealed" {
		t.Errorf("audit log: %s", got)
	}
}

func TestWhatIsNotRevealedIsRecordedToo(t *testing.T) {
	r := request(t)
	r.Token = mask.Token("k1", [32]byte{1}, "email", []byte("nobody@example.com"))
	if _, err := vault.Reveal(t.Context(), r); !errors.Is(err, vault.ErrUnknown) {
		t.Errorf("a token without a row: %v", err)
	}
	if got := strings.Join(audit(t, r), " "); got != "asked unknown" {
		t.Errorf("audit log: %s", got)
	}
	r = request(t)
	r.Token = mask.Token("k1", [32]byte{1}, "email", []byte("gone@example.net"))
	if _, err := vault.Reveal(t.Context(), r); err == nil || !strings.Contains(err.Error(), "key v0") {
		t.Errorf("a key that is gone: %v", err)
	}
	if got := strings.Join(audit(t, r), " "); got != "asked failed" {
		t.Errorf("audit log: %s", got)
	}
}

// A file that lies about its size is an error, not the end of the process.
func TestAVaultsFileThatLiesIsAnError(t *testing.T) {
	for name, content := range map[string]string{
		"2^31 row groups": "PAR1\x15\x02\x39\xfc\xff\xff\xff\xff\x07\x09\x00\x00\x00PAR1",
		"no Parquet":      "vault",
	} {
		r := request(t)
		if err := os.WriteFile(filepath.Join(r.Dir, "a.parquet"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if value, err := vault.Reveal(t.Context(), r); err == nil || value != "" || !strings.Contains(err.Error(), "a.parquet") {
			t.Errorf("%s: %q, %v", name, value, err)
		}
		if got := strings.Join(audit(t, r), " "); got != "asked failed" {
			t.Errorf("%s: audit log: %s", name, got)
		}
	}
}

func TestARowOfATableWithOtherColumnsIsFound(t *testing.T) {
	r := request(t)
	type wide struct {
		Sealed []byte `parquet:"sealed"`
		Day    string `parquet:"day"`
		Token  string `parquet:"token,dict"`
		KeyID  string `parquet:"key_id,dict"`
	}
	rows, err := parquet.ReadFile[vault.Row](filepath.Join(r.Dir, "day=01", "a.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	var list []wide
	for i := range 3000 {
		list = append(list, wide{Sealed: []byte{1}, Token: fmt.Sprint("tok_", i), KeyID: "v0"})
	}
	list = append(list, wide{rows[0].Sealed, "x", rows[0].Token, rows[0].KeyID}, wide{Token: "tok_last"})
	if err := os.RemoveAll(filepath.Join(r.Dir, "day=01")); err != nil {
		t.Fatal(err)
	}
	if err := parquet.WriteFile(filepath.Join(r.Dir, "b.parquet"), list, parquet.MaxRowsPerRowGroup(1000), parquet.Compression(&parquet.Zstd)); err != nil {
		t.Fatal(err)
	}
	if value, err := vault.Reveal(t.Context(), r); err != nil || value != "ann@example.com" {
		t.Errorf("%q, %v", value, err)
	}
	if err := parquet.WriteFile(filepath.Join(r.Dir, "c.parquet"), []struct {
		Token string `parquet:"token"`
	}{{"x"}}); err != nil {
		t.Fatal(err)
	}
	r.Token = mask.Token("k1", [32]byte{1}, "email", []byte("nobody@example.com"))
	if _, err := vault.Reveal(t.Context(), r); err == nil || !strings.Contains(err.Error(), "key_id") {
		t.Errorf("a file without a column: %v", err)
	}
}

func TestWithoutACaseOrALogNothingIsRead(t *testing.T) {
	r := request(t)
	r.Case = ""
	if value, err := vault.Reveal(t.Context(), r); err == nil || value != "" || !strings.Contains(err.Error(), "case") {
		t.Errorf("%s, %v", value, err)
	}
	r.Case, r.Token = "C-17", "ann@example.com"
	if _, err := vault.Reveal(t.Context(), r); err == nil || strings.Contains(err.Error(), "ann@") {
		t.Errorf("no token: %v", err)
	}
	if got := audit(t, r); len(got) != 0 {
		t.Errorf("audit log: %v", got)
	}
	r = request(t)
	r.Audit = filepath.Join(r.Dir, "no", "such", "folder")
	if value, err := vault.Reveal(t.Context(), r); err == nil || value != "" || !strings.Contains(err.Error(), "audit log") {
		t.Errorf("%s, %v", value, err)
	}
}
