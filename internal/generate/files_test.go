package generate

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// read returns a file's content, decompressed by its name.
func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(name) != ".gz" {
		return b
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return b
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]string, 0, len(entries))
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestFilesHoldTheLogsAndTheTruth(t *testing.T) {
	cfg := WeblogConfig{Lines: 70_000, Seed: 3, Servers: 3, Redeliver: 1, Canaries: 200}
	for _, zip := range []bool{false, true} {
		dir := t.TempDir()
		cfg.Gzip = zip
		var progress []int64
		truth, err := WriteFiles(t.Context(), dir, cfg, func(n int64) { progress = append(progress, n) })
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"access-01.log", "access-01.log.1.gz", "access-02.log", "access-03.log"}
		if zip {
			want = []string{"access-01.log.1", "access-01.log.gz", "access-02.log.gz", "access-03.log.gz"}
		}
		want = append(want, "truth.json", "truth_attacks.ndjson", "truth_canaries.txt", "truth_sessions.ndjson.gz")
		if d := cmp.Diff(want, names(t, dir)); d != "" {
			t.Fatalf("files (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]int64{65_536, 70_000}, progress); d != "" {
			t.Errorf("progress (-want +got):\n%s", d)
		}

		memory := run(t, cfg)
		for _, f := range truth.Files {
			content := read(t, dir, f.Name)
			if int64(len(content)) != f.Bytes || int64(bytes.Count(content, []byte{'\n'})) != f.Lines {
				t.Errorf("%s is not as the truth says: %+v", f.Name, f)
			}
			if f.CopyOf != "" && !bytes.Equal(content, read(t, dir, f.CopyOf)) {
				t.Errorf("%s differs from %s", f.Name, f.CopyOf)
			}
		}
		for server, lines := range memory.logs {
			if got := read(t, dir, truth.Files[[]int{0, 2, 3}[server]].Name); string(got) != strings.Join(lines, "\n")+"\n" {
				t.Errorf("the log of server %d is not what the farm gives", server)
			}
		}

		var written Truth
		if err := json.Unmarshal(read(t, dir, TruthFile), &written); err != nil {
			t.Fatal(err)
		}
		written.Attacks = truth.Attacks
		if d := cmp.Diff(truth, written); d != "" {
			t.Errorf("%s (-returned +written):\n%s", TruthFile, d)
		}
		sessions := map[Session]int{}
		for line := range bytes.Lines(read(t, dir, SessionsFile)) {
			var s Session
			if err := json.Unmarshal(line, &s); err != nil {
				t.Fatal(err)
			}
			sessions[s]++
		}
		if !maps.Equal(sessions, memory.sessions) {
			t.Errorf("%s has other sessions than the farm tells", SessionsFile)
		}
		if n := bytes.Count(read(t, dir, AttacksFile), []byte{'\n'}); n != len(truth.Attacks) || n == 0 {
			t.Errorf("%s has %d attacks, the truth %d", AttacksFile, n, len(truth.Attacks))
		}
	}
}

func TestCancellingLeavesTheFolderAsItWas(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := WriteFiles(ctx, dir, WeblogConfig{Lines: 1 << 40, Rate: 1e6}, func(int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAFolderThatCannotBeWrittenIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteFiles(t.Context(), file, WeblogConfig{Lines: 10}, nil); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
}

func TestEveryCanaryStandsInTheLog(t *testing.T) {
	for _, format := range []Format{Combined, Common} {
		got := run(t, WeblogConfig{Lines: 100_000, Canaries: DefaultCanaries, Format: format, Seed: 31})
		stands := map[string]bool{} // every word of the log, and every user name
		for _, line := range got.lines {
			line = decoded(line)
			for _, delimiters := range []string{` "/?&=`, ` "/?&=:@`} {
				for word := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(delimiters, r) }) {
					stands[word] = true
				}
			}
			if p, ok := parse(line); ok {
				stands[p.user] = true
			}
		}
		count := map[string]int{}
		seen := map[string]bool{}
		for c := range got.farm.Canaries {
			count[c.Type]++
			if seen[c.Value] {
				t.Fatalf("%s %q is planted twice", c.Type, c.Value)
			}
			seen[c.Value] = true
			if !stands[c.Value] {
				t.Errorf("%s %q stands nowhere", c.Type, c.Value)
			}
		}
		if len(count) != len(canaryTypes) {
			t.Errorf("%d types of %d", len(count), len(canaryTypes))
		}
		for name, n := range count {
			if n < 1000 {
				t.Errorf("%d of type %s", n, name)
			}
		}
		if d := cmp.Diff(count, toInt(got.truth.CanariesOf)); d != "" {
			t.Error(d)
		}
	}
}

func TestCanariesStandInEveryPlaceAndEncoding(t *testing.T) {
	got := run(t, WeblogConfig{Lines: 60_000, Canaries: 500, Seed: 32})
	places := map[string]int{}
	for c := range got.farm.Canaries {
		if c.Type == "email" {
			local, _, _ := strings.Cut(c.Value, "@")
			local = local[strings.IndexByte(local, '.')+1:]
			i := slices.IndexFunc(got.lines, func(l string) bool { return strings.Contains(l, local) })
			if i < 0 {
				t.Fatalf("%s stands nowhere", c.Value)
			}
			fields := strings.Split(got.lines[i], `"`)
			path, _, _ := strings.Cut(fields[1], "?")
			where := "query"
			switch {
			case strings.Contains(fields[5], local):
				where = "agent"
			case strings.Contains(fields[3], local):
				where = "referrer"
			case strings.Contains(path, local):
				where = "path"
			}
			switch {
			case strings.Contains(got.lines[i], "%2540"):
				where += ", twice encoded"
			case strings.Contains(got.lines[i], "%40"):
				where += ", encoded"
			}
			places[where]++
		}
	}
	for _, where := range []string{
		"path", "path, encoded", "path, twice encoded", "query", "query, encoded", "query, twice encoded",
		"referrer", "referrer, encoded", "referrer, twice encoded", "agent",
	} {
		if places[where] < 20 {
			t.Errorf("%d of 500 e-mail addresses in: %s", places[where], where)
		}
	}
}

func TestCardNumbersAreValid(t *testing.T) {
	r := newRNG(1, 1)
	for i := range 5000 {
		number := cardNumber(&r, i)
		sum := 0
		for k, c := range number {
			d := int(c - '0')
			if (len(number)-k)%2 == 0 {
				d = d*2/10 + d*2%10
			}
			sum += d
		}
		if sum%10 != 0 || len(number) < 15 || len(number) > 16 {
			t.Fatalf("%s is no card number", number)
		}
	}
}

// decoded undoes percent-encoding until nothing changes.
func decoded(line string) string {
	for {
		plain, err := url.PathUnescape(line)
		if err != nil || plain == line {
			return line
		}
		line = plain
	}
}

func toInt(m map[string]int64) map[string]int {
	out := map[string]int{}
	for k, v := range m {
		out[k] = int(v)
	}
	return out
}

func BenchmarkWriteFiles(b *testing.B) {
	const n = 500_000
	dir := b.TempDir()
	for b.Loop() {
		if _, err := WriteFiles(b.Context(), dir, WeblogConfig{Lines: n, Rate: 500, Servers: 2}, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
