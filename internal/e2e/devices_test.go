package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

func devices(source, lake string, more ...string) []string {
	return append([]string{"run", "devices", "--source", source, "--lake", lake, "--mask-key", "env://MASK_KEY"}, more...)
}

// TestDevicesFindWhatWasPlanted runs a ward and a hall of machines through the job, and
// holds it against the truth of the generator.
func TestDevicesFindWhatWasPlanted(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	mustRun(t, e, "generate", "device", "--out", e.in("ward"), "--hours", "30", "--canaries", "--gzip", "--seed", "9")
	var truth struct {
		Readings int64
		Bad      map[string]int64
		ByCode   map[string]int64 `json:"by_code"`
	}
	readJSON(t, e.in("ward", "truth.json"), &truth)
	source, lake := e.in("ward", "readings.ndjson.gz"), e.in("lake")
	rules := filepath.Join(testenv.Root(t), "jobs", "devices", "alerts.yaml")
	mustRun(t, e, devices(source, lake, "--alerts", rules, "--raw", "sealed", "--set", "anomalies=true")...)

	m := readManifest(t, lake)
	if !m.Ledger.Balanced || m.Ledger.Events != truth.Readings {
		t.Errorf("the ledger %+v; the truth has %d readings", m.Ledger, truth.Readings)
	}
	bad := map[string]int64{}
	for reason, n := range m.Ledger.Reasons {
		bad[string(reason)] = n
	}
	if diff := cmp.Diff(truth.Bad, bad); diff != "" {
		t.Errorf("bad rows (-truth +found):\n%s", diff)
	}
	var codes []struct {
		Code     string
		Readings int64
	}
	sqlInto(t, lake, "SELECT code, count(*) AS readings FROM readings GROUP BY 1;", &codes)
	for _, c := range codes {
		if truth.ByCode[c.Code] != c.Readings {
			t.Errorf("%d readings of %s; the truth has %d", c.Readings, c.Code, truth.ByCode[c.Code])
		}
	}
	if len(codes) != len(truth.ByCode) {
		t.Errorf("%d codes of %d", len(codes), len(truth.ByCode))
	}
	for query, want := range map[string]string{
		"SELECT count(*) FROM flags WHERE flag = 'range'":                                                                  "1",
		"SELECT count(*) FROM flags WHERE flag = 'reset'":                                                                  "1",
		"SELECT count(*) FROM flags WHERE flag = 'duplicate'":                                                              "1",
		"SELECT count(*) FROM flags WHERE flag = 'gap'":                                                                    "5",
		"SELECT count(DISTINCT subject) FROM news2 WHERE risk = 'high'":                                                    "1",
		"SELECT count(*) FROM alerts WHERE rule = 'silent-device' AND firing_since < TIMESTAMPTZ '2026-03-03 06:00:00+00'": "1",
		"SELECT count(*) > 0 FROM alerts WHERE rule = 'stuck-sensor'":                                                      "true",
		"SELECT count(*) FROM rollups WHERE code = 'energy' AND unit <> 'J/s'":                                             "0",
		"SELECT count(*) FROM readings WHERE unit = 'Cel' AND raw_unit = '[degF]' AND value NOT BETWEEN 36 AND 38":         "0",
		"SELECT (SELECT sum(count) FROM rollups) = (SELECT count(*) - 1 FROM readings)":                                    "true",
		"SELECT (SELECT sum(readings) FROM health) = (SELECT count(*) FROM readings)":                                      "true",
		"SELECT count(*) FROM bad_rows WHERE reason = 'unit' AND detail = 'bpm'":                                           jsonNumber(truth.Bad["unit"]),
	} {
		if rows := sql(t, lake, query+";"); len(rows) != 1 || rows[0][0] != want {
			t.Errorf("%s gives %v, not %s", query, rows, want)
		}
	}

	find := newFinder(t, e.in("ward", "truth_canaries.txt"))
	find.inFolder(t, lake)
	texts := find.inRows(t, lake)
	for _, output := range []string{"readings", "rollups", "bad_rows", "raw"} {
		if texts[output] == 0 {
			t.Errorf("no text of %s was searched", output)
		}
	}
	find.report(t)

	t.Run("a day by itself has the rows of the whole", func(t *testing.T) {
		part := e.in("part")
		mustRun(t, e, devices(source, part, "--from", "2026-03-03", "--to", "2026-03-03")...)
		whole := e.in("whole")
		mustRun(t, e, devices(source, whole)...)
		for _, output := range []string{"readings", "flags", "rollups", "health", "news2"} {
			of := ofDays(hashLake(t, whole), "2026-03-03")
			for name, hash := range ofDays(hashLake(t, part), "2026-03-03") {
				if strings.HasPrefix(name, output+"/") && of[name] != hash {
					t.Errorf("%s of the day is another in a run over all days", name)
				}
			}
		}
	})
	t.Run("the archive gives the same again", func(t *testing.T) {
		again := e.in("again")
		mustRun(t, e, devices(filepath.Join(lake, "raw"), again)...)
		for _, output := range []string{"readings", "flags", "rollups", "health", "news2"} {
			query := "SELECT count(*), sum(hash(COLUMNS(* EXCLUDE (version)))) FROM " + output + ";"
			if output == "readings" {
				query = "SELECT count(*), sum(hash(reading_id)), sum(hash(value)) FROM readings;"
			}
			if diff := cmp.Diff(sql(t, lake, query), sql(t, again, query)); diff != "" {
				t.Errorf("%s (-first +again):\n%s", output, diff)
			}
		}
	})
}

func jsonNumber(n int64) string {
	b, _ := json.Marshal(n)
	return string(b)
}

// TestReadingsOfRealDevices: what others published goes through, each in its format.
func TestReadingsOfRealDevices(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	root := testenv.Root(t)
	for name, c := range map[string]struct {
		file, format           string
		readings, bad, skipped int64
		series                 string
		more                   []string
	}{
		"coffee": {"testdata/devices/elasticoffee_a.ndjson.gz", "json time=@timestamp device=entityID code:=count value=quantity", 684, 0, 684, "2", nil},
		"room":   {"testdata/nab/data/realKnownCause/ambient_temperature_system_failure.csv.gz", "csv time=timestamp device:=room code:=temperature unit:=[degF] value=value zone:=+00:00", 7267, 0, 1, "1", []string{"--set", "clean.gap=2h", "--from", "2013-07-04", "--to", "2013-12-31"}},
		"fhir":   {"testdata/devices/observations.ndjson", "", 2, 2, 0, "2", nil},
	} {
		args := devices(filepath.Join(root, c.file), e.in(name), c.more...)
		if c.format != "" {
			args = append(args, "--format", c.format)
		}
		mustRun(t, e, args...)
		m := readManifest(t, e.in(name))
		all := m.Ledger.Events + m.Ledger.Skipped
		if !m.Ledger.Balanced || m.Ledger.Bad != c.bad || all != c.readings+c.skipped {
			t.Errorf("%s: %+v", name, m.Ledger)
		}
		if rows := sql(t, e.in(name), "SELECT count(DISTINCT (device_id, code)) FROM readings;"); rows[0][0] != c.series {
			t.Errorf("%s has %v series, not %s", name, rows, c.series)
		}
	}
}
