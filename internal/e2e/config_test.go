package e2e

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

func shippedConfig(t testing.TB, name string) string {
	t.Helper()
	return filepath.Join(testenv.Root(t), "jobs", "weblogs", name+".yaml")
}

func TestShippedConfigsRunLikeTheFlags(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	source := filepath.Join(accessLogs(t), "*.gz")
	mustRun(t, e, weblogs(source, e.in("flags"))...)
	want := hashLake(t, e.in("flags"))
	run := readManifest(t, e.in("flags")).Run
	for _, name := range []string{"minimal", "reference"} {
		t.Run(name, func(t *testing.T) {
			mustRun(t, e, "run", "--config", shippedConfig(t, name), "--source", source, "--lake", e.in(name), "--mask-key", "env://MASK_KEY")
			if diff := gocmp.Diff(want, hashLake(t, e.in(name))); diff != "" {
				t.Errorf("-flags +%s.yaml:\n%s", name, cut(diff))
			}
			if got := readManifest(t, e.in(name)).Run; got != run {
				t.Errorf("run %s, with flags %s: the configuration is not taken for the same", got, run)
			}
		})
	}
	t.Run("without a flag", func(t *testing.T) {
		text := fmt.Sprintf("job: weblogs\nsource: %s\nlake: lake # in the working folder\nmask_key: env://MASK_KEY\nraw: plain\nfrom: 2015-05-18\nto: 2015-05-18\nsettings:\n  top_pages: 3\n  sessions.gap: 20m\n", source)
		writeFile(t, e.in("mine.yaml"), []byte(text))
		mustRun(t, e, "run", "--config", "mine.yaml")
		mustRun(t, e, weblogs(source, e.in("as-flags"), "--raw", "plain", "--from", "2015-05-18", "--to", "2015-05-18", "--set", "top_pages=3", "--set", "sessions.gap=20m")...)
		if diff := gocmp.Diff(hashLake(t, e.in("as-flags")), hashLake(t, e.in("lake"))); diff != "" || len(hashLake(t, e.in("lake"))) == 0 {
			t.Errorf("-flags +file:\n%s", cut(diff))
		}
		if r := sql(t, e.in("as-flags"), "SELECT max(rank) FROM top_pages"); r[0][0] != "3" {
			t.Errorf("most pages of an hour: %s, want 3", r[0][0])
		}
		mustRun(t, e, "run", "--config", "mine.yaml", "--set", "top_pages=4", "--lake", "flag-wins")
		if r := sql(t, e.in("flag-wins"), "SELECT max(rank) FROM "+"read_parquet('"+e.in("flag-wins")+"/top_pages/*/*/*/*.parquet')"); r[0][0] != "4" {
			t.Errorf("most pages of an hour: %s, want 4 of the flag", r[0][0])
		}
	})
}

// TestShippedConfigsOfTheOtherJobsRunLikeTheFlags: the reference has the defaults, so
// does the least.
func TestShippedConfigsOfTheOtherJobsRunLikeTheFlags(t *testing.T) {
	t.Parallel()
	for job, source := range map[string]string{
		"clickstream": "clickstream/events.ndjson.gz", "devices": "devices/observations.ndjson", "authlogs": "auth-log/auth_a.log.gz",
	} {
		t.Run(job, func(t *testing.T) {
			e := newEnv(t)
			with := func(lake string) []string {
				args := []string{"--source", filepath.Join(testenv.Root(t), "testdata", source), "--lake", e.in(lake), "--mask-key", "env://MASK_KEY"}
				if job == "authlogs" {
					args = append(args, "--format", "syslog until=2017-12-31")
				}
				return args
			}
			config := func(name string) string {
				return filepath.Join(testenv.Root(t), "jobs", job, name+".yaml")
			}
			lake := func(name string) map[string]string {
				hashes := hashLake(t, e.in(name))
				maps.DeleteFunc(hashes, func(file, _ string) bool { return strings.HasPrefix(file, "alerts/") }) // they name the command
				return hashes
			}
			mustRun(t, e, append([]string{"run", job, "--no-report"}, with("flags")...)...)
			mustRun(t, e, append([]string{"run", "--config", config("reference"), "--no-report"}, with("reference")...)...)
			want := lake("flags")
			if diff := gocmp.Diff(want, lake("reference")); diff != "" || len(want) == 0 {
				t.Errorf("-flags +reference.yaml:\n%s", cut(diff))
			}
			m := readManifest(t, e.in("flags"))
			if !m.Ledger.Balanced || m.Ledger.Events == 0 {
				t.Errorf("ledger %s", m.Ledger)
			}
			if got := readManifest(t, e.in("reference")).Run; got != m.Run {
				t.Errorf("reference.yaml makes run %s, flags make %s", got, m.Run)
			}
			if r := mustRun(t, e, append([]string{"plan", "--config", config("minimal")}, with("minimal")...)...); !strings.Contains(r.stdout, m.Run) {
				t.Errorf("minimal.yaml does not plan run %s:\n%s", m.Run, r.stdout)
			}
		})
	}
}

// TestTheShippedPolicyHolds in a run.
func TestTheShippedPolicyHolds(t *testing.T) {
	t.Parallel()
	e := newEnv(t).with("VAULT_KEY=v1:" + strings.Repeat("5a", 32))
	policy := shippedConfig(t, "policy")
	if r := mustRun(t, e, "policy", "check", "weblogs", "--policy", policy); !regexp.MustCompile(`events.client_ip +ip +token`).MatchString(r.stdout) || !regexp.MustCompile(`events.referrer +text +drop`).MatchString(r.stdout) {
		t.Errorf("%s", r.stdout)
	}
	writeFile(t, e.in("web.log"), []byte(`203.0.113.77 - ann [02/Mar/2026:11:00:00 +0000] "GET /a?card=4111111111111111&pin=123456&day_ticket=abcdefghij&to=ann@mail.example HTTP/1.1" 200 5 "https://ref.example/" "Firefox"`+"\n"))
	mustRun(t, e, weblogs(e.in("web.log"), e.in("lake"), "--mask-policy", policy, "--vault-key", "env://VAULT_KEY")...)
	row := sql(t, e.in("lake"), `SELECT client_ip, "user", referrer, query, (SELECT count(*) FROM vault) FROM events`)[0]
	if !strings.HasPrefix(row[0], "tok_ip_") || row[1] != "REDACTED" || row[2] != "NULL" || row[4] != "1" {
		t.Errorf("row %v", row)
	}
	for _, secret := range []string{"4111", "123456", "abcdefghij", "ann@"} {
		if strings.Contains(row[3], secret) {
			t.Errorf("%s is in the query %s", secret, row[3])
		}
	}
}

func TestReferenceConfigListsEverySettingWithItsDefault(t *testing.T) {
	t.Parallel()
	for _, job := range allJobs {
		t.Run(job, func(t *testing.T) { listsEverySetting(t, job) })
	}
}

func listsEverySetting(t *testing.T, job string) {
	shown := map[string]string{}
	show := mustRun(t, newEnv(t), "jobs", "show", job).stdout
	_, show, _ = strings.Cut(show, "\nSettings")
	show, _, _ = strings.Cut(show, "\n\n")
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z0-9_.]+) +[a-z]+ +default (\S+)`).FindAllStringSubmatch(show, -1) {
		shown[m[1]] = strings.TrimSuffix(m[2], "none")
	}
	if n := strings.Count(show, "\n"); len(shown) != n || n < 1 {
		t.Fatalf("settings in the output of jobs show %s: %v", job, shown)
	}
	content := string(readFile(t, filepath.Join(testenv.Root(t), "jobs", job, "reference.yaml")))
	var config struct {
		Settings map[string]any `yaml:"settings"`
	}
	if err := yaml.Unmarshal([]byte(content), &config); err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for name, value := range config.Settings {
		listed[name] = fmt.Sprint(value)
	}
	if diff := gocmp.Diff(shown, listed); diff != "" {
		t.Errorf("-jobs show %s +reference.yaml:\n%s", job, diff)
	}
	lines := strings.Split(content, "\n")
	for i, line := range lines {
		key := strings.TrimSpace(line)
		if key == "" || key[0] == '#' || strings.HasPrefix(key, "settings:") || strings.HasPrefix(key, "job:") || key[:3] == "to:" {
			continue
		}
		if !strings.HasPrefix(strings.TrimSpace(lines[i-1]), "#") {
			t.Errorf("line %d has no comment: %s", i+1, line)
		}
	}
}
