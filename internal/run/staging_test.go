package run

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

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
