package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// stage is a part of the work, told by the functions on the stack. A sample
// counts for the first stage that matches.
type stage struct{ name, functions string }

var stageList = []stage{
	{"garbage collection", `^runtime\.(gcBgMarkWorker|bgsweep|bgscavenge|gcAssistAlloc|gcStart|gcMarkDone)`},
	{"report", `millrace/internal/report\.`},
	{"masking", `millrace/transforms/mask\.`},
	{"decoding", `millrace/transforms/decode\.`},
	{"sessions", `millrace/transforms/sessions\.|sessionsFn`},
	{"rollups", `millrace/transforms/(rollup|sketch)\.|rollupsFn|\(\*rollups\)`},
	{"building rows", `accesslog\.\(\*Worker\)\.put`},
	{"looking visitors, pages and agents up", `millrace/transforms/accesslog\.`},
	{"sorting and spilling", `lakeio\.\(\*Spiller\)`},
	{"Parquet", `lakeio\.fillRowGroup|parquet-go`},
	{"merging", `lakeio\.(MergeRuns|mergeRuns)|lakeio\.\(\*cursor`},
	{"reading", `lakeio\.\(\*(reader|lineCutter|windows)|endpoint\.\(\*readFn\)|internal/run\.Make`},
	{"runner", `apache/beam|grpc`},
	{"everything else", `.`},
}

// stages prints the shares of CPU time by stage.
func (b *bencher) stages(ctx context.Context) error {
	log, err := b.input(ctx)
	if err != nil {
		return err
	}
	lake, err := b.fresh("lake")
	if err != nil {
		return err
	}
	defer os.RemoveAll(lake)
	profile := filepath.Join(b.dir, "cpu.prof")
	if _, err := b.weblogs(ctx, log, lake, "--cpuprofile", profile); err != nil {
		return err
	}
	fmt.Fprint(b.out, "## Where the time goes\n\nShares of the CPU time of one run, from its profile.\n\n| stage | CPU s | share |\n|---|---:|---:|\n")
	earlier := "^$"
	for _, s := range stageList {
		seconds, total, err := b.samples(ctx, profile, s.functions, earlier)
		if err != nil {
			return err
		}
		fmt.Fprintf(b.out, "| %s | %.2f | %.0f %% |\n", s.name, seconds, 100*seconds/total)
		earlier += "|" + s.functions
	}
	fmt.Fprintln(b.out)
	return nil
}

// accounting is the line in which pprof says how much it shows.
var accounting = regexp.MustCompile(`Showing nodes accounting for ([\d.]+)s?, .* of ([\d.]+)s total`)

// samples sums the samples whose stack has a function that matches focus and none
// that matches ignore.
func (b *bencher) samples(ctx context.Context, profile, focus, ignore string) (seconds, total float64, err error) {
	u, err := b.command(ctx, "go", "tool", "pprof", "-top", "-unit=s", "-nodecount=1000000", "-nodefraction=0", "-focus="+focus, "-ignore="+ignore, b.binary, profile).measure()
	if err != nil {
		if strings.Contains(err.Error(), "no matches") {
			return 0, 1, nil
		}
		return 0, 0, err
	}
	found := accounting.FindSubmatch(u.out)
	if found == nil {
		return 0, 1, nil // nothing matches
	}
	seconds, _ = strconv.ParseFloat(string(found[1]), 64) // the pattern lets numbers pass only
	total, _ = strconv.ParseFloat(string(found[2]), 64)
	return seconds, total, nil
}
