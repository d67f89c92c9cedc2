package generate_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/generate"
	"millrace/schemas/badrow"
	"millrace/transforms/clickevents"
)

func openLines(cfg generate.ClickConfig, rate float64, limit int64) ([]generate.Line, *generate.OpenShop) {
	o := generate.NewOpenShop(cfg, rate, limit)
	var lines []generate.Line
	for line := range o.Lines() {
		line.Text = []byte(string(line.Text))
		lines = append(lines, line)
	}
	return lines, o
}

var openConfig = generate.ClickConfig{Seed: 4, Duplicates: 0.02, Malformed: 0.01, Canaries: 20, Start: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}

func TestAnOpenShopKeepsItsRateFromTheFirstSecond(t *testing.T) {
	const rate, seconds = 50, 600
	lines, _ := openLines(openConfig, rate, rate*seconds)
	again, _ := openLines(openConfig, rate, rate*seconds)
	for i := range again {
		if again[i].At != lines[i].At || !bytes.Equal(again[i].Text, lines[i].Text) {
			t.Fatalf("another run of one seed gives another line %d", i)
		}
	}
	start := openConfig.Start.Unix()
	perMinute := map[int64]int{}
	last := start
	for _, line := range lines {
		if line.At < last {
			t.Fatalf("a line of %d comes after one of %d", line.At, last)
		}
		last = line.At
		perMinute[(line.At-start)/60]++
	}
	for minute, n := range perMinute {
		if minute < seconds/60 && n < 60*rate*9/10 || n > 60*rate*11/10 {
			t.Errorf("%d lines in minute %d, want about %d", n, minute, 60*rate)
		}
	}
}

func TestTheTruthOfAnOpenShopIsThatOfTheLinesGiven(t *testing.T) {
	lines, o := openLines(openConfig, 20, 12_345)
	truth := o.Truth()
	got := generate.ClickTruth{Lines: int64(len(lines)), Bad: map[string]int64{}, Names: map[string]int64{}, Gross: truth.Gross, Refunded: truth.Refunded, Items: truth.Items, Family: truth.Family}
	d := clickevents.NewDecoder(clickevents.Options{})
	seen := map[string]bool{}
	var all strings.Builder
	for _, line := range lines {
		all.Write(line.Text)
		var e clickevents.Event
		if _, reason := d.Decode(line.Text, &e); reason != badrow.None {
			got.Bad[string(reason)]++
			continue
		}
		if e.Received/1000 != line.At {
			t.Fatalf("it comes at %d: %s", line.At, line.Text)
		}
		if seen[e.EventID] {
			got.Duplicates++
			continue
		}
		seen[e.EventID] = true
		got.Events++
		got.Names[string(e.Name)]++
	}
	if diff := cmp.Diff(truth, got); diff != "" {
		t.Errorf("(-truth +lines):\n%s", diff)
	}
	for _, name := range []string{"purchase", "refund", "search", "add_to_cart"} {
		if truth.Names[name] == 0 {
			t.Errorf("there is no %s", name)
		}
	}
	dir := t.TempDir()
	if err := o.WriteTruth(dir); err != nil {
		t.Fatal(err)
	}
}

func TestAnOpenShopStops(t *testing.T) {
	o := generate.NewOpenShop(openConfig, 20, 0)
	n := 0
	for range o.Lines() {
		if n++; n == 100 {
			o.Stop()
		}
	}
	if n != 100 || o.Truth().Lines != 100 {
		t.Errorf("%d lines came after it was stopped at 100, of which the truth counts %d", n, o.Truth().Lines)
	}
}
