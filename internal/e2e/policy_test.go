package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"millrace/internal/testenv"
)

// TestAPolicyHoldsInARunAndItsVaultIsRevealed masks by a policy with keys of KMS, which
// are rotated between two days of the log, and takes tokens of both days back. KMS is
// moto.
func TestAPolicyHoldsInARunAndItsVaultIsRevealed(t *testing.T) {
	testenv.Moto(t)
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	made, err := kms.NewFromConfig(cfg).CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	e := newEnv(t)
	key := func(dataset string) string {
		return "awskms://" + *made.KeyMetadata.KeyId + "?dataset=" + dataset + "&ring=file://" + e.in(dataset+".json")
	}
	add := func(dataset, id string) {
		t.Helper()
		mustRun(t, e, "key", "add", "--mask-key", key(dataset), "--id", id)
	}
	add("web", "k1")
	add("vault", "v1")
	writeFile(t, e.in("policy.yaml"), []byte("fields:\n  client_ip: {class: ip, method: token}\n  referrer: {class: text, method: drop}\nreversible: [user, ip]\n"))
	day := func(n string) string {
		log := ""
		for _, who := range []string{"ann", "bob"} {
			log += "203.0.113.77 - " + who + " [0" + n + `/Mar/2026:11:00:00 +0000] "GET /a HTTP/1.1" 200 5 "https://ref.example/" "Firefox"` + "\n"
		}
		writeFile(t, e.in("logs", n+".log"), []byte(log))
		return e.in("logs", n+".log")
	}
	lake := e.in("lake")
	web := func(source string, more ...string) []string {
		return append([]string{"run", "weblogs", "--source", source, "--lake", lake, "--mask-key", key("web"), "--mask-policy", e.in("policy.yaml"), "--vault-key", key("vault")}, more...)
	}
	mustRun(t, e, web(day("1"))...)
	before := hashTree(t, filepath.Join(lake, "events"))
	add("web", "k2")
	add("vault", "v2")
	mustRun(t, e, web(day("2"))...)
	for name, hash := range before {
		if now := hashTree(t, filepath.Join(lake, "events"))[name]; now != hash {
			t.Errorf("%s changed with the key", name)
		}
	}

	m := readManifest(t, lake)
	if p := m.MaskPolicy; p == nil || p.Name != "policy.yaml" || !regexp.MustCompile("^[0-9a-f]{16}$").MatchString(p.Version) || p.VaultKeyID != "v2" || m.KeyID != "k2" || !strings.Contains(m.Settings["mask_policy"], `"client_ip"`) {
		t.Errorf("manifest: key %s, policy %+v, %s", m.KeyID, m.MaskPolicy, m.Settings["mask_policy"])
	}
	rows := sql(t, lake, `SELECT "user", client_ip, referrer, day(event_time) FROM events ORDER BY event_time, position`)
	for i, r := range rows {
		id := map[string]string{"1": "_k1_", "2": "_k2_"}[r[3]]
		if len(rows) != 4 || !strings.HasPrefix(r[0], "tok_user"+id) || !strings.HasPrefix(r[1], "tok_ip"+id) || r[2] != "NULL" {
			t.Errorf("row %d: %v", i, r)
		}
	}
	if got := sql(t, lake, "SELECT day(event_time), key_id, count(*), count(DISTINCT token) FROM vault GROUP BY ALL ORDER BY 1"); len(got) != 2 || strings.Join(got[0], " ") != "1 v1 4 3" || strings.Join(got[1], " ") != "2 v2 4 3" {
		t.Errorf("vault: %v", got)
	}
	for _, file := range glob(t, filepath.Join(lake, "vault", "*", "*", "*", "*.parquet")) {
		if mode := fileMode(t, file); mode != 0o600 {
			t.Errorf("%s has mode %o", file, mode)
		}
	}

	reveal := func(token, number string, vaultKey string) result {
		return run(t, e, "reveal", "--case", number, "--vault", filepath.Join(lake, "vault"), "--vault-key", vaultKey, "--audit", e.in("audit.log"), token)
	}
	for _, c := range []struct{ token, want string }{{rows[0][0], "ann"}, {rows[1][0], "bob"}, {rows[3][0], "bob"}, {rows[0][1], "203.0.113.77"}} {
		if r := reveal(c.token, "C-17", key("vault")); r.code != 0 || strings.TrimSpace(r.stdout) != c.want {
			t.Errorf("%s stands for %q, want %s: %s", c.token, r.stdout, c.want, r.stderr)
		}
	}
	if r := reveal(rows[0][0], "", key("vault")); r.code != 2 || r.stdout != "" {
		t.Errorf("without a case: exit code %d, %q", r.code, r.stdout)
	}
	if r := reveal(rows[0][0], "C-18", key("web")); r.code != 1 || r.stdout != "" {
		t.Errorf("with the masking key: exit code %d, %q", r.code, r.stdout)
	}
	audit := string(readFile(t, e.in("audit.log")))
	if strings.Count(audit, `"result":"revealed"`) != 4 || strings.Count(audit, `"result":"asked"`) != 5 || strings.Count(audit, `"result":"failed"`) != 1 || strings.Contains(audit, `"ann"`) {
		t.Errorf("audit log:\n%s", audit)
	}

	t.Run("the masking key is no key for the vault", func(t *testing.T) {
		r := run(t, e, "run", "weblogs", "--source", day("1"), "--lake", e.in("other"), "--mask-key", key("web"), "--mask-policy", e.in("policy.yaml"), "--vault-key", key("web"))
		if r.code != 2 || !strings.Contains(r.stderr, "could take them back") {
			t.Errorf("exit code %d: %s", r.code, r.stderr)
		}
	})
	t.Run("a fault names file, line and the name that was meant", func(t *testing.T) {
		writeFile(t, e.in("wrong.yaml"), []byte("fields:\n  usr: user\n  query: none\n"))
		r := run(t, e, "policy", "check", "weblogs", "--policy", e.in("wrong.yaml"))
		if r.code != 2 || !strings.Contains(r.stderr, "wrong.yaml:2: the job has no field usr") || !strings.Contains(r.stderr, "did you mean user?") || !strings.Contains(r.stderr, "wrong.yaml:3: field query is of class text") {
			t.Errorf("exit code %d: %s", r.code, r.stderr)
		}
		if r := mustRun(t, e, "policy", "check", "weblogs", "--policy", e.in("policy.yaml")); !regexp.MustCompile(`events.client_ip +ip +token`).MatchString(r.stdout) || !regexp.MustCompile(`events.query +text +scan`).MatchString(r.stdout) {
			t.Errorf("%s", r.stdout)
		}
	})
}

// TestCodesOnS3AreLookedUp in a backfill, as of a date, by each policy for a table that is
// not there.
func TestCodesOnS3AreLookedUp(t *testing.T) {
	server := testenv.S3(t)
	e := newEnv(t)
	writeFile(t, e.in("sites-2026-03-01.csv"), []byte("user,unit\nann,Sales\n"))
	writeFile(t, e.in("sites-2026-03-09.csv"), []byte("user,unit\nann,Support\n"))
	upload(t, server, "tables", e.in("sites-2026-03-01.csv"), e.in("sites-2026-03-09.csv"))
	writeFile(t, e.in("web.log"), []byte(`203.0.113.77 - ann [02/Mar/2026:11:00:00 +0000] "GET /a HTTP/1.1" 200 5`+"\n"+`203.0.113.77 - bob [02/Mar/2026:11:00:00 +0000] "GET /a HTTP/1.1" 200 5`+"\n"))
	place := "s3://" + server.Bucket + "/tables/"
	set := []string{"--format", "common", "--set", "enrich.codes_by=user", "--set", "enrich.codes=" + place + "sites-{date}.csv"}
	for asOf, want := range map[string]string{"2026-03-02": `{"unit":"Sales"}`, "2026-03-31": `{"unit":"Support"}`} {
		lake := e.in("lake-" + asOf)
		mustRun(t, e, weblogs(e.in("web.log"), lake, append(set, "--as-of", asOf)...)...)
		got := sql(t, lake, "SELECT codes, enrichment FROM events ORDER BY position")
		if len(got) != 2 || got[0][0] != want || got[1][0] != "NULL" || !strings.Contains(got[0][1], "codes=") {
			t.Errorf("as of %s: %v, want %s", asOf, got, want)
		}
	}
	gone := append(slices.Clone(set[:4]), "--set", "enrich.codes="+place+"gone.parquet")
	if r := run(t, e, weblogs(e.in("web.log"), e.in("fail"), gone...)...); r.code == 0 || !strings.Contains(r.stderr, "gone.parquet") {
		t.Errorf("fail: exit code %d: %s", r.code, r.stderr)
	}
	mustRun(t, e, weblogs(e.in("web.log"), e.in("flag"), append(gone, "--set", "enrich.missing=flag")...)...)
	if got := sql(t, e.in("flag"), "SELECT count(*) FROM events WHERE codes IS NULL AND enrichment LIKE '%codes=missing%'"); got[0][0] != "2" {
		t.Errorf("flag: %v", got)
	}
	mustRun(t, e, weblogs(e.in("web.log"), e.in("bad"), append(gone, "--set", "enrich.missing=bad_row")...)...)
	if got := sql(t, e.in("bad"), "SELECT reason, count(*) FROM bad_rows GROUP BY 1"); len(got) != 1 || got[0][0] != "reference" || got[0][1] != "2" {
		t.Errorf("bad_row: %v", got)
	}
}

func fileMode(t testing.TB, name string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}
