package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// manyLines is a log of n lines that do not compress to nothing.
func manyLines(n int) []byte {
	r := rand.New(rand.NewPCG(1, 1))
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "192.0.2.%d - - [17/May/2015:10:%02d:%02d +0000] \"GET /%x HTTP/1.1\" 200 %d \"-\" \"curl/8\"\n", r.IntN(256), i/60%60, i%60, r.Uint64(), r.IntN(1e6))
	}
	return b.Bytes()
}

func gzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func noise(n int) []byte {
	r := rand.New(rand.NewPCG(2, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestASourceThatCannotBeReadIsNamedAndLeavesTheLakeAlone(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	whole := gzipped(t, manyLines(20_000)) // several times what a plan looks at
	corrupt := slices.Clone(whole)
	copy(corrupt[len(corrupt)*3/4:], "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
	for name, content := range map[string][]byte{
		"cut.log.gz": whole[:len(whole)*3/4], "corrupt.log.gz": corrupt, "cut-head.log.gz": whole[:5], "not.log.gz": []byte("\x1f\x8bnot gzip at all, but it says so"),
		"good.log.bz2": []byte("BZh91AY&SYxxxxxxxxxxxx"), "archive.log": []byte("PK\x03\x04xxxxxxxx"), "program": []byte("\x7fELF\x02\x01\x01"), "lake.parquet": []byte("PAR1\x15\x04"),
		"wide.log": append([]byte("\xff\xfe"), bytes.ReplaceAll([]byte(oneDay), []byte("1"), []byte("1\x00"))...), "beside/good.log": []byte(otherDay), "beside/cut.log.gz": whole[:len(whole)/2],
	} {
		writeFile(t, e.in("bad", name), content)
	}
	for _, dir := range []string{"nothing", "hidden"} {
		if err := os.MkdirAll(e.in(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, e.in("hidden", ".access.log"), []byte(oneDay))
	if err := syscall.Mkfifo(filepath.Join(e.home, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct{ source, want string }{
		"a missing path":               {"nowhere/access.log", "read nowhere/access.log: no such file or directory; check the spelling of the path"},
		"a missing path as URL":        {"file://" + e.in("nowhere.log"), "read " + e.in("nowhere.log") + ": no such file"},
		"a pattern without a match":    {"logs/*.gz", "logs/*.gz: no file matches"},
		"a pattern in no folder":       {"nowhere/*.gz", "nowhere"},
		"a broken pattern":             {"logs/[a", "logs/[a: the pattern is malformed"},
		"an empty folder":              {"nothing", "nothing: there is no file in it"},
		"a folder of hidden files":     {"hidden", "hidden: there is no file in it"},
		"a truncated gzip":             {"bad/cut.log.gz", "read bad/cut.log.gz: the gzip data is cut short near byte"},
		"a corrupt gzip":               {"bad/corrupt.log.gz", "read bad/corrupt.log.gz: the gzip data is corrupt near byte"},
		"a gzip of a few bytes":        {"bad/cut-head.log.gz", "read bad/cut-head.log.gz: the gzip data is cut short"},
		"a gzip that is none":          {"bad/not.log.gz", "read bad/not.log.gz: the gzip data is"},
		"one of two that is truncated": {"bad/beside", "read bad/beside/cut.log.gz: the gzip data is cut short"},
		"a bzip2 file":                 {"bad/good.log.bz2", "read bad/good.log.bz2: it is a bzip2 file"},
		"a zip archive":                {"bad/archive.log", "read bad/archive.log: it is a zip archive"},
		"a program":                    {"bad/program", "read bad/program: it is a program"},
		"a damaged Parquet file":       {"bad/lake.parquet", "read bad/lake.parquet: the Parquet file is damaged"},
		"UTF-16 text":                  {"bad/wide.log", "read bad/wide.log: it is UTF-16 text"},
		"a pipe":                       {filepath.Join(e.home, "pipe"), "pipe: it is not a regular file"},
	}
	for name, lake := range twoLakes(t, e) {
		for _, c := range slices.Sorted(maps.Keys(cases)) {
			t.Run(name+"/"+c, func(t *testing.T) {
				rejected(t, e, 1, weblogs(cases[c].source, lake), cases[c].want)
			})
		}
	}
}

func TestAnUnreadableFileIsNamedAndNothingIsSkipped(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	writeFile(t, e.in("logs", "secret.log"), []byte(otherDay))
	for name, lake := range twoLakes(t, e) {
		t.Run(name, func(t *testing.T) {
			for _, hidden := range []string{e.in("logs", "secret.log"), e.in("logs")} {
				st, err := os.Stat(hidden)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(hidden, 0); err != nil {
					t.Fatal(err)
				}
				r := asOther(t, e, weblogs("logs", lake))
				if err := os.Chmod(hidden, st.Mode()); err != nil {
					t.Fatal(err)
				}
				rel, err := filepath.Rel(e.dir, hidden)
				if err != nil {
					t.Fatal(err)
				}
				checkRejection(t, r, 1, []string{rel}, "read "+rel+": permission denied; give the user who runs this the right to it")
			}
			if _, err := os.Stat(e.in("not")); err == nil {
				t.Error("a lake was begun")
			}
		})
	}
}

// asOther runs the program as a user who is not root: another one when we are
// root, to whom the folders belong meanwhile.
func asOther(t *testing.T, e env, args []string) result {
	t.Helper()
	if os.Getuid() != 0 {
		return run(t, e, args...)
	}
	const nobody = 65534
	own := func(uid int) {
		for _, root := range []string{e.dir, e.home} {
			err := filepath.WalkDir(root, func(p string, _ os.DirEntry, err error) error {
				if err != nil {
					return err
				}
				return os.Lchown(p, uid, uid)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	own(nobody)
	defer own(0)
	for _, dir := range []string{filepath.Dir(build(t)), filepath.Dir(e.dir), filepath.Dir(e.home)} {
		if err := os.Chmod(dir, 0o755); err != nil { // made for root alone
			t.Fatal(err)
		}
	}
	return startAs(t, e, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}, args...).end(t)
}

func TestBrokenLinesBecomeBadRowsByReason(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	lines := strings.SplitAfter(strings.TrimSuffix(oneDay, "\n"), "\n")
	for name, c := range map[string]struct {
		content string
		events  int64
		reasons map[string]int64
	}{
		"NUL bytes":        {oneDay + "a\x00b\x00\x00\n\x00\n" + strings.Replace(lines[0], "/a", "/\x00a", 1), 5, map[string]int64{"format": 2}},
		"invalid UTF-8":    {oneDay + "\xff\xfe\x80 no line \xc3\n" + strings.Replace(lines[0], "curl", "\xff\xc3", 1), 5, map[string]int64{"format": 1}},
		"mixed formats":    {"192.0.2.7 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 31\n" + oneDay + "www.example.com:80 " + lines[0] + "{\"json\": true}\n", 6, map[string]int64{"format": 1}},
		"a truncated line": {oneDay + lines[0][:60] + "\n", 4, map[string]int64{"truncated": 1}},
		"nothing but that": {"no log\nat all\n", 0, map[string]int64{"format": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			log, lake := e.in("logs", strings.ReplaceAll(name, " ", "-")+".log"), e.in("lake of "+name)
			writeFile(t, log, []byte(c.content))
			r := mustRun(t, e, weblogs(log, lake)...)
			m := readManifest(t, lake)
			got := map[string]int64{}
			for reason, n := range m.Ledger.Reasons {
				got[string(reason)] = n
			}
			if diff := gocmp.Diff(c.reasons, got); diff != "" || m.Ledger.Events != c.events || !m.Ledger.Balanced {
				t.Errorf("%d events, want %d; reasons:\n%s", m.Ledger.Events, c.events, diff)
			}
			for reason := range c.reasons {
				if !strings.Contains(r.stdout, reason) {
					t.Errorf("%s is missing in the summary\n%s", reason, r.stdout)
				}
			}
		})
	}
}

func TestABinaryFileBecomesBadRows(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	content := noise(300_000)
	writeFile(t, e.in("logs", "noise.log"), content)
	mustRun(t, e, weblogs("logs/noise.log", "lake")...)
	m := readManifest(t, e.in("lake"))
	lines := int64(bytes.Count(content, []byte{'\n'}))
	if content[len(content)-1] != '\n' {
		lines++
	}
	if !m.Ledger.Balanced || m.Ledger.In != lines || m.Ledger.Bad+m.Ledger.Skipped != lines {
		t.Errorf("of %d lines the ledger says %+v", lines, m.Ledger)
	}
}

func TestAnEmptyFileIsNoRowsAndANote(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	writeFile(t, e.in("logs", "empty.log"), nil)
	writeFile(t, e.in("logs", "empty.log.gz"), gzipped(t, nil))
	lake := twoLakes(t, e)["a lake with data"]
	before := hashLake(t, e.in(lake))
	for _, source := range []string{"logs/empty.log", "logs/empty.log.gz"} {
		r := mustRun(t, e, weblogs(source, lake)...)
		if want := source + " is empty"; !strings.Contains(r.stderr, want) {
			t.Errorf("%q is missing in %s", want, r.stderr)
		}
		if m := readManifest(t, e.in(lake)); m.Ledger.In != 0 || !m.Ledger.Balanced || len(m.Days) > 0 {
			t.Errorf("%s: %+v", source, m)
		}
	}
	if diff := gocmp.Diff(before, hashLake(t, e.in(lake))); diff != "" {
		t.Error(diff)
	}
}

func TestALineOf100MBIsABadRowWithinBoundedMemory(t *testing.T) {
	t.Parallel()
	e := userWith(t).with("GOMEMLIMIT=200MiB") // so that what is not held does not count
	const length = 100 << 20
	f, err := os.Create(e.in("logs", "long.log"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(oneDay)
	for i := 0; err == nil && i < length>>20; i++ {
		_, err = f.Write(bytes.Repeat([]byte{'x'}, 1<<20))
	}
	if err == nil {
		_, err = f.WriteString("\n" + otherDay)
	}
	if err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	p := start(t, e, weblogs("logs/long.log", "lake")...)
	peak := 0 // MiB; rusage would tell of this process's, from before the program was loaded
	for alive(p) {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid)) // Linux has it
		if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
			if fields := strings.Fields(rest); len(fields) > 0 {
				kib, _ := strconv.Atoi(fields[0])
				peak = max(peak, kib>>10)
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	if r := p.end(t); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	m := readManifest(t, e.in("lake"))
	if l := m.Ledger; !l.Balanced || l.Events != 5 || l.Bad != 1 || l.Reasons["too_long"] != 1 {
		t.Errorf("the ledger says %+v", l)
	}
	if peak > 400 {
		t.Errorf("the run took %d MiB at its peak", peak)
	}
}
