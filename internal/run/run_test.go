package run

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/internal/settings"
	"millrace/jobs/weblogs"
	"millrace/schemas/badrow"
	"millrace/schemas/ledger"
	"millrace/schemas/manifest"
)

func TestAllFaultsOfARequestAreReportedTogether(t *testing.T) {
	_, err := check(Options{Job: "weblogs", Runner: "spark", Raw: "open", From: "2015", To: "x", Outputs: Outputs{"evnts": {"u"}}})
	if u := new(UsageError); !errors.As(err, &u) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"--source", "--lake", "--runner spark", "--raw open", "--from 2015", "--to x", "no output evnts, did you mean events?"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
}

func TestARequestIsFilledWithDefaults(t *testing.T) {
	r, err := check(Options{Job: "weblogs", Source: "s", Lake: "l", From: "1970-01-02", To: "1970-01-03"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Runner != "prism" || r.Raw != "off" || r.from != 1 || r.to != 2 || r.settings.(*weblogs.Settings).TopPages != weblogs.Defaults().TopPages {
		t.Errorf("got %+v", r)
	}
	for day, want := range map[int64]bool{0: false, 1: true, 2: true, 3: false} {
		if r.replaces(day) != want {
			t.Errorf("day %d: %v", day, !want)
		}
	}
	if open := (request{}); open.replaces(1) {
		t.Error("without --from and --to a day counts as named")
	}
}

func TestOnFlinkPathsHoldFromAnyWorkingDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Job: "weblogs", Source: "kinesis://logs", Lake: "out", Runner: "flink", MaskKey: "file:///key",
		Live: LiveOptions{Archive: "old/raw", UntilArchive: "2026-03-01T12:00:00Z"},
	}
	r, err := check(o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Source != "kinesis://logs" || r.Lake != filepath.Join(here, "out") || r.live.archive != filepath.Join(here, "old", "raw") {
		t.Errorf("source %s, lake %s, archive %s", r.Source, r.Lake, r.live.archive)
	}
	if r, err := check(Options{Job: "weblogs", Source: "logs/*.gz", Lake: "s3://lake/web", Runner: "flink", MaskKey: "file:///key"}); err != nil || r.Source != filepath.Join(here, "logs", "*.gz") || r.Lake != "s3://lake/web" {
		t.Errorf("source %s, lake %s, %v", r.Source, r.Lake, err)
	}
	o.Source, o.Live = "kinesis://logs?until=tip&positions=at/a+b%2Bc.json", LiveOptions{}
	o.Values = []settings.Value{{Name: "bots.file", Text: "bots.txt"}, {Name: "sessions.day_zone", Text: "Europe/Berlin"}}
	writeLocal(t, "bots.txt", "Robot\n")
	r, err = check(o)
	if err != nil {
		t.Fatal(err)
	}
	if want := "kinesis://logs?until=tip&positions=" + here + "/at/a%20b%2Bc.json"; strings.ReplaceAll(r.live.source, "+", "%20") != want || r.Source != r.live.source {
		t.Errorf("the stream is read from %s, want %s", r.live.source, want)
	}
	if want := filepath.Join(here, "bots.txt"); r.Values[0].Text != want || r.settings.(*weblogs.Settings).BotsFile != want || r.Values[1].Text != "Europe/Berlin" || o.Values[0].Text != "bots.txt" {
		t.Errorf("the settings are %+v", r.Values)
	}
	o.Source, o.Values = "kinesis://logs", nil
	o.Runner, o.MaskKey = "prism", ""
	if r, err := check(o); err != nil || r.Lake != "out" {
		t.Errorf("in this process: lake %s, %v", r.Lake, err)
	}
}

func writeLocal(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFlagsWinOverTheFileAndFaultsNameWhereAValueStands(t *testing.T) {
	content := "job: weblogs\nsource: from-file\nlake: l\nto: tomorrow\nsettings:\n  top_pages: 3\n  sessions.gap: never\n"
	o, err := Merge(Options{Source: "from-flag"}, []byte(content), "job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if o.Source != "from-flag" || o.Lake != "l" || len(o.Values) != 2 || o.Values[0].Where != "job.yaml:6" {
		t.Errorf("got %+v", o)
	}
	_, err = check(o)
	for _, want := range []string{"job.yaml:4: to tomorrow: not a day", `job.yaml:7: setting sessions.gap: "never"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
}

func FuzzMerge(tf *testing.F) {
	f := mutate.Of(tf)
	for _, seed := range []string{"job: weblogs\n", "a: [1", "settings:\n  x: {y: 1}\n", "- a\n", "job: &a x\nsource: *a\n", "? x\n: y\n", "---\n---\n", "settings: !!map\n", "job: |\n  x\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		_, err := Merge(Options{}, []byte(content), "f.yaml")
		if u := new(UsageError); err != nil && (!errors.As(err, &u) || !strings.HasPrefix(err.Error(), "f.yaml")) {
			t.Errorf("%q gives %v", content, err)
		}
	})
}

func balanced() (manifest.Manifest, map[string]int64) {
	l := ledger.Ledger{In: 10, Events: 7, Bad: 2, Duplicate: 1, Late: 1, Reasons: map[badrow.Reason]int64{"format": 2}}
	m := manifest.Manifest{
		Run: "r", Ledger: manifest.Ledger{Ledger: l, Balanced: l.Balanced()},
		Outputs: map[string]manifest.Output{"events": {Rows: 7, Bytes: 12_345, Files: 1}, "bad_rows": {Rows: 2, Bytes: 999, Files: 1}, "late": {Rows: 1, Bytes: 1 << 20, Files: 12}},
	}
	return m, map[string]int64{"events": 7, "bad_rows": 2, "late": 1}
}

func TestEveryImbalanceIsFoundAndNamed(t *testing.T) {
	m, written := balanced()
	if fault := imbalance(m, written, []string{"bad_rows", "late", "events"}); fault != "" {
		t.Fatalf("a run that balances does not: %s", fault)
	}
	for name, c := range map[string]struct {
		disturb func(m *manifest.Manifest, written map[string]int64)
		want    string
	}{
		"a line that became nothing": {func(m *manifest.Manifest, _ map[string]int64) {
			m.Ledger.In++
			m.Ledger.Balanced = m.Ledger.Ledger.Balanced()
		}, "1 lost"},
		"a row lost before the sink": {func(_ *manifest.Manifest, w map[string]int64) { w["events"]-- }, "events"},
		"a row lost in the files": {func(m *manifest.Manifest, _ map[string]int64) {
			o := m.Outputs["bad_rows"]
			o.Rows--
			m.Outputs["bad_rows"] = o
		}, "bad_rows"},
		"an output without a file":  {func(m *manifest.Manifest, _ map[string]int64) { delete(m.Outputs, "late") }, "late"},
		"rows that nothing counted": {func(m *manifest.Manifest, _ map[string]int64) { m.Ledger.Late = 0 }, "late"},
		"bad rows without their code": {func(m *manifest.Manifest, _ map[string]int64) {
			m.Ledger.Reasons = nil
			m.Ledger.Balanced = m.Ledger.Ledger.Balanced()
		}, "in 10"},
	} {
		m, written := balanced()
		c.disturb(&m, written)
		if fault := imbalance(m, written, []string{"bad_rows", "late", "events"}); !strings.Contains(fault, c.want) {
			t.Errorf("%s: %q", name, fault)
		}
	}
}

func TestSummaryIsAlignedAndNamesTheReport(t *testing.T) {
	m, _ := balanced()
	m.Seconds, m.Days = 2, []string{"2015-05-17", "2015-05-18"}
	want := `10 lines in 2.0 s (5 lines/s), run r

10 lines = 7 events + 2 bad + 1 duplicate + 0 skipped: the ledger balances
bad by reason: format 2

output    rows      size  files
bad_rows     2     999 B      1
events       7  12.1 KiB      1
late         1  1.00 MiB     12

lake    out, 2 days from 2015-05-17 to 2015-05-18
report  out/report.html
`
	if diff := cmp.Diff(want, Result{Manifest: m, Lake: "out", Report: "out/report.html"}.Summary()); diff != "" {
		t.Error(diff)
	}
}

func TestFoldersThatARunMadeForNothingAreRemoved(t *testing.T) {
	root := t.TempDir()
	lake := filepath.Join(root, "a", "b")
	made := newFolders(lake)
	if err := os.MkdirAll(filepath.Join(lake, "_lease"), 0o755); err != nil {
		t.Fatal(err)
	}
	made.removeEmpty()
	if _, err := os.Stat(filepath.Join(root, "a")); err == nil {
		t.Error("the empty folders are still there")
	}
	made = newFolders(lake)
	if err := os.MkdirAll(filepath.Join(lake, "events"), 0o755); err != nil {
		t.Fatal(err)
	}
	made.removeEmpty()
	if _, err := os.Stat(filepath.Join(lake, "events")); err != nil {
		t.Error("a folder with something in it is gone")
	}
	if kept := newFolders(root); len(kept) != 1 {
		t.Errorf("a lake that exists counts as made: %v", kept)
	}
}
