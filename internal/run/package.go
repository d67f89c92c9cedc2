package run

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"millrace/internal/operate"
	"millrace/io/endpoint"
	"millrace/runners/flink"
	"millrace/runners/flink/dist"
	"millrace/runners/flink/jobjar"
	"millrace/runners/flink/jobserver"
)

// Packaged is a job jar.
type Packaged struct {
	Path  string // absolute
	Name  string // of the job on Flink
	Run   string
	Bytes int64
	Boot  string // where each TaskManager must have Beam's boot program; empty when it needs none
}

// Package writes the job as a jar for `flink run`, with the program of the workers
// inside. Nothing runs, and the stream is only asked for its shards: the positions
// to begin at are in the jar. Whoever submits it twice has two jobs that write the
// same rows.
func Package(ctx context.Context, o Options, configDir, out string, w Watcher) (Packaged, error) {
	if o.Runner == "" {
		o.Runner = "flink"
	}
	if o.Runner != "flink" {
		return Packaged{}, usage("a job jar is for Flink: leave --runner %s out", o.Runner)
	}
	if out == "" {
		return Packaged{}, usage("--out is missing: name the jar to write, for example --out job.jar")
	}
	if flink.Environment(o.Flink.Environment) == flink.Loopback {
		return Packaged{}, usage("--environment loopback: the workers of a job jar run where Flink does: process or external")
	}
	if !endpoint.IsStream(o.Source) {
		return Packaged{}, usage("--source %s: only jobs over streams are packaged; a backfill is run with millrace run, which commits its days at the end", o.Source)
	}
	path, err := filepath.Abs(out)
	if err != nil {
		return Packaged{}, err
	}
	p, err := makeLive(ctx, o, configDir)
	if err != nil {
		return Packaged{}, err
	}
	for _, n := range p.Notes {
		w.Say("%s", n)
	}
	if err := p.noteKeys(ctx); err != nil {
		return Packaged{}, err
	}
	if err := p.noteBegun(ctx); err != nil {
		return Packaged{}, err
	}
	boot, err := p.writeJar(ctx, path, w)
	if err != nil {
		return Packaged{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return Packaged{}, fmt.Errorf("packaging the job: the job server wrote no jar: %w", err)
	}
	return Packaged{Path: path, Name: p.name(), Run: p.Run, Bytes: info.Size(), Boot: boot}, p.submission(p.name(), cmp.Or(o.Flink.Master, operate.DefaultMaster(""))).Save(ctx)
}

// writeJar has a job server of its own write the jar: one that has a master would
// bind the jar to it. The jar appears whole or not at all.
func (p *livePlan) writeJar(ctx context.Context, path string, w Watcher) (boot string, err error) {
	f := p.req.Flink
	extra, err := f.extra()
	if err != nil {
		return "", &UsageError{err}
	}
	home, err := dist.Find(f.Home)
	if err != nil {
		return "", &UsageError{err}
	}
	whole, partial := path+".whole", path+".partial"
	defer os.Remove(whole)
	defer os.Remove(partial)
	o := flink.Options{
		Name: p.name(), Parallelism: p.req.parallelism(), Streaming: true, Savepoint: f.Savepoint,
		Environment: flink.Environment(cmp.Or(f.Environment, string(flink.Process))), Pool: f.Pool, Worker: f.Worker, Extra: extra, Prompt: p.prompt(), JobJar: whole,
	}
	if o.Environment == flink.Process {
		o.Boot = cmp.Or(f.Boot, home.Boot)
	}
	stop, err := startJobServer(ctx, home, jobserver.Auto, "", &o)
	if err != nil {
		return "", err
	}
	defer stop()
	w.Say("writing %s", path)
	job, err := flink.Submit(ctx, p.build(), o)
	if err != nil {
		return "", err
	}
	defer job.Close()
	if err := job.Wait(ctx, func(string) {}); err != nil {
		return "", fmt.Errorf("packaging the job: %w", err)
	}
	if err := jobjar.Trim(ctx, whole, partial, home.DistJars()...); err != nil {
		return "", fmt.Errorf("packaging the job: %w", err)
	}
	if err := os.Rename(partial, path); err != nil {
		return "", fmt.Errorf("packaging the job: %w", err)
	}
	return o.Boot, nil
}
