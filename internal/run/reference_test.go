package run

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"millrace/io/driver"
)

func TestReferenceDataIsTheFileOfTheNewestDate(t *testing.T) {
	dir := t.TempDir()
	put := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"geo.mmdb", "geo-20261101.mmdb", "geo-2026-11-08.mmdb", "geo-20261115.mmdb", "geo-20261399.mmdb", "geo-x.mmdb", "geo-20261130.txt"} {
		put(name)
	}
	for _, c := range []struct{ place, asOf, want string }{
		{"geo.mmdb", "", "geo.mmdb"},
		{"geo-{date}.mmdb", "", "geo-20261115.mmdb"},
		{"geo-{date}.mmdb", "2026-11-14", "geo-2026-11-08.mmdb"},
		{"geo-{date}.mmdb", "2026-11-08", "geo-2026-11-08.mmdb"},
		{"geo-{date}.mmdb", "2026-10-31", ""},
		{"missing.mmdb", "", ""},
	} {
		for _, place := range []string{filepath.Join(dir, c.place), "file://" + filepath.Join(dir, c.place)} {
			content, version, unchanged, err := openReference(t.Context(), place, c.asOf, "")
			if c.want == "" {
				if !errors.Is(err, driver.ErrNotFound) {
					t.Errorf("%s as of %q: %q, %v", c.place, c.asOf, content, err)
				}
				continue
			}
			if err != nil || string(content) != c.want || unchanged {
				t.Errorf("%s as of %q: %q, %t, %v", place, c.asOf, content, unchanged, err)
				continue
			}
			if content, _, unchanged, err = openReference(t.Context(), place, c.asOf, version); err != nil || !unchanged || content != nil {
				t.Errorf("%s a second time: %q, %t, %v", place, content, unchanged, err)
			}
		}
	}
	_, version, _, err := openReference(t.Context(), filepath.Join(dir, "geo-{date}.mmdb"), "", "")
	if err != nil {
		t.Fatal(err)
	}
	put("geo-20261122.mmdb")
	if content, _, unchanged, err := openReference(t.Context(), filepath.Join(dir, "geo-{date}.mmdb"), "", version); err != nil || unchanged || string(content) != "geo-20261122.mmdb" {
		t.Errorf("a newer date: %q, %t, %v", content, unchanged, err)
	}
	if _, _, _, err := openReference(t.Context(), "s3://bucket/folder/", "", ""); err == nil {
		t.Error("a folder passes")
	}
}
