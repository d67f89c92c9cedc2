package live

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/generate"
	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/io/kinesisio"
)

func TestAStreamHoldsTheFarmsLines(t *testing.T) {
	server := testenv.Kinesis(t)
	for name, o := range map[string]Options{
		"aggregated": {Farm: generate.WeblogConfig{Rate: 500, Lines: 1500, Seed: 3, Shuffle: time.Second, Disorder: -1}},
		"plain":      {Farm: generate.WeblogConfig{Rate: 300, Lines: 600, Servers: 3, Disorder: -1}, Plain: true},
		"from a day": {Farm: generate.WeblogConfig{Rate: 500, Lines: 1000, Start: time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)}, Speed: 20},
	} {
		t.Run(name, func(t *testing.T) {
			stream := "farm-" + name[:4]
			server.CreateStream(t, stream, 4)
			o.Stream, o.TruthDir = "kinesis://"+stream, t.TempDir()
			sum, err := Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if sum.Acknowledged != o.Farm.Lines || !sum.Truth || sum.Interrupted {
				t.Errorf("summary %+v", sum)
			}
			got := readStream(t, o.Stream)
			checkTruth(t, o.TruthDir, got)
			if d := cmp.Diff(farmLines(t, o), got); d != "" {
				t.Errorf("(-made +read):\n%s", d)
			}
			if packed := sum.Records < sum.Acknowledged/2; packed == o.Plain {
				t.Errorf("%d lines in %d records", sum.Acknowledged, sum.Records)
			}
		})
	}
}

func TestAnInterruptedFarmLeavesAWholeStream(t *testing.T) {
	server := testenv.Kinesis(t)
	server.CreateStream(t, "farm", 2)
	ctx, cancel := context.WithCancel(t.Context())
	o := Options{Farm: generate.WeblogConfig{Rate: 200}, Stream: "kinesis://farm", TruthDir: t.TempDir()}
	o.Watch = func(status func() Status) {
		go func() {
			for status().Acknowledged < 300 && ctx.Err() == nil {
				time.Sleep(10 * time.Millisecond)
			}
			cancel()
		}()
	}
	sum, err := Run(ctx, o)
	if err != nil || !sum.Interrupted || !sum.Truth || sum.Acknowledged != sum.Accepted {
		t.Fatalf("summary %+v, error %v", sum, err)
	}
	got := readStream(t, o.Stream)
	if int64(len(got)) != sum.Acknowledged {
		t.Errorf("%d lines are read, %d were acknowledged", len(got), sum.Acknowledged)
	}
	checkTruth(t, o.TruthDir, got)
}

func TestAStreamThatIsNotThereIsNamed(t *testing.T) {
	testenv.Kinesis(t)
	_, err := Run(t.Context(), Options{Stream: "kinesis://nowhere", TruthDir: filepath.Join(t.TempDir(), "truth")})
	if !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("the error is %v", err)
	}
}

// readStream gives all lines of a stream, sorted.
func readStream(t *testing.T, url string) (lines []string) {
	t.Helper()
	s, err := kinesisio.OpenStream(t.Context(), url+"?until=tip", driver.StreamOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cursors, err := s.Begin(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Read(t.Context(), cursors[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for !r.Done() {
		b, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			continue
		}
		from := 0
		for _, end := range b.Ends {
			lines = append(lines, string(b.Data[from:end]))
			from = end
		}
	}
	slices.Sort(lines)
	return lines
}

// farmLines makes the lines of a run again, from the start that its truth tells.
func farmLines(t *testing.T, o Options) (lines []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(o.TruthDir, generate.TruthFile))
	if err != nil {
		t.Fatal(err)
	}
	var truth generate.Truth
	if err := json.Unmarshal(b, &truth); err != nil {
		t.Fatal(err)
	}
	cfg := o.WithDefaults().farm()
	cfg.Start = truth.Config.Start
	farm, err := generate.Weblog(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for line := range farm.Lines() {
		lines = append(lines, string(line.Text))
	}
	slices.Sort(lines)
	return lines
}
