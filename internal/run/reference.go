package run

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"time"

	"millrace/io/driver"
	"millrace/io/lakeio"
	"millrace/transforms"
)

func init() { transforms.OpenReference = openReference }

// maxReference bounds a table of reference data; the largest public ones have
// some 120 MB.
const maxReference = 512 << 20

// dateMark stands for the date of a version in the name of a table's file.
const dateMark = "{date}"

// openReference reads a table of reference data, see transforms.OpenReference.
func openReference(ctx context.Context, place, asOf, version string) (content []byte, newVersion string, unchanged bool, err error) {
	folder, name, err := splitPlace(place)
	if err != nil {
		return nil, "", false, err
	}
	store, err := lakeio.OpenStore(ctx, folder)
	if err != nil {
		return nil, "", false, err
	}
	if strings.Contains(name, dateMark) {
		if name, err = newest(ctx, store, name, asOf); err != nil {
			return nil, "", false, err
		}
	}
	info, err := store.Stat(ctx, name)
	if errors.Is(err, driver.ErrNotFound) {
		return nil, "", false, fmt.Errorf("%s is not there: %w", store.Name(name), err)
	}
	if err != nil {
		return nil, "", false, err
	}
	if named(name, info) == version {
		return nil, version, true, nil
	}
	content, info, err = lakeio.ReadAll(ctx, store, name, maxReference)
	if err != nil {
		return nil, "", false, err
	}
	return content, named(name, info), false, nil
}

// named tells versions apart, of one file and of several with dates.
func named(name string, info lakeio.Info) string { return name + " " + info.Version }

// splitPlace gives the folder of a file, with the parameters of a URL, and the file.
func splitPlace(place string) (folder, name string, err error) {
	if !strings.Contains(place, "://") {
		return filepath.Dir(place), filepath.Base(place), nil
	}
	u, err := url.Parse(place)
	if err != nil {
		return "", "", fmt.Errorf("reference data: the place is no URL; write s3://bucket/path/file.mmdb or a path")
	}
	name = path.Base(u.Path)
	if name == "." || name == "/" || strings.HasSuffix(u.Path, "/") {
		return "", "", fmt.Errorf("reference data %s: it names a folder; name the file in it", place)
	}
	u.Path, u.RawPath = path.Dir(u.Path), ""
	return u.String(), name, nil
}

// newest is the file of the greatest date until asOf. Dates are 2026-11-01 or
// 20261101.
func newest(ctx context.Context, store lakeio.Store, pattern, asOf string) (string, error) {
	before, after, _ := strings.Cut(pattern, dateMark)
	infos, err := store.List(ctx, before)
	if err != nil {
		return "", err
	}
	best, bestDate := "", ""
	for _, info := range infos {
		rest, ok := strings.CutPrefix(info.Key, before)
		date, also := strings.CutSuffix(rest, after)
		if !ok || !also {
			continue
		}
		day, ok := dateOf(date)
		if ok && day >= bestDate && (asOf == "" || day <= asOf) {
			best, bestDate = info.Key, day
		}
	}
	if best == "" {
		until := ""
		if asOf != "" {
			until = " until " + asOf
		}
		return "", fmt.Errorf("there is no %s with a date%s, as 2026-11-01 or 20261101: %w", store.Name(pattern), until, driver.ErrNotFound)
	}
	return best, nil
}

func dateOf(text string) (day string, ok bool) {
	for _, layout := range []string{time.DateOnly, "20060102"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Format(time.DateOnly), true
		}
	}
	return "", false
}
