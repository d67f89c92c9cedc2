package lakeio

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sync/errgroup"

	"millrace/io/driver"
)

// fileTree is one path on disk: a file, a folder, or a pattern.
type fileTree struct{ path string }

func (t fileTree) find(ctx context.Context) (files []logFile, notes []string, err error) {
	f := &finder{ctx: ctx}
	switch st, err := os.Stat(t.path); {
	case err == nil && st.IsDir():
		if err := f.folder(t.path); err != nil {
			return nil, nil, err
		}
	case err == nil:
		if !st.Mode().IsRegular() {
			return nil, nil, badPlace(t.path, "it is not a regular file", "copy what it gives into a file and name that")
		}
		f.add(t.path, st)
	case isPattern(t.path):
		if err := f.pattern(t.path); err != nil {
			return nil, nil, err
		}
	default:
		return nil, nil, fileError("read", t.path, err)
	}
	if len(f.files) == 0 {
		return nil, nil, nothing(t.path)
	}
	slices.SortFunc(f.files, func(a, b logFile) int { return strings.Compare(a.name, b.name) })
	return f.files, f.notes, nil
}

// nothing reports a folder or pattern without a file in it.
func nothing(place string) error {
	what, cure := "there is no file in it", "names that begin with . or _ do not count; check the path"
	if isPattern(place) {
		what, cure = "no file matches", "check it with ls; * and ? do not reach over a slash, and quote the pattern in the shell"
	}
	return &driver.Error{Doing: "find logs in", Object: place, Class: driver.ErrNotFound, Cause: errors.New(what), Cure: cure}
}

// finder collects files.
type finder struct {
	ctx   context.Context
	files []logFile
	notes []string
}

// add notes a file with its inode as the version: a log that is appended to
// keeps it, one that is rotated away does not.
func (f *finder) add(name string, st fs.FileInfo) {
	file := logFile{name: name, size: st.Size()}
	if inode, ok := inodeOf(st); ok {
		file.version = strconv.FormatUint(inode, 10)
	}
	f.files = append(f.files, file)
}

func (f *finder) folder(root string) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if cause := context.Cause(f.ctx); cause != nil {
			return cause
		}
		if err != nil {
			return fileError("read", p, err)
		}
		if p != root && isHidden(d.Name()) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		st, err := os.Stat(p) // through a link, unlike d
		if err != nil {
			return fileError("read", p, err)
		}
		if !st.Mode().IsRegular() {
			f.notes = append(f.notes, fmt.Sprintf("%s is not a regular file and is left out", p))
			return nil
		}
		f.add(p, st)
		return nil
	})
}

func (f *finder) pattern(pattern string) error {
	matches, err := filepath.Glob(pattern)
	if err != nil {
		return badPattern(pattern)
	}
	for _, name := range matches {
		if hiddenBelow(filepath.ToSlash(pattern), filepath.ToSlash(name)) {
			continue
		}
		st, err := os.Stat(name)
		if err != nil {
			return fileError("read", name, err)
		}
		switch {
		case st.IsDir():
			err = f.folder(name)
		case st.Mode().IsRegular():
			f.add(name, st)
		default:
			f.notes = append(f.notes, fmt.Sprintf("%s is not a regular file and is left out", name))
		}
		if err != nil {
			return err
		}
	}
	if len(f.files) > 0 {
		return nil
	}
	// Glob is silent about folders it cannot look into.
	dir := pattern
	for isPattern(dir) {
		dir = filepath.Dir(dir)
	}
	_, err = os.ReadDir(dir)
	return fileError("read", dir, err)
}

// digestPart is how much of a file one core digests at a time: longer files have the digest of
// their parts' digests.
var digestPart = int64(32 << 20) // tests have less

// digest reads the file, which a disk gives many times as fast as it is worked off. Times
// would not do: a corrected file can have those of the one it replaces.
func (t fileTree) digest(ctx context.Context, f logFile) (string, error) {
	parts := make([]uint64, max(1, (f.size+digestPart-1)/digestPart))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range parts {
		group.Go(func() (err error) {
			from := int64(i) * digestPart
			parts[i], err = t.digestOf(ctx, f, from, min(digestPart, f.size-from))
			return err
		})
	}
	if err := group.Wait(); err != nil || len(parts) == 1 {
		return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, parts[0])), err
	}
	h := xxhash.New()
	for _, part := range parts {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, part))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// digestOf is that of n bytes from off on.
func (t fileTree) digestOf(ctx context.Context, f logFile, off, n int64) (uint64, error) {
	file, err := t.open(ctx, f.name, f.version, off, n)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	h, buf := xxhash.New(), make([]byte, min(n, 256<<10))
	for {
		n, err := file.Read(buf)
		_, _ = h.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return h.Sum64(), nil
		}
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return 0, err
		}
	}
}

func (t fileTree) open(_ context.Context, name, version string, off, n int64) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError("read", name, err)
	}
	st, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, fileError("read", name, err)
	}
	if inode, ok := inodeOf(st); ok && version != "" && version != strconv.FormatUint(inode, 10) {
		_ = f.Close()
		return nil, changed(name, "another file has its name now")
	}
	return readCloser{&exactly{name: name, r: io.NewSectionReader(f, off, n), left: n}, f}, nil
}

// exactly reads a part of a file that must be there.
type exactly struct {
	name string
	r    io.Reader
	left int64
}

func (e *exactly) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.left -= int64(n)
	if errors.Is(err, io.EOF) && e.left > 0 {
		return n, changed(e.name, fmt.Sprintf("it lost at least %d bytes", e.left))
	}
	if !errors.Is(err, io.EOF) {
		err = fileError("read", e.name, err)
	}
	return n, err
}

func isHidden(name string) bool { return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") }

func isPattern(p string) bool { return strings.ContainsAny(p, `*?[\`) }

func badPattern(pattern string) error {
	return badPlace(pattern, "the pattern is malformed", "close its brackets, and put a backslash before a literal [, * or ?")
}

// hiddenBelow tells whether a name that a pattern matches, or that lies below
// such a folder, has a hidden step which the pattern does not spell out.
func hiddenBelow(pattern, name string) bool {
	steps := strings.Split(pattern, "/")
	for i, step := range strings.Split(name, "/") {
		if isHidden(step) && (i >= len(steps) || !strings.HasPrefix(steps[i], step[:1])) {
			return true
		}
	}
	return false
}

// matchSteps matches a pattern against as many steps of a name as it has, so
// that a matched folder stands for what is in it.
func matchSteps(pattern, name string) (bool, error) {
	steps, have := strings.Count(pattern, "/")+1, strings.Split(name, "/")
	if len(have) < steps {
		return path.Match(pattern, name)
	}
	return path.Match(pattern, strings.Join(have[:steps], "/"))
}
