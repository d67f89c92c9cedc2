package lakeio

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"millrace/io/driver"
	"millrace/io/iotest"
)

const (
	suiteParams  = "?split=16KiB&block=1KiB&max_line=8KiB"
	suiteMaxLine = 8 << 10
)

func TestFilesKeepWhatSourcesPromise(t *testing.T) {
	iotest.RunSourceTests(t, iotest.SourceHarness{MaxRecord: suiteMaxLine, New: func(t *testing.T) iotest.SourcePlace {
		return fileHarness(t, plain)
	}})
}

func TestGzipFilesKeepWhatSourcesPromise(t *testing.T) {
	iotest.RunSourceTests(t, iotest.SourceHarness{MaxRecord: suiteMaxLine, New: func(t *testing.T) iotest.SourcePlace {
		return fileHarness(t, zipped)
	}})
}

func TestS3ObjectsKeepWhatSourcesPromise(t *testing.T) {
	iotest.RunSourceTests(t, iotest.SourceHarness{MaxRecord: suiteMaxLine, New: func(t *testing.T) iotest.SourcePlace {
		return s3Harness(t, plain)
	}})
}

func TestGzipS3ObjectsKeepWhatSourcesPromise(t *testing.T) {
	iotest.RunSourceTests(t, iotest.SourceHarness{MaxRecord: suiteMaxLine, New: func(t *testing.T) iotest.SourcePlace {
		return s3Harness(t, zipped)
	}})
}

// packing is how a test stores content.
type packing func(content string) []byte

func plain(content string) []byte { return []byte(content) }

// zipped stores content in several gzip members, as logs that were appended to
// while compressed have.
func zipped(content string) []byte {
	var b bytes.Buffer
	for {
		n := min(len(content), 20_000)
		w := gzip.NewWriter(&b)
		w.Write([]byte(content[:n]))
		w.Close()
		if content = content[n:]; content == "" {
			return b.Bytes()
		}
	}
}

// lakePlace is a place in terms of putting and getting stored bytes.
func lakePlace(p packing, put func(t *testing.T, name string, data []byte), get func(t *testing.T, name string) []byte) iotest.SourcePlace {
	place := iotest.SourcePlace{
		Write: func(t *testing.T, unit string, records []string) {
			content := strings.Join(records, "\n")
			if len(records) > 0 {
				content += "\n"
			}
			put(t, unit, p(content))
		},
		WriteTorn: func(t *testing.T, unit string, records []string) { put(t, unit, p(strings.Join(records, "\n"))) },
		Copy: func(t *testing.T, unit, copied string) {
			data := get(t, unit)
			if strings.HasPrefix(copied, "z-") && bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
				data = []byte(unzip(t, data)) // the same log, rotated later and not compressed yet
			}
			put(t, copied, data)
		},
		Position: func(records []string, i int) (at int64) {
			for _, r := range records[:i] {
				at += int64(len(r)) + 1
			}
			return at
		},
	}
	if len(p("")) > 0 { // gzip of nothing is something: damage can be noticed
		place.Damage = func(t *testing.T, unit string) {
			data := get(t, unit)
			for i := len(data) / 2; i < len(data)/2+64; i++ {
				data[i] ^= 0xa5
			}
			put(t, unit, data)
		}
	}
	return place
}

func unzip(t *testing.T, data []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func openSource(t *testing.T, location string) *Source {
	t.Helper()
	s, err := OpenSource(t.Context(), location, func([]byte) driver.Head { return driver.Head{Format: "combined"} })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fileHarness(t *testing.T, p packing) iotest.SourcePlace {
	dir := t.TempDir()
	place := lakePlace(p,
		func(t *testing.T, name string, data []byte) { write(t, filepath.Join(dir, name), string(data)) },
		func(t *testing.T, name string) []byte { return []byte(read(t, filepath.Join(dir, name))) })
	place.Open = func(t *testing.T) driver.Source { return openSource(t, "file://"+dir+suiteParams) }
	place.Missing = func(t *testing.T) driver.Source { return openSource(t, "file://"+dir+"/absent/access.log"+suiteParams) }
	if os.Geteuid() != 0 { // root may read everything; see TestOtherUsersMeetPermissions
		place.Unreadable = func(t *testing.T) driver.Source {
			if err := os.Chmod(filepath.Join(dir, "unit-1.log"), 0); err != nil {
				t.Fatal(err)
			}
			return openSource(t, "file://"+dir+suiteParams)
		}
	}
	return place
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
