package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/io/lakeio"
)

// staged plans where a run would stage.
func staged(t *testing.T, o Options) (p *Plan, err error) {
	t.Helper()
	p = &Plan{Run: "r1", Lake: o.Lake, req: request{Options: o}}
	if p.store, err = lakeio.OpenStore(t.Context(), o.Lake); err != nil {
		t.Fatal(err)
	}
	return p, p.openStaging(t.Context())
}

func TestWhereARunStages(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("AWS_REGION", "eu-west-1")
	dir := t.TempDir()
	for name, c := range map[string]struct {
		options Options
		want    string // * is a step of twelve characters
		folder  bool   // what shuffles would hold in memory goes to the cache folder
	}{
		"a lake in a folder":            {Options{Lake: "out"}, "out/_staging/r1", false},
		"and on Flink":                  {Options{Lake: "/out", Runner: "flink"}, "/out/_staging/r1", false},
		"a lake on S3 from here":        {Options{Lake: "s3://b/x?region=a"}, cache + "/millrace/staging/s3___b_x_region=a/_staging/r1", false},
		"and on Flink, with parameters": {Options{Lake: "s3://b/x/?region=a", Runner: "flink"}, "s3://b/x/_staging/r1?region=a", false},
		"a bucket":                      {Options{Lake: "s3://b", Runner: "flink"}, "s3://b/_staging/r1", false},
		"a place of its own":            {Options{Lake: "s3://b/x", Runner: "flink", Staging: "s3://c?region=b"}, "s3://c/_staging/*/r1?region=b", false},
		"a folder":                      {Options{Lake: "s3://b/x", Runner: "flink", Staging: dir}, dir + "/_staging/*/r1", false},
		"a folder by its URL":           {Options{Lake: "out", Staging: "file://" + dir}, dir + "/_staging/*/r1", false},
		"S3 from here":                  {Options{Lake: "s3://b/x", Staging: "s3://c/y"}, "s3://c/y/_staging/*/r1", true},
		"the lake, named":               {Options{Lake: "s3://b/x", Staging: "s3://b/x/"}, "s3://b/x/_staging/r1", true},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := staged(t, c.options)
			if err != nil {
				t.Fatal(err)
			}
			got, want := p.staging.Location(), c.want
			if i := strings.Index(want, "*"); i >= 0 && len(got) > i+12 {
				want = want[:i] + got[i:i+12] + want[i+1:]
			}
			if got != want {
				t.Errorf("it stages in %s, not in %s", got, want)
			}
			if inCache := strings.HasPrefix(p.spill.Location(), filepath.Join(cache, "millrace")+"/"); c.folder && !inCache {
				t.Errorf("shuffles go to %s", p.spill.Location())
			}
		})
	}
	one, errOne := staged(t, Options{Lake: "s3://b/x", Staging: "s3://c"})
	other, errOther := staged(t, Options{Lake: "s3://b/y", Staging: "s3://c"})
	if errOne != nil || errOther != nil || one.staging.folder == other.staging.folder {
		t.Errorf("two lakes stage in %s and %s; %v, %v", one.staging.folder, other.staging.folder, errOne, errOther)
	}
}

// TestWhatARunThatFailedLeaves: finished days after an interruption, and everything
// when the lake is another's.
func TestWhatARunThatFailedLeaves(t *testing.T) {
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		err      error
		finished bool
		want     []string
	}{
		"an error":            {failed, true, nil},
		"an interruption":     {context.Canceled, true, []string{"done/x.json"}},
		"with nothing to use": {context.Canceled, false, nil},
		"a lost lease":        {fmt.Errorf("writing: %w", driver.ErrLeaseLost), true, []string{"done/x.json", "runs/x.run"}},
	} {
		lake := t.TempDir()
		p, err := staged(t, Options{Lake: lake})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.clearStaging(t.Context()); err != nil {
			t.Fatal(err)
		}
		at := p.staging.Location()
		write := func(name string) {
			if err := os.WriteFile(filepath.Join(at, name), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if write("runs/x.run"); c.finished {
			write("done/x.json")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p.clearAfter(ctx, c.err)
		var left []string
		for _, folder := range []string{"done", "files", "runs"} {
			entries, _ := os.ReadDir(filepath.Join(at, folder)) // none is none
			for _, e := range entries {
				left = append(left, folder+"/"+e.Name())
			}
		}
		if diff := cmp.Diff(c.want, left); diff != "" {
			t.Errorf("%s leaves (-want +got):\n%s", name, diff)
		}
		if _, err := os.Stat(filepath.Join(lake, "_staging")); c.want == nil && err == nil {
			t.Errorf("%s leaves the folder of staging areas", name)
		}
	}
}

func TestAPlaceThatIsNoneIsAMistakeOfItsFlag(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-1")
	for place, want := range map[string]string{
		"gs://bucket/x":      "--staging: read the place gs://bucket/x: the scheme gs is unknown here; use a path, file:// or s3://",
		"s3://":              "the bucket is missing; write s3://bucket/prefix",
		"s3://b/x?speed=9":   "speed",
		"file://relative/x":  "write three slashes",
		"s3://key:word@b/x":  "credential",
		"file:/data/staging": "file:///data/staging",
	} {
		_, err := staged(t, Options{Lake: "out", Staging: place})
		if usage := new(UsageError); err == nil || !errors.As(err, &usage) || !strings.HasPrefix(err.Error(), "--staging: ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "word@") {
			t.Errorf("%s: %v", place, err)
		}
	}
}
