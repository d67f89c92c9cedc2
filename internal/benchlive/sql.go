package main

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// counts is the program of the comparison. Flink's Kinesis connector is not in
// every Maven mirror, so it reads the same lines from files: less work than ours.
//
//go:embed Counts.java
var counts []byte

// compileSQL returns the class path of the program.
func (b *bencher) compileSQL(ctx context.Context) (string, error) {
	dir := b.path("input", "sql")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	source := filepath.Join(dir, "Counts.java")
	if err := os.WriteFile(source, counts, 0o644); err != nil {
		return "", err
	}
	p, err := b.place().Start(ctx, "javac", nil, "javac", "-cp", b.servers.flink.ClassPath(), "-d", dir, source)
	if err != nil {
		return "", err
	}
	return dir + string(os.PathListSeparator) + b.servers.flink.ClassPath(), p.Wait()
}

// runSQL runs it over files; they are all in one folder.
func (b *bencher) runSQL(ctx context.Context, classPath string, files []string) (t throughput, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lakeTimeout, fmt.Errorf("the job of Flink SQL did not end within %v", lakeTimeout))
	defer cancel()
	// Flink reads a whole folder; the program lies beside the lines.
	folder := b.path("input", "lines")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return t, err
	}
	for _, f := range files {
		link := filepath.Join(folder, filepath.Base(f))
		if err := os.Link(f, link); err != nil && !os.IsExist(err) {
			return t, err
		}
	}
	host, port, err := net.SplitHostPort(b.servers.cluster.Master())
	if err != nil {
		return t, err
	}
	s, err := b.sampler()
	if err != nil {
		return t, err
	}
	b.step("Flink SQL")
	p, err := b.place().Start(ctx, "sql", nil, "java", "--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.util=ALL-UNNAMED",
		"-cp", classPath, "Counts", host, port, fmt.Sprint(parallelism), "file://"+folder)
	if err != nil {
		return t, err
	}
	if err := s.watch(ctx, p, 250*time.Millisecond, nil); err != nil {
		return t, err
	}
	jobs, err := b.servers.cluster.Client().Jobs(ctx)
	if err != nil {
		return t, err
	}
	var newest time.Time
	for _, j := range jobs {
		if j.Name == "flink-sql" && j.Started.After(newest) {
			newest, t.seconds = j.Started, j.Ended.Sub(j.Started).Seconds()
		}
	}
	t.manager = s.samples[len(s.samples)-1].manager.cpu.Seconds()
	b.step("Flink SQL: %.1f s, %.1f CPU s", t.seconds, t.manager)
	return t, nil
}
