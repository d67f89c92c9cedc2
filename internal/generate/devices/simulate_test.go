package devices_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/generate/devices"
	"millrace/schemas/badrow"
	"millrace/transforms/device"
	"millrace/transforms/normalise"
)

func simulate(t *testing.T, c devices.Config) (lines [][]byte, truth devices.Truth) {
	t.Helper()
	truth, err := devices.Simulate(c, func(line []byte) error { lines = append(lines, bytes.Clone(line)); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return lines, truth
}

func TestOneSeedGivesTheSameLines(t *testing.T) {
	c := devices.Config{Seed: rand.Uint64(), Canaries: true, Length: 2 * time.Hour}
	first, truth := simulate(t, c)
	second, again := simulate(t, c)
	if diff := cmp.Diff(truth, again); diff != "" || !bytes.Equal(bytes.Join(first, nil), bytes.Join(second, nil)) {
		t.Errorf("seed %d gives other lines the second time: %s", c.Seed, diff)
	}
	c.Seed++
	if other, _ := simulate(t, c); bytes.Equal(bytes.Join(first, nil), bytes.Join(other, nil)) {
		t.Error("another seed gives the same lines")
	}
}

func TestTheTruthCountsTheLines(t *testing.T) {
	lines, truth := simulate(t, devices.Config{Seed: 1, Canaries: true})
	s, err := device.ParseSpec("json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	n := normalise.New(normalise.Default())
	var readings int64
	bad, codes := map[string]int64{}, map[string]int64{}
	for _, line := range lines {
		var r device.Record
		_, reason := d.Decode(line, &r)
		var v normalise.Value
		if reason == badrow.None {
			v, reason = n.Value(r.System, r.Code, r.Value, r.Unit)
		}
		if reason != badrow.None {
			bad[string(reason)]++
			continue
		}
		readings++
		codes[v.Entry.Code]++
	}
	if int64(len(lines)) != truth.Lines || readings != truth.Readings {
		t.Errorf("%d lines and %d readings; the truth says %d and %d", len(lines), readings, truth.Lines, truth.Readings)
	}
	if diff := cmp.Diff(truth.Bad, bad); diff != "" {
		t.Errorf("bad (-truth +found):\n%s", diff)
	}
	if diff := cmp.Diff(truth.ByCode, codes); diff != "" {
		t.Errorf("codes (-truth +found):\n%s", diff)
	}
	all := string(bytes.Join(lines, []byte("\n")))
	for _, c := range truth.Canaries {
		if strings.Count(all, c) != 1 {
			t.Errorf("%s stands there %d times", c, strings.Count(all, c))
		}
	}
}

func TestFaultsOfSettingsAreNamed(t *testing.T) {
	err := devices.Config{Length: time.Minute, Patients: -1, Machines: -1}.Validate()
	for _, name := range []string{"--hours", "--patients"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}
