package e2e

import (
	"fmt"
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

func TestReferenceConfigListsEverySettingWithItsDefault(t *testing.T) {
	t.Parallel()
	shown := map[string]string{}
	show := mustRun(t, newEnv(t), "jobs", "show", "weblogs").stdout
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z_.]+) +(?:duration|text|boolean|integer) +default (\S+)`).FindAllStringSubmatch(show, -1) {
		shown[m[1]] = strings.TrimSuffix(m[2], "none")
	}
	if len(shown) < 8 {
		t.Fatalf("settings in the output of jobs show weblogs: %v", shown)
	}
	content := string(readFile(t, shippedConfig(t, "reference")))
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
		t.Errorf("-jobs show weblogs +reference.yaml:\n%s", diff)
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
