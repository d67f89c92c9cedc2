package lakeio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/io/iotest"
)

// names gives the files of a plan, relative to dir.
func names(t *testing.T, s driver.Source, dir string) []string {
	t.Helper()
	splits, err := s.Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, split := range splits {
		rel, err := filepath.Rel(dir, split.Name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, rel)
	}
	return list
}

func TestAPlaceMeansTheseFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"access.log", "access.log.1", "access[1].log", "b space.log", "sub/access.log", "sub/deep/x.log",
		".hidden/x.log", "_lease/x.log", ".access.log", "_SUCCESS", "sub/.x.log",
	} {
		write(t, filepath.Join(dir, name), name+"\n")
	}
	if err := os.Symlink(filepath.Join(dir, ".hidden/x.log"), filepath.Join(dir, "sub/link.log")); err != nil {
		t.Fatal(err)
	}
	for location, want := range map[string][]string{
		dir:                                {"access.log", "access.log.1", "access[1].log", "b space.log", "sub/access.log", "sub/deep/x.log", "sub/link.log"},
		"file://" + dir + "/":              {"access.log", "access.log.1", "access[1].log", "b space.log", "sub/access.log", "sub/deep/x.log", "sub/link.log"},
		dir + "/access.log":                {"access.log"},
		"file://" + dir + "/b%20space.log": {"b space.log"},
		dir + "/b space.log":               {"b space.log"},
		dir + "/access*":                   {"access.log", "access.log.1", "access[1].log"},
		dir + "/access[1].log":             {"access[1].log"},
		dir + "/access.log.?":              {"access.log.1"},
		dir + "/*/access.log":              {"sub/access.log"},
		dir + "/su*":                       {"sub/access.log", "sub/deep/x.log", "sub/link.log"},
		dir + "/.hid*":                     {".hidden/x.log"},
		dir + "/*/x.log":                   nil,
	} {
		t.Run(strings.TrimPrefix(location, dir), func(t *testing.T) {
			s := openSource(t, location)
			if want == nil {
				if _, err := s.Splits(t.Context()); !errors.Is(err, driver.ErrNotFound) {
					t.Errorf("the error is %v", err)
				}
				return
			}
			if diff := cmp.Diff(want, names(t, s, dir)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARelativePathIsAPlace(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "logs/a.log", "a\n")
	for _, location := range []string{"logs", "./logs", "logs/a.log", "logs/*.log"} {
		if got := iotest.ReadAll(t, openSource(t, location)); len(got) != 1 || got[0].Text != "a" {
			t.Errorf("%s: %v", location, got)
		}
	}
}

func TestBadPlacesAndParametersNameTheCure(t *testing.T) {
	for location, want := range map[string]string{
		"":                                   "no place is given",
		"ftp://host/x":                       "file:// or s3://",
		"file://out/x":                       "three slashes",
		"file:out":                           "write out or file://out",
		"file://":                            "the path is missing",
		"s3:///x":                            "the bucket is missing",
		"s3://key:secret@bucket/x":           "credential",
		"file:///x?splitt=1MiB":              "did you mean split?",
		"file:///x?block=0":                  "block=0 is not a size",
		"file:///x?block=1GiB":               "256MiB at most",
		"file:///x?region=here":              "region is unknown",
		"s3://bucket/x?region=a&sse=aws:kms": "sse is unknown",
	} {
		_, err := OpenSource(t.Context(), location, nil)
		if !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", location, err)
		}
	}
}

func TestBadInputIsRefusedByName(t *testing.T) {
	dir := t.TempDir()
	path := func(name, content string) string {
		write(t, filepath.Join(dir, name), content)
		return filepath.Join(dir, name)
	}
	tar := string(append(make([]byte, 257), "ustar\x0000"...))
	full := string(zipped(strings.Repeat("a line of some length, again and again\n", 10_000)))
	if err := os.MkdirAll(filepath.Join(dir, "empty folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		place string
		class error
		want  string
	}{
		"missing file":              {dir + "/none.log", driver.ErrNotFound, "none.log"},
		"missing folder":            {dir + "/none/x.log", driver.ErrNotFound, "check the spelling"},
		"a file as a folder":        {path("file.log", "x\n") + "/x.log", driver.ErrInvalid, "in the place of a folder"},
		"folder without files":      {dir + "/empty folder", driver.ErrNotFound, "no file in it"},
		"pattern that fits nothing": {dir + "/*.zip.log", driver.ErrNotFound, "no file matches"},
		"pattern in no folder":      {dir + "/none/*.log", driver.ErrNotFound, dir + "/none"},
		"malformed pattern":         {dir + "/[a", driver.ErrInvalid, "close its brackets"},
		"device":                    {"/dev/null", driver.ErrInvalid, "not a regular file"},
		"zip":                       {path("a.zip", "PK\x03\x04rest"), driver.ErrInvalid, "zip archive"},
		"bzip2":                     {path("a.bz2", "BZh91AY&SYrest"), driver.ErrInvalid, "bunzip2"},
		"xz":                        {path("a.xz", "\xfd7zXZ\x00rest"), driver.ErrInvalid, "unxz"},
		"zstd":                      {path("a.zst", "\x28\xb5\x2f\xfdrest"), driver.ErrInvalid, "unzstd"},
		"Parquet":                   {path("a.parquet", "PAR1\x15\x04"), driver.ErrCorrupt, "Parquet"},
		"UTF-16":                    {path("a.txt", "\xff\xfea\x00"), driver.ErrInvalid, "iconv"},
		"tar":                       {path("a.tar", tar), driver.ErrInvalid, "tar archive"},
		"tar in gzip":               {path("a.tgz", string(zipped(tar))), driver.ErrInvalid, "gzip around a tar archive"},
		"gzip in gzip":              {path("b.gz", string(zipped(full))), driver.ErrInvalid, "gzip around a gzip file"},
		"torn gzip header":          {path("c.gz", full[:5]), driver.ErrCorrupt, "cut short"},
		"torn gzip":                 {path("d.gz", full[:len(full)-100]), driver.ErrCorrupt, "is cut short near byte " + fmt.Sprint(len(full)-100)},
		"gzip with a torn trailer":  {path("e.gz", full[:len(full)-3]), driver.ErrCorrupt, "gzip -t"},
		"gzip with garbage behind":  {path("f.gz", full+"garbage at the end"), driver.ErrCorrupt, "corrupt"},
		"gzip with a wrong sum":     {path("g.gz", full[:len(full)-6]+"!!"+full[len(full)-4:]), driver.ErrCorrupt, "g.gz"},
	} {
		t.Run(name, func(t *testing.T) {
			err := firstError(t, openSource(t, test.place))
			if !errors.Is(err, test.class) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func firstError(t *testing.T, s driver.Source) error {
	t.Helper()
	splits, err := s.Splits(t.Context())
	for _, split := range splits {
		var r driver.Reader
		if r, err = s.Open(t.Context(), split); err != nil {
			return err
		}
		for err == nil {
			_, err = r.Next(t.Context())
		}
		r.Close()
		if !errors.Is(err, io.EOF) {
			return err
		}
		err = nil
	}
	return err
}

func TestOtherBinaryContentIsLines(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a.log", "\x00\x01\xff\nBZh is how this line begins\nPK\n")
	write(t, dir+"/b.log", "BZhello is not bzip2\n")
	if got := iotest.ReadAll(t, openSource(t, dir)); len(got) != 4 {
		t.Errorf("%d lines: %v", len(got), got)
	}
}

func TestEmptyFilesAndCopiesAreNoted(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a.log", "x\ny\n")
	write(t, dir+"/b.log.gz", string(zipped("x\ny\n")))
	write(t, dir+"/c.log", "")
	write(t, dir+"/d.log.gz", string(zipped("")))
	s := openSource(t, dir)
	splits, err := s.Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(splits) != 2 || splits[0].Duplicate || !splits[1].Duplicate || splits[0].Source != splits[1].Source {
		t.Errorf("splits are %+v", splits)
	}
	want := []string{
		dir + "/b.log.gz holds the same log as " + dir + "/a.log; its records count as duplicates",
		dir + "/c.log is empty", dir + "/d.log.gz is empty",
	}
	if diff := cmp.Diff(want, s.Notes()); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestOfCopiesTheLongestIsRead(t *testing.T) {
	dir := t.TempDir()
	head := strings.Repeat("the same first lines, for longer than an identity looks\n", 2000)
	write(t, dir+"/a.log", head)
	write(t, dir+"/b.log.gz", string(zipped(head+"later\n")))
	write(t, dir+"/c.log", head+"late")
	splits, err := openSource(t, dir).Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, split := range splits {
		if split.Duplicate != !strings.HasSuffix(split.Name, "b.log.gz") {
			t.Errorf("%s: duplicate %v", split.Name, split.Duplicate)
		}
	}
}

func TestIdentityIsOfTheContentAlone(t *testing.T) {
	dir := t.TempDir()
	content := strings.Repeat("a line\n", 20_000)
	write(t, dir+"/1/a.log", content)
	write(t, dir+"/2/b.log.gz", string(zipped(content)))
	write(t, dir+"/3/c.log", content+"and it grew\n")
	write(t, dir+"/4/d.log", "b"+content[1:])
	var ids []string
	for _, sub := range []string{"1", "2", "3", "4"} {
		splits, err := openSource(t, dir+"/"+sub).Splits(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, splits[0].Source)
	}
	// the content | head -c 65536 | sha256sum | head -c 32
	const want = "4ac0746dc1a3cdcdf27c28c26cb7d360"
	if ids[0] != want || ids[1] != want || ids[2] != want || ids[3] == want {
		t.Errorf("identities are %q", ids)
	}
}

func TestFormatComesFromTheContentOrTheParameter(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a.log", "alpha\n")
	write(t, dir+"/b.log.gz", string(zipped("beta\n")))
	detect := func(head []byte) driver.Head { return driver.Head{Format: string(bytes.TrimSpace(head))} }
	for params, want := range map[string][]string{"": {"alpha", "beta"}, "?format=common": {"common", "common"}} {
		s, err := OpenSource(t.Context(), "file://"+dir+params, detect)
		if err != nil {
			t.Fatal(err)
		}
		splits, err := s.Splits(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := []string{splits[0].Format, splits[1].Format}; !cmp.Equal(got, want) {
			t.Errorf("%q: formats are %q", params, got)
		}
		block, err := firstBlock(t, s, splits[0])
		if err != nil || block.Format != want[0] {
			t.Errorf("block: %+v, %v", block, err)
		}
	}
}

func firstBlock(t *testing.T, s driver.Source, split driver.Split) (b struct{ Format, Data string }, err error) {
	t.Helper()
	r, err := s.Open(t.Context(), split)
	if err != nil {
		return b, err
	}
	defer r.Close()
	block, err := r.Next(t.Context())
	b.Format, b.Data = block.Format, string(block.Data)
	return b, err
}

func TestALogThatGrowsIsReadUpToItsPlannedSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	write(t, path, "one\ntwo\n")
	s := openSource(t, path)
	splits, err := s.Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString("three\n")
	f.Close()
	if b, err := firstBlock(t, s, splits[0]); err != nil || b.Data != "one\ntwo\n" {
		t.Errorf("read %q, %v", b.Data, err)
	}
}

func TestALogCutOrReplacedAfterPlanningIsAnError(t *testing.T) {
	content := strings.Repeat("a line\n", 1000)
	for name, change := range map[string]func(path string) error{
		"cut": func(path string) error { return os.Truncate(path, 100) },
		"replaced": func(path string) error {
			return errors.Join(os.Rename(path, path+".1"), os.WriteFile(path, []byte(content), 0o644))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.log")
			write(t, path, content)
			s := openSource(t, path)
			splits, err := s.Splits(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			if _, err := firstBlock(t, s, splits[0]); !errors.Is(err, driver.ErrChanged) || !strings.Contains(err.Error(), "run again") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestASplitIsRoundedUpToWholeBlocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	write(t, path, strings.Repeat("0123456\n", 100))
	s := openSource(t, "file://"+path+"?block=256&split=300")
	splits, err := s.Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(splits) != 2 || splits[0].End != 512 || splits[1].Start != 512 || splits[1].End != 800 {
		t.Errorf("splits are %+v", splits)
	}
}

func TestOpenRefusesAForeignSplit(t *testing.T) {
	s := openSource(t, t.TempDir())
	for _, split := range []driver.Split{{Name: "x", Compression: "zstd"}, {Name: "x", Start: -1}, {Name: "x", Start: 5, Length: 3}} {
		if _, err := s.Open(t.Context(), split); !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("%+v: %v", split, err)
		}
	}
}

// The figures are those of zcat | wc -l and zcat | head -c 65536 | sha256sum.
func TestRealLogsHaveTheirLinesAndIdentities(t *testing.T) {
	got := map[string]int{}
	for _, r := range iotest.ReadAll(t, openSource(t, "../../testdata/access-logs/*.log.gz")) {
		got[r.Source]++
	}
	want := map[string]int{"b1e0f474055e262d768ac8dce7820f6f": 1728, "88e4541c2f4933dcb18ac57512bc0ca9": 4525}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines by identity (-want +got):\n%s", diff)
	}
}

// TestADigestSeesAllOfAFile: identity is of the beginning, so that a log that grew is the
// same log. A corrected one is another input.
func TestADigestSeesAllOfAFile(t *testing.T) {
	t.Run("in one part", digestSeesAll)
	defer func(was int64) { digestPart = was }(digestPart)
	digestPart = 50_000
	t.Run("in parts", digestSeesAll)
}

func digestSeesAll(t *testing.T) {
	text := bytes.Repeat([]byte("some line of a log\n"), 10_000)
	corrected, middle, swapped := bytes.Clone(text), bytes.Clone(text), bytes.Clone(text)
	corrected[len(corrected)-2] = 'G'
	middle[120_000] = 'X'
	copy(swapped[100_000:], text[101_000:151_000]) // other text in two parts
	var digests, identities []string
	for _, content := range [][]byte{text, text, corrected, middle, swapped} {
		name := filepath.Join(t.TempDir(), "a.log")
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		src, err := OpenSource(t.Context(), name, nil)
		if err != nil {
			t.Fatal(err)
		}
		splits, err := src.Splits(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		digests, identities = append(digests, splits[0].Digest), append(identities, splits[0].Source)
	}
	if identities[0] != identities[1] || identities[0] != identities[2] {
		t.Errorf("identities %v", identities)
	}
	if digests[0] == "" || digests[0] != digests[1] {
		t.Errorf("digests %v", digests)
	}
	if slices.Contains(digests[2:], digests[0]) || digests[2] == digests[3] {
		t.Errorf("files that differ have digests %v", digests)
	}
}
