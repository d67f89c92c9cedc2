package lakeio

import (
	"context"
	"io"
	"strings"
)

// s3Tree is one object, a prefix taken as a folder, or a pattern over keys.
type s3Tree struct {
	store *s3Store // of the whole bucket
	key   string
}

func (t s3Tree) find(ctx context.Context) (files []logFile, notes []string, err error) {
	fixed := t.key
	if i := strings.IndexAny(fixed, `*?[\`); i >= 0 {
		if _, err := matchSteps(t.key, ""); err != nil {
			return nil, nil, badPattern(t.store.Name(t.key))
		}
		fixed = fixed[:i]
	}
	infos, err := t.store.List(ctx, fixed)
	if err != nil {
		return nil, nil, err
	}
	for _, o := range infos {
		if t.wants(o.Key) {
			files = append(files, logFile{name: t.store.Name(o.Key), size: o.Size, version: o.Version})
		}
		if o.Key == t.key { // the object itself, not what else begins like it
			return []logFile{{name: t.store.Name(o.Key), size: o.Size, version: o.Version}}, nil, nil
		}
	}
	if len(files) == 0 {
		return nil, nil, nothing(t.store.Name(t.key))
	}
	return files, nil, nil
}

// wants decides as a file system would: a key stands for itself and for what is
// below it, not for its longer namesakes.
func (t s3Tree) wants(key string) bool {
	if isPattern(t.key) {
		pattern := strings.TrimSuffix(t.key, "/")
		ok, _ := matchSteps(pattern, key)
		return ok && !hiddenBelow(pattern, key)
	}
	folder := strings.TrimSuffix(t.key, "/")
	rest := key
	if folder != "" {
		var ok bool
		if rest, ok = strings.CutPrefix(key, folder+"/"); !ok {
			return false
		}
	}
	for step := range strings.SplitSeq(rest, "/") {
		if isHidden(step) {
			return false
		}
	}
	return true
}

// digest is the ETag: it changes with the bytes.
func (t s3Tree) digest(_ context.Context, f logFile) (string, error) { return f.version, nil }

// open takes keys as they come: they need not be clean paths.
func (t s3Tree) open(ctx context.Context, name, version string, off, n int64) (io.ReadCloser, error) {
	b := &s3Body{ctx: ctx, store: t.store, key: strings.TrimPrefix(name, t.store.Name("")), off: off, end: off + n, info: Info{Version: version}}
	if n == 0 {
		return b, nil
	}
	if err := b.open(); err != nil {
		return nil, err
	}
	return b, nil
}
