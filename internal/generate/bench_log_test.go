package generate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestBenchLogKeepsItsShape(t *testing.T) {
	const n = 200_000
	var b bytes.Buffer
	if err := BenchLog(&b, n, 1, 0, time.Time{}); err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256(b.Bytes())
	if got, want := hex.EncodeToString(h[:8]), "42dd747d91d597f1"; got != want {
		t.Errorf("the benchmark log changed: sum %s, want %s; figures made before do not compare", got, want)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != n {
		t.Fatalf("%d lines", len(lines))
	}
	var bad, notFound, failed int
	var first, last time.Time
	visitors := map[string]bool{}
	for _, line := range lines {
		p, ok := parse(line)
		if !ok {
			bad++
			continue
		}
		switch {
		case p.status == 404:
			notFound++
		case p.status >= 500:
			failed++
		}
		if first.IsZero() {
			first = p.at
		}
		if late := last.Sub(p.at); late > 3*time.Second {
			t.Fatalf("a line is %s out of order", late)
		}
		last = p.at
		visitors[p.client] = true
	}
	within := func(what string, got, low, high float64) {
		if got < low || got > high {
			t.Errorf("%s: %g, not from %g to %g", what, got, low, high)
		}
	}
	within("bytes a line", float64(b.Len())/n, 185, 205)
	within("malformed", float64(bad), 150, 260)
	within("404 per mille", float64(notFound)*1000/n, 40, 44)
	within("5xx per mille", float64(failed)*1000/n, 7, 9)
	within("seconds", last.Sub(first).Seconds(), 395, 405)
	within("visitors", float64(len(visitors)), 10_000, benchVisitors)
}

func TestBenchLogSpreadsOverDays(t *testing.T) {
	var b bytes.Buffer
	if err := BenchLog(&b, 50_000, 1, BenchDays(50_000, 10), time.Time{}); err != nil {
		t.Fatal(err)
	}
	days := map[string]int{}
	for line := range strings.SplitSeq(b.String(), "\n") {
		if p, ok := parse(line); ok {
			days[p.at.Format(time.DateOnly)]++
		}
	}
	if len(days) < 10 || len(days) > 11 || days["2025-08-20"] < 4700 || days["2025-08-20"] > 5300 {
		t.Errorf("50,000 lines over ten days lie so: %v", days)
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestBenchLogReportsAWriterThatFails(t *testing.T) {
	if err := BenchLog(brokenWriter{}, 10, 1, 0, time.Time{}); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}
