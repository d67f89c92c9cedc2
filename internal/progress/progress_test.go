package progress

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestShareGrowsThroughReadingWritingAndClosing(t *testing.T) {
	last := -1.0
	for _, step := range []struct {
		now   Snapshot
		phase string
	}{
		{Snapshot{Total: 100}, "read"},
		{Snapshot{Total: 100, Bytes: 50, Lines: 5}, "read"},
		{Snapshot{Total: 100, Bytes: 100, Lines: 10, Spilled: 20}, "read"},
		{Snapshot{Total: 100, Bytes: 100, Lines: 10, Spilled: 20, Merged: 5}, "write"},
		{Snapshot{Total: 100, Bytes: 100, Lines: 10, Spilled: 20, Merged: 19}, "write"},
		{Snapshot{Total: 100, Bytes: 100, Lines: 10, Spilled: 20, Merged: 20, Closing: true}, "close"},
	} {
		s := stateOf(step.now, time.Second)
		if s.Phase != step.phase || s.Share <= last || s.Share >= 1 {
			t.Errorf("%+v: phase %s, share %v after %v", step.now, s.Phase, s.Share, last)
		}
		last = s.Share
	}
}

func TestNumbersThatCannotBeKeepTheShareInBounds(t *testing.T) {
	for _, now := range []Snapshot{
		{},
		{Bytes: 10},
		{Total: 10, Bytes: 1000},
		{Total: 10, Bytes: 10, Merged: 5},
		{Total: 10, Bytes: 10, Spilled: 5, Merged: 50},
	} {
		if s := stateOf(now, 0); s.Share < 0 || s.Share >= 1 || s.LinesPerSecond != 0 {
			t.Errorf("%+v gives %+v", now, s)
		}
	}
}

func TestRestIsEstimatedFromWhatIsDone(t *testing.T) {
	half := stateOf(Snapshot{Total: 140, Bytes: 100, Lines: 1}, 10*time.Second) // 0.7 * 100/140 = half of the run
	if half.ETASeconds < 9.9 || half.ETASeconds > 10.1 {
		t.Errorf("half way after 10 s, %v s are left", half.ETASeconds)
	}
	if s := stateOf(Snapshot{Total: 1000, Bytes: 1}, time.Second); s.ETASeconds >= 0 {
		t.Errorf("a thousandth tells nothing yet, but %v s are left", s.ETASeconds)
	}
	waits := stateOf(Snapshot{Total: 140, Bytes: 100, Waiting: "the sink of traffic: connection refused", Waited: 24 * time.Second}, 10*time.Second)
	if text := waits.text(); waits.ETASeconds >= 0 || !strings.HasSuffix(text, "waiting 24s for the sink of traffic: connection refused") {
		t.Errorf("a run that waits says %q", text)
	}
	if s := stateOf(Snapshot{Bytes: 1, Lines: 9}, time.Second); s.ETASeconds >= 0 {
		t.Errorf("of an unknown whole %v s are left", s.ETASeconds)
	}
}

func TestTextForPeople(t *testing.T) {
	for want, s := range map[string]State{
		" 35%  reading  1,036,800 lines  518,400 lines/s  about 4s left": stateOf(Snapshot{Total: 2, Bytes: 1, Lines: 1_036_800}, 2*time.Second),
		"  0%  reading  0 lines  0 lines/s":                              stateOf(Snapshot{Total: 2}, time.Second),
		" 84%  writing  10 lines read  about 1s left":                    stateOf(Snapshot{Total: 2, Bytes: 2, Lines: 10, Spilled: 2, Merged: 1}, time.Second),
		" 99%  finishing  10 lines read":                                 stateOf(Snapshot{Total: 2, Bytes: 2, Lines: 10, Closing: true}, time.Second),
	} {
		if got := s.plain(); got != want {
			t.Errorf("\ngot  %q\nwant %q", got, want)
		}
	}
	if got, want := stateOf(Snapshot{Total: 70, Bytes: 50}, 0).bar(), "[============            ]  50%  "; !strings.HasPrefix(got, want) {
		t.Errorf("bar is %q", got)
	}
}

// a reporter whose clock stands still ten seconds after the start
func reporter(w *strings.Builder, form string, mute bool) *Reporter {
	r := newReporter(w, form, mute)
	r.started = time.Unix(0, 0)
	r.now = func() time.Time { return time.Unix(10, 0) }
	return r
}

func TestANoteClearsTheBar(t *testing.T) {
	var out strings.Builder
	r := reporter(&out, "bar", false)
	r.show(Snapshot{Total: 2, Bytes: 1, Lines: 7})
	r.Say("a %s", "note")
	r.Say("more")
	want := "\r\x1b[K[========                ]  35%  reading  7 lines  0 lines/s  about 19s left\r\x1b[Ka note\nmore\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestEveryLineOfTheJSONFormIsAnObject(t *testing.T) {
	var out strings.Builder
	r := reporter(&out, "json", false)
	r.Say("empty: %s", `"x"`)
	r.show(Snapshot{Total: 2, Bytes: 2, Lines: 7, Spilled: 4, Merged: 2})
	var got []State
	for line := range strings.Lines(out.String()) {
		var s State
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, s)
	}
	share := 0.7 + 0.29/2
	want := []State{
		{Phase: "note", Message: `empty: "x"`, ETASeconds: -1},
		{Phase: "write", Lines: 7, LinesPerSecond: 0.7, Share: share, Seconds: 10, ETASeconds: 10 * (1 - share) / share},
	}
	approx := cmp.Comparer(func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 })
	if diff := cmp.Diff(want, got, approx); diff != "" {
		t.Error(diff)
	}
}

func TestQuietSaysNothingAndNoneOnlyNotes(t *testing.T) {
	var out strings.Builder
	for _, mute := range []bool{true, false} {
		r := reporter(&out, "none", mute)
		r.Start(func() Snapshot { t.Error("a snapshot was taken"); return Snapshot{} })
		r.Say("note, mute %v", mute)
		r.Done()
	}
	if got := out.String(); got != "note, mute false\n" {
		t.Errorf("said %q", got)
	}
}

func TestFormIsChosenByWhatIsWrittenTo(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := New(f, "auto", false)
	if err != nil || r.form != "plain" {
		t.Errorf("in a file auto is %+v, %v", r, err)
	}
	if r, err = New(f, "bar", true); err != nil || r.form != "none" || !r.mute {
		t.Errorf("quiet is %+v, %v", r, err)
	}
	if _, err = New(f, "fancy", false); err == nil || !strings.Contains(err.Error(), "auto, bar, plain, json, none") {
		t.Errorf("an unknown form gives %v", err)
	}
}

func TestDoneEndsTheReports(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := New(f, "bar", false)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan struct{}, 1)
	r.Start(func() Snapshot {
		select {
		case seen <- struct{}{}:
		default:
		}
		return Snapshot{Total: 2, Bytes: 1}
	})
	<-seen
	r.Done()
	r.Done()
	b, err := os.ReadFile(f.Name())
	if err != nil || !strings.HasSuffix(string(b), "left"+clearLine) && !strings.HasSuffix(string(b), "lines/s"+clearLine) {
		t.Errorf("wrote %q, %v", b, err)
	}
}

func TestNumbersForPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 12: "12", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1: "-1", -999: "-999", -1000: "-1,000"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %s", n, got)
		}
	}
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.00 KiB", 10 << 10: "10.0 KiB", 77627: "75.8 KiB", 1 << 20: "1.00 MiB", 1<<20 - 1: "1.00 MiB",
		395 << 20: "395 MiB", 20 << 30: "20.0 GiB", 1 << 62: "4.00 EiB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %s, want %s", n, got, want)
		}
	}
	if got := Of(1, "file") + ", " + Of(2000, "day"); got != "1 file, 2,000 days" {
		t.Error(got)
	}
}
