package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"millrace/transforms/normalise"
)

//go:embed duckdb_shop.py
var shopScript string

//go:embed shop_answers.py
var shopAnswers string

//go:embed shop_funnels.yaml
var shopFunnels []byte

//go:embed duckdb_devices.py
var deviceScript string

//go:embed duckdb_devices_few.py
var deviceFewScript string

//go:embed devices_answers.py
var deviceAnswers string

// askJobs compares the parts of the other jobs that a query can say: from the same JSON
// lines, sessions, a funnel and products of a shop, and the minutes of devices' series. Each
// program writes its answer as Parquet; what the answers say is compared, outside of what is
// measured. One query of DuckDB makes the same rows with all of their columns, the other
// the least that can be called by their names. The scores of devices, which no query gives, are
// measured alone.
func (b *bencher) askJobs(ctx context.Context) error {
	shop, err := b.generated(ctx, "shop", "clickstream", "events.ndjson", "--events", fmt.Sprint(b.lines*1055/1000), "--days", "1", "--duplicates", "0.01")
	if err != nil {
		return err
	}
	ward, err := b.generated(ctx, "ward", "device", "readings.ndjson", "--hours", "24", "--patients", fmt.Sprint(max(1, b.lines/10_000)), "--machines", fmt.Sprint(max(1, b.lines*15/1_000_000)))
	if err != nil {
		return err
	}
	funnels, codes := filepath.Join(b.dir, "shop_funnels.yaml"), filepath.Join(b.dir, "codes.csv")
	if err := os.WriteFile(funnels, shopFunnels, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(codes, []byte(normalise.DefaultCSV()), 0o600); err != nil {
		return err
	}
	clicks := []string{"run", "clickstream", "--source", "file://" + shop, "--funnels", funnels}
	series := []string{"run", "devices", "--source", "file://" + ward}
	for _, q := range []question{
		{"Sessions, a funnel and products of a shop", []program{
			{"millrace run clickstream", b.runJob("lake", shopAnswers, append(clicks, "--only", "sessions,funnel_steps,products")...)},
			{"DuckDB, the same rows", b.peerOf(shopScript, shopAnswers, shop)},
			{"DuckDB, few columns", b.peerOf(shopScript, shopAnswers, shop, "few")},
		}},
		{"The whole clickstream job", []program{{"millrace run clickstream", b.runJob("lake", "", clicks...)}}},
		{"Minutes of devices", []program{
			{"millrace run devices", b.runJob("lake", deviceAnswers, append(series, "--only", "rollups")...)},
			{"DuckDB, the same rows", b.peerOf(deviceScript, deviceAnswers, ward, codes)},
			{"DuckDB, few columns", b.peerOf(deviceFewScript, deviceAnswers, ward, codes)},
		}},
		{"Scores of devices", []program{{"millrace run devices", b.runJob("lake", "", append(series, "--only", "rollups,anomalies", "--set", "anomalies=true")...)}}},
		{"The whole devices job", []program{{"millrace run devices", b.runJob("lake", "", series...)}}},
	} {
		if b.peer == "none" {
			q.programs = q.programs[:1]
		}
		if err := b.ask(ctx, &q); err != nil {
			return err
		}
	}
	return nil
}

// generated makes an input, or finds it from an earlier call.
func (b *bencher) generated(ctx context.Context, name, kind, file string, more ...string) (string, error) {
	dir := filepath.Join(b.dir, fmt.Sprintf("%s-%d", name, b.lines))
	path := filepath.Join(dir, file)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	fmt.Fprintf(b.log, "generating %s\n", path)
	unfinished := dir + ".tmp"
	if err := os.RemoveAll(unfinished); err != nil {
		return "", err
	}
	if _, err := b.command(ctx, b.binary, append([]string{"generate", kind, "--out", unfinished}, more...)...).measure(); err != nil {
		return "", err
	}
	return path, os.Rename(unfinished, dir)
}

// runJob runs one into a fresh lake; answers is a script that says what is in it, if any.
func (b *bencher) runJob(name, answers string, args ...string) func(context.Context) (usage, error) {
	return func(ctx context.Context) (usage, error) {
		lake, err := b.fresh(name)
		if err != nil {
			return usage{}, err
		}
		defer os.RemoveAll(lake)
		u, err := b.command(ctx, b.binary, append(args[:len(args):len(args)], "--lake", lake, "--raw", "off", "--quiet", "--no-report")...).measure()
		return b.answered(ctx, u, err, answers, "lake", lake)
	}
}

func (b *bencher) peerOf(script, answers string, args ...string) func(context.Context) (usage, error) {
	return func(ctx context.Context) (usage, error) {
		out, err := b.fresh("peer")
		if err != nil {
			return usage{}, err
		}
		defer os.RemoveAll(out)
		u, err := b.command(ctx, b.python, append(append([]string{"-c", script}, args...), out)...).measure()
		return b.answered(ctx, u, err, answers, "peer", out)
	}
}

// answered gives the usage of a program what its answer says.
func (b *bencher) answered(ctx context.Context, u usage, err error, script, who, folder string) (usage, error) {
	if u.out = nil; err != nil || script == "" || b.python == "" {
		return u, err
	}
	said, err := b.command(ctx, b.python, "-c", script, who, folder).measure()
	u.out = said.out
	return u, err
}
