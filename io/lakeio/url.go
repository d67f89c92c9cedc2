package lakeio

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"millrace/io/driver"
)

// place is where a lake or its input lies: a file path, or bucket and key.
// Accepted forms:
//
//	out  ./out  /data/out          a path as the shell gives it; it takes no parameters
//	file:///data/out?block=1MiB    an absolute path, percent-encoded, with parameters
//	s3://bucket/prefix?region=...  bucket and key prefix, percent-encoded, with parameters
type place struct {
	*driver.URL
	path   string // of a file place
	bucket string // of an S3 place
	key    string // prefix, object or pattern in the bucket, without a leading slash
}

func (p place) onS3() bool { return p.bucket != "" }

func (p place) String() string {
	if p.onS3() {
		return "s3://" + p.bucket + "/" + p.key
	}
	return p.path
}

// maxPlace is more bytes than a path or URL has. Errors name places, so they are
// bounded by it.
const maxPlace = 16 << 10

func parsePlace(raw string) (place, error) {
	if raw == "" {
		return place{}, badPlace("(empty)", "no place is given", "name a folder or an s3:// URL")
	}
	if len(raw) > maxPlace {
		return place{}, badPlace("(a place)", fmt.Sprintf("it has %d bytes, and a place has %d at most", len(raw), maxPlace), "see what was given in its place")
	}
	if !strings.Contains(raw, "://") {
		if rest, ok := strings.CutPrefix(raw, "file:"); ok {
			return place{}, badPlace(raw, "the URL lacks its slashes", "write "+rest+" or file://"+rest)
		}
		path := filepath.Clean(raw)
		return place{URL: driver.PathURL(path), path: path}, nil
	}
	u, err := driver.ParseURL(raw)
	if err != nil {
		return place{}, err
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" {
			return place{}, badPlace(u.String(), "the first part, "+u.Host+", would be a host",
				"write three slashes for an absolute path (file:///"+u.Host+u.Path+"), or a plain relative path ("+u.Host+u.Path+")")
		}
		if u.Path == "" {
			return place{}, badPlace(u.String(), "the path is missing", "write file:///path")
		}
		return place{URL: u, path: filepath.Clean(u.Path)}, nil
	case "s3", "s3a", "s3n":
		if u.Host == "" {
			return place{}, badPlace(u.String(), "the bucket is missing", "write s3://bucket/prefix")
		}
		u.Scheme = "s3" // Hadoop spells it in two more ways
		return place{URL: u, bucket: u.Host, key: strings.TrimPrefix(u.Path, "/")}, nil
	}
	return place{}, badPlace(u.String(), "the scheme "+u.Scheme+" is unknown here", "use a path, file:// or s3://")
}

func badPlace(object, what, cure string) error {
	return &driver.Error{Doing: "read the place", Object: object, Class: driver.ErrInvalid, Cause: errors.New(what), Cure: cure}
}
