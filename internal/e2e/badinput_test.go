package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// oneDay is a log of four requests of one day, a fifth of which is no request.
const oneDay = `192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 31 "-" "curl/8"
192.0.2.7 - - [17/May/2015:10:05:04 +0000] "GET /b HTTP/1.1" 404 12 "-" "curl/8"
192.0.2.9 - - [17/May/2015:10:07:00 +0000] "GET /c HTTP/1.1" 200 99 "-" "Mozilla/5.0"
198.51.100.3 - - [17/May/2015:11:00:00 +0000] "POST /d HTTP/1.1" 500 0 "-" "Mozilla/5.0"
`

// otherDay is a log of another day.
const otherDay = `192.0.2.7 - - [20/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 31 "-" "curl/8"
`

// twoLakes gives a lake that does not exist, below folders that do not, and one that
// holds data.
func twoLakes(t *testing.T, e env) map[string]string {
	t.Helper()
	writeFile(t, e.in("logs", "other-day.log"), []byte(otherDay))
	mustRun(t, e, weblogs("logs/other-day.log", "used")...)
	return map[string]string{"a lake that does not exist": "not/yet/there", "a lake with data": "used"}
}

// userWith is a user with a good log, logs/good.log.
func userWith(t *testing.T) env {
	t.Helper()
	e := newEnv(t)
	writeFile(t, e.in("logs", "good.log"), []byte(oneDay))
	return e
}

// jargon is what a person who runs a job should never read.
var jargon = regexp.MustCompile(`goroutine |panic:|\.go:\d|inst\d{3}|(?i:caused by)|PCollection|ParDo|DoFn|(?i:bundle)|\bBeam\b|running on prism|grpc|rpc error|struct field|interface \{\}|%!|<nil>|level=`)

// rejected runs the program, which has to end with the code and a line on stderr
// for each expected text, in that order, holding it; and nothing below the user's
// folder may change.
func rejected(t *testing.T, e env, code int, args []string, want ...string) result {
	t.Helper()
	before := hashTree(t, e.dir)
	r := run(t, e, args...)
	if diff := gocmp.Diff(before, hashTree(t, e.dir)); diff != "" {
		t.Errorf("millrace %s changed:\n%s", strings.Join(args, " "), diff)
	}
	checkRejection(t, r, code, args, want...)
	return r
}

func checkRejection(t *testing.T, r result, code int, args []string, want ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(r.stderr, "\n"), "\n")
	if r.code != code || len(lines) != len(want) || r.stdout != "" {
		t.Errorf("millrace %s: exit code %d and %d lines, want %d and %d\nstdout: %s\nstderr: %s", strings.Join(args, " "), r.code, len(lines), code, len(want), r.stdout, r.stderr)
		return
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, "millrace: ") || !strings.Contains(line, want[i]) {
			t.Errorf("millrace %s: line %d is\n  %s\nand should hold\n  %s", strings.Join(args, " "), i+1, line, want[i])
		}
	}
	if found := jargon.FindString(r.stderr); found != "" {
		t.Errorf("millrace %s: %q in\n%s", strings.Join(args, " "), found, r.stderr)
	}
}

func TestWrongUsageIsRefusedWithTheCureAndTouchesNothing(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	good := func(more ...string) []string { return weblogs("logs/good.log", "LAKE", more...) }
	type rejection struct {
		args []string
		want []string
	}
	cases := map[string]rejection{
		"nothing but the verb":           {[]string{"run"}, []string{"JOB is missing: name one of weblogs", "--source is missing", "--lake is missing"}},
		"a job alone":                    {[]string{"run", "weblogs"}, []string{"--source is missing", "--lake is missing"}},
		"an unknown verb":                {[]string{"rum"}, []string{"unknown command millrace rum, did you mean run?"}},
		"an unknown verb of a verb":      {[]string{"jobs", "shwo"}, []string{"unknown command millrace jobs shwo, did you mean show?"}},
		"an unknown job":                 {[]string{"run", "weblog", "--source", "logs/good.log", "--lake", "LAKE"}, []string{"unknown job weblog, did you mean weblogs?"}},
		"an unknown job to show":         {[]string{"jobs", "show", "weblog"}, []string{"unknown job weblog, did you mean weblogs?"}},
		"two jobs":                       {[]string{"run", "weblogs", "logs/good.log", "--lake", "LAKE"}, []string{"one job at a time, but logs/good.log follows weblogs"}},
		"an argument too many":           {[]string{"version", "now"}, []string{"takes no argument, but was given now"}},
		"an unknown flag":                {good("--sorce", "x"), []string{"unknown flag: --sorce, did you mean --source?"}},
		"a flag without its value":       {good("--set"), []string{"flag needs an argument: --set"}},
		"an unknown form of progress":    {good("--progress", "fancy"), []string{"--progress fancy: must be one of auto, bar, plain, json, none"}},
		"an unknown setting":             {good("--set", "session.gap=20m"), []string{"unknown setting session.gap, did you mean sessions.gap?"}},
		"a setting without a value":      {good("--set", "sessions.gap"), []string{"--set sessions.gap: write NAME=VALUE"}},
		"a duration that is none":        {good("--set", "sessions.gap=3"), []string{`setting sessions.gap: "3" is not a duration; write for example 30m`}},
		"a number that is none":          {good("--set", "top_pages=many"), []string{`setting top_pages: "many" is not an integer`}},
		"a boolean that is none":         {good("--set", "sessions.campaign_cut=maybe"), []string{`setting sessions.campaign_cut: "maybe" is not a boolean; write true or false`}},
		"settings out of bounds":         {good("--set", "top_pages=0", "--set", "lake.shards=1000"), []string{"setting top_pages: must be from 1 to 10000", "setting lake.shards: must be from 1 to 256"}},
		"a zone that does not exist":     {good("--set", "sessions.day_zone=Mars"), []string{"sessions.day_zone"}},
		"a list of bots that is missing": {good("--set", "bots.file=nobots.txt"), []string{"bots.file"}},
		"an unknown output":              {good("--output", "event=elsewhere"), []string{"--output: job weblogs has no output event, did you mean events?"}},
		"an output without a place":      {good("--output", "events"), []string{"--output events: write NAME=URL"}},
		"an output elsewhere":            {good("--output", "events=elsewhere"), []string{"--output events=elsewhere: outputs can go to influx:// and influx+https:// and kinesis:// and"}},
		"an unknown way to keep lines":   {good("--raw", "open"), []string{"--raw open: must be off, plain or sealed"}},
		"an unknown runner":              {good("--runner", "spark"), []string{"--runner spark: unknown runner; there are prism, its alias direct, and flink"}},
		"days that are none":             {good("--from", "2015", "--to", "17/05/2015"), []string{"--from 2015: not a day; write 2006-01-02", "--to 17/05/2015: not a day; write 2006-01-02"}},
		"days the wrong way round":       {good("--from", "2015-05-18", "--to", "2015-05-17"), []string{"--from 2015-05-18 lies after --to 2015-05-17"}},
		"a key in place of a reference":  {good("--mask-key", strings.Repeat("ab", 32)), []string{"mask key: want a reference, file:///path, env://NAME or awskms://"}},
		"a key variable that is not set": {good("--mask-key", "env://NOT_SET"), []string{"mask key env://NOT_SET: the variable is not set"}},
		"a key file that is missing":     {good("--mask-key", "file:///does/not/exist"), []string{"mask key file:///does/not/exist: no such file"}},
		"an unknown scheme of a source":  {weblogs("ftp://host/logs", "LAKE"), []string{"source ftp://host/logs: unknown scheme ftp; there are file, kinesis, s3"}},
		"an unknown scheme of a lake":    {weblogs("logs/good.log", "ftp://host/lake"), []string{"ftp://host/lake: the scheme ftp is unknown here; use a path, file:// or s3://"}},
		"an unknown URL parameter":       {weblogs("file://"+e.in("logs", "good.log")+"?splt=1MiB", "LAKE"), []string{"parameter splt is unknown; did you mean split?"}},
		"a URL parameter of wrong type":  {weblogs("file://"+e.in("logs", "good.log")+"?split=big", "LAKE"), []string{"parameter split=big is not a size such as"}},
		"a parameter of a lake":          {weblogs("logs/good.log", "file://"+e.in("LAKE")+"?x=1"), []string{"parameter x is unknown"}},
		"an unknown format":              {weblogs("file://"+e.in("logs", "good.log")+"?format=combned", "LAKE"), []string{"--source: format=combned: reading log format \"combned\": want one of"}},
		"a credential in a URL":          {weblogs("s3://AKIDEXAMPLE:sesame@logs/x", "LAKE"), []string{"holds a credential"}},
		"an S3 lake without a key":       {[]string{"run", "weblogs", "--source", "logs/good.log", "--lake", "s3://bucket/lake"}, []string{"--mask-key is missing"}},
		"a report of no lake":            {[]string{"report", "--lake", "logs"}, []string{"logs holds no finished run"}},
		"a report of nothing":            {[]string{"report"}, []string{"--lake is missing"}},
		"a plan of nothing":              {[]string{"plan"}, []string{"JOB is missing", "--source is missing", "--lake is missing"}},
		"a schema that is none":          {[]string{"generate", "weblg", "--out", "x"}, []string{"unknown schema \"weblg\", did you mean weblog?"}},
		"a missing YAML file":            {[]string{"run", "--config", "none.yaml"}, []string{"none.yaml"}},
	}
	for name, lake := range twoLakes(t, e) {
		t.Run(name, func(t *testing.T) {
			for _, name := range slices.Sorted(maps.Keys(cases)) {
				t.Run(name, func(t *testing.T) {
					args := slices.Clone(cases[name].args)
					for i, arg := range args {
						if arg == "LAKE" {
							args[i] = lake
						}
					}
					r := rejected(t, e, 2, args, cases[name].want...)
					if strings.Contains(r.stderr, "sesame") || strings.Contains(r.stderr, strings.Repeat("ab", 32)) {
						t.Errorf("a secret is repeated: %s", r.stderr)
					}
				})
			}
		})
	}
}

func TestAWrongYAMLFileIsRefusedByLine(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	type rejection struct {
		yaml string
		want []string
	}
	cases := map[string]rejection{
		"bad indentation":          {"job: weblogs\nsettings:\n  sessions.gap: 20m\n   top_pages: 3\n", []string{"job.yaml:3: ", "KEY: VALUE"}},
		"a tab":                    {"job: weblogs\n\tsource: x\n", []string{"job.yaml:2: "}},
		"unknown keys":             {"job: weblogs\nsurce: x\nlaek: y\n", []string{"job.yaml:2: unknown key surce, did you mean source?", "job.yaml:3: unknown key laek, did you mean lake?"}},
		"a key twice":              {"job: weblogs\njob: weblogs\n", []string{"job.yaml:2: "}},
		"a list for a text":        {"job: weblogs\nsource: [a, b]\n", []string{"job.yaml:2: source is a list, and should be a single value"}},
		"nothing for a text":       {"job: weblogs\nsource:\n", []string{"job.yaml:2: source is empty, and should be a single value"}},
		"a number for settings":    {"job: weblogs\nsettings: 5\n", []string{"job.yaml:2: settings is a number, and should be lines of NAME: VALUE"}},
		"a list for a setting":     {"job: weblogs\nsettings:\n  top_pages: [1]\n", []string{"job.yaml:3: top_pages is a list"}},
		"nested settings":          {"job: weblogs\nsettings:\n  sessions:\n    gap: 20m\n", []string{"job.yaml:3: sessions is a mapping, and should be a single value; write the name in full: sessions.gap: ..."}},
		"a list for a file":        {"- job\n- source\n", []string{"job.yaml:1: the file is a list"}},
		"two documents":            {"job: weblogs\n---\nsource: x\n", []string{"job.yaml:3: a second document begins"}},
		"an unknown setting":       {"job: weblogs\nsource: logs/good.log\nsettings:\n  top_page: 3\n", []string{"job.yaml:4: unknown setting top_page, did you mean top_pages?"}},
		"a setting of wrong type":  {"job: weblogs\nsource: logs/good.log\nsettings:\n  top_pages: many\n", []string{`job.yaml:4: setting top_pages: "many" is not an integer`}},
		"days that are none":       {"job: weblogs\nsource: logs/good.log\nfrom: 2015-13-01\n", []string{"job.yaml:3: from 2015-13-01: not a day"}},
		"an unknown job":           {"job: weblog\nsource: logs/good.log\n", []string{"job.yaml:1: unknown job weblog, did you mean weblogs?"}},
		"an unknown output":        {"job: weblogs\nsource: logs/good.log\noutputs:\n  evnts: x\n", []string{"job.yaml:3: output: job weblogs has no output evnts, did you mean events?"}},
		"an unknown runner":        {"job: weblogs\nsource: logs/good.log\nrunner: spark\n", []string{"job.yaml:3: runner spark: unknown runner"}},
		"a way to keep lines":      {"job: weblogs\nsource: logs/good.log\nraw: open\n", []string{"job.yaml:3: raw open: must be off, plain or sealed"}},
		"a source that is missing": {"job: weblogs\n", []string{"--source is missing"}},
	}
	// The parser finds bad indentation at the line before or after it.
	anyLine := regexp.MustCompile(`job\.yaml:[34]: column \d+: .*KEY: VALUE`)
	for name, lake := range twoLakes(t, e) {
		for _, c := range slices.Sorted(maps.Keys(cases)) {
			t.Run(name+"/"+c, func(t *testing.T) {
				writeFile(t, e.in("job.yaml"), []byte(cases[c].yaml))
				args := []string{"run", "--config", "job.yaml", "--lake", lake}
				if c == "bad indentation" {
					r := rejected(t, e, 2, args, "job.yaml:")
					if !anyLine.MatchString(r.stderr) {
						t.Errorf("got %s", r.stderr)
					}
					return
				}
				rejected(t, e, 2, args, cases[c].want...)
			})
		}
	}
}

func TestAYAMLFileHoldsAWholeRunAndFlagsWin(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	writeFile(t, e.in("job.yaml"), []byte("job: weblogs # a comment\n\"source\": 'logs/good.log'\nlake: from-file\nmask_key: env://MASK_KEY\nraw: off\nsettings:\n  top_pages: 1\n  sessions.campaign_cut: true\n"))
	mustRun(t, e, "run", "--config", "job.yaml", "--lake", "from-flag", "--set", "top_pages=2")
	m := readManifest(t, e.in("from-flag"))
	if m.Settings["top_pages"] != "2" || m.Settings["sessions.campaign_cut"] != "true" || m.Ledger.Events != 4 {
		t.Errorf("the run was %+v", m)
	}
	if _, err := os.Stat(e.in("from-file")); err == nil {
		t.Error("the lake of the file was written, though a flag names another")
	}
}

func TestAPlanIsReadableAndMakesNoKey(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	for name, lake := range twoLakes(t, e) {
		before, home := hashTree(t, e.dir), hashTree(t, e.home)
		r := mustRun(t, e, "plan", "weblogs", "--source", "logs/good.log", "--lake", lake, "--mask-key", "env://MASK_KEY")
		for _, want := range []string{filepath.Join("logs", "good.log"), "combined", "1 file", lake + "/events", "key " + maskKeyID, "sessions.gap"} {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%s: %q is missing in\n%s", name, want, r.stdout)
			}
		}
		if diff := gocmp.Diff(before, hashTree(t, e.dir)) + gocmp.Diff(home, hashTree(t, e.home)); diff != "" {
			t.Errorf("%s: changed\n%s", name, diff)
		}
	}
	// Nor does it make the user's key.
	r := mustRun(t, e, "plan", "weblogs", "--source", "logs/good.log", "--lake", "other")
	if _, err := os.Stat(e.keyFile()); err == nil || !strings.Contains(r.stdout, "a new key, which the run makes at "+e.keyFile()) {
		t.Errorf("a key was made, or is not announced in\n%s", r.stdout)
	}
}
