package settings_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/settings"
)

type config struct {
	Gap     time.Duration `set:"sessions.gap" doc:"a pause this long ends a session"`
	Pages   int           `set:"top_pages" doc:"pages kept"`
	Limit   int64         `set:"limit" doc:"at most so many"`
	Cut     bool          `set:"cut" doc:"whether to cut"`
	Zone    string        `set:"zone" doc:"time zone"`
	Derived []int         // no setting
}

func defaults() config {
	return config{Gap: 30 * time.Minute, Pages: 10, Limit: 1 << 40, Zone: "UTC"}
}

func TestSettingsAreDescribedInOrderWithTheirDefaults(t *testing.T) {
	want := []settings.Setting{
		{Name: "sessions.gap", Type: "duration", Default: "30m", Doc: "a pause this long ends a session"},
		{Name: "top_pages", Type: "integer", Default: "10", Doc: "pages kept"},
		{Name: "limit", Type: "integer", Default: "1099511627776", Doc: "at most so many"},
		{Name: "cut", Type: "boolean", Default: "false", Doc: "whether to cut"},
		{Name: "zone", Type: "text", Default: "UTC", Doc: "time zone"},
	}
	c := defaults()
	for name, given := range map[string]any{"a struct": c, "a pointer": &c} {
		if diff := cmp.Diff(want, settings.Describe(given)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestValuesOfEachTypeAreSet(t *testing.T) {
	got := defaults()
	err := settings.Apply(&got, []settings.Value{
		{Name: "sessions.gap", Text: "1h30m"},
		{Name: "top_pages", Text: "-3"},
		{Name: "limit", Text: "9223372036854775807"},
		{Name: "cut", Text: "true"},
		{Name: "zone", Text: "Europe/Berlin = here"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := config{Gap: 90 * time.Minute, Pages: -3, Limit: 1<<63 - 1, Cut: true, Zone: "Europe/Berlin = here"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestWhatIsNotGivenKeepsItsDefaultAndTheLastValueWins(t *testing.T) {
	got := defaults()
	if err := settings.Apply(&got, []settings.Value{{Name: "top_pages", Text: "5"}, {Name: "top_pages", Text: "6"}, {Name: "zone", Text: ""}}); err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Pages, want.Zone = 6, ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestAllFaultsAreReportedTogetherWithWhereTheyAre(t *testing.T) {
	given := []settings.Value{
		{Name: "sessions.gap", Text: "30", Where: "--set"},
		{Name: "top_pages", Text: "ten", Where: "jobs.yaml:4"},
		{Name: "limit", Text: "9223372036854775808", Where: "jobs.yaml:5"},
		{Name: "cut", Text: "maybe", Where: "jobs.yaml:6"},
		{Name: "top_page", Text: "3", Where: "--set"},
		{Name: "zzzz", Text: "3", Where: "jobs.yaml:9"},
	}
	got := defaults()
	err := settings.Apply(&got, given)
	if err == nil {
		t.Fatal("accepted")
	}
	want := []string{
		`--set: setting sessions.gap: "30" is not a duration; write for example 30m or 90s`,
		`jobs.yaml:4: setting top_pages: "ten" is not an integer; write for example 10`,
		`jobs.yaml:5: setting limit: 9223372036854775808 is too large or too small`,
		`jobs.yaml:6: setting cut: "maybe" is not a boolean; write true or false`,
		`--set: unknown setting top_page, did you mean top_pages? (there are cut, limit, sessions.gap, top_pages, zone)`,
		`jobs.yaml:9: unknown setting zzzz (there are cut, limit, sessions.gap, top_pages, zone)`,
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(defaults(), got); diff != "" {
		t.Errorf("values that are wrong changed something (-want +got):\n%s", diff)
	}
}

func TestAFlagIsSplitAtItsFirstEqualsSign(t *testing.T) {
	for flag, want := range map[string]settings.Value{
		"a.b=c": {Name: "a.b", Text: "c", Where: "--set"},
		"a=b=c": {Name: "a", Text: "b=c", Where: "--set"},
		"a=":    {Name: "a", Where: "--set"},
		"a= b":  {Name: "a", Text: " b", Where: "--set"},
	} {
		if got, err := settings.Parse(flag); err != nil || got != want {
			t.Errorf("%q was read as %+v, %v", flag, got, err)
		}
	}
	for _, flag := range []string{"", "a", "=", "=b"} {
		if got, err := settings.Parse(flag); err == nil || !strings.Contains(err.Error(), "write NAME=VALUE") {
			t.Errorf("%q was read as %+v, %v", flag, got, err)
		}
	}
}

func TestDurationsAreWrittenShortAndReadBack(t *testing.T) {
	describe := func(d time.Duration) string {
		return settings.Describe(config{Gap: d})[0].Default
	}
	for d, want := range map[time.Duration]string{
		0: "0s", 30 * time.Minute: "30m", time.Hour: "1h", 24 * time.Hour: "24h", 90 * time.Minute: "1h30m", 90 * time.Second: "1m30s",
		time.Hour + 10*time.Second: "1h0m10s", 10 * time.Minute: "10m", 10 * time.Second: "10s", 1500 * time.Millisecond: "1.5s",
		-30 * time.Minute: "-30m", 100 * time.Hour: "100h",
	} {
		if got := describe(d); got != want {
			t.Errorf("%v is written %s, want %s", d, got, want)
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		unit := []time.Duration{1, time.Millisecond, time.Second, time.Minute, time.Hour}[rng.IntN(5)]
		d, c := time.Duration(rng.Int64N(1000))*unit, config{}
		if err := settings.Apply(&c, []settings.Value{{Name: "sessions.gap", Text: describe(d)}}); err != nil || c.Gap != d {
			t.Fatalf("%v was written %s and read as %v, %v", d, describe(d), c.Gap, err)
		}
	}
}

func TestAFieldOfAnotherTypeIsAMistakeOfTheProgram(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a list became a setting")
		}
	}()
	settings.Describe(struct {
		List []string `set:"list" doc:"d"`
	}{})
}

func TestASuggestionNamesEveryChoice(t *testing.T) {
	for typed, want := range map[string]string{
		"weblog": ", did you mean weblogs? (there are devices, weblogs)",
		"xyz":    " (there are devices, weblogs)",
	} {
		if got := settings.Suggest(typed, []string{"weblogs", "devices"}); got != want {
			t.Errorf("%s: %q, want %q", typed, got, want)
		}
	}
	if got := settings.Suggest("x", nil); got != "" {
		t.Errorf("with no choice: %q", got)
	}
}
