package lakeio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"millrace/io/driver"
)

// stagingDir holds files that are still being written, below the root so that
// they lie in the same filesystem and a rename is atomic. A file there is
// locked by its writer; one without a lock belongs to a dead process.
const stagingDir = "_staging/put"

// fileStore is a lake in a folder.
type fileStore struct{ root string }

var _ Store = (*fileStore)(nil)

func newFileStore(root string) *fileStore { return &fileStore{root: root} }

func (s *fileStore) path(key string) string { return filepath.Join(s.root, filepath.FromSlash(key)) }

func (s *fileStore) Name(key string) string { return s.path(key) }

func (s *fileStore) Put(ctx context.Context, key string, r io.Reader, opt PutOptions) (Info, error) {
	return put(ctx, s, key, r, opt)
}

func (s *fileStore) Get(ctx context.Context, key string) (io.ReadCloser, Info, error) {
	if err := checkKey(s, key); err != nil {
		return nil, Info{}, err
	}
	f, err := os.Open(s.path(key))
	if err != nil {
		return nil, Info{}, fileError("read", s.path(key), err)
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = fs.ErrNotExist // folders are no objects
	}
	if err != nil {
		_ = f.Close()
		return nil, Info{}, fileError("read", s.path(key), err)
	}
	return f, fileInfo(key, st), nil
}

func (s *fileStore) GetRange(ctx context.Context, key string, off, n int64, version string) (io.ReadCloser, error) {
	r, info, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	if version != "" && info.Version != version {
		r.Close()
		return nil, changed(s.path(key), "it is another version now")
	}
	if off < 0 || n < 0 || off > info.Size-n {
		r.Close()
		return nil, &driver.Error{
			Doing: "read", Object: s.path(key), Class: driver.ErrInvalid,
			Cause: fmt.Errorf("it has %d bytes, not %d from %d on", info.Size, n, off),
		}
	}
	return readCloser{io.NewSectionReader(r.(*os.File), off, n), r}, nil
}

// readCloser reads from one thing and closes another.
type readCloser struct {
	io.Reader
	io.Closer
}

func (s *fileStore) Stat(ctx context.Context, key string) (Info, error) {
	if err := checkKey(s, key); err != nil {
		return Info{}, err
	}
	st, err := os.Stat(s.path(key))
	if err == nil && st.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return Info{}, fileError("stat", s.path(key), err)
	}
	return fileInfo(key, st), nil
}

func (s *fileStore) List(ctx context.Context, prefix string) ([]Info, error) {
	dir := ""
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		dir = prefix[:i]
		if err := checkKey(s, dir); err != nil {
			return nil, err
		}
	}
	var infos []Info
	err := filepath.WalkDir(s.path(dir), func(p string, d fs.DirEntry, err error) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // the root is not made yet, or a file went away meanwhile
			}
			return err
		}
		rel, err := filepath.Rel(s.root, p)
		if err != nil {
			return err
		}
		key := filepath.ToSlash(rel)
		if d.IsDir() {
			if key == stagingDir || key != "." && !strings.HasPrefix(key+"/", prefix) && !strings.HasPrefix(prefix, key+"/") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasPrefix(key, prefix) {
			return nil
		}
		st, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && st.Mode().IsRegular() {
			info := fileInfo(key, st)
			info.Now = time.Time{}
			infos = append(infos, info)
		}
		return err
	})
	if err != nil {
		return nil, fileError("list", s.path(dir), err)
	}
	slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(a.Key, b.Key) })
	return infos, nil
}

// Delete also removes the folders it empties, since a day without files is no
// day in the lake.
func (s *fileStore) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := checkKey(s, key); err != nil {
			return err
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := os.Remove(s.path(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fileError("remove", s.path(key), err)
		}
		s.prune(filepath.Dir(s.path(key)))
	}
	return nil
}

func (s *fileStore) Sweep(ctx context.Context) error {
	dir := s.path(stagingDir)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError("list", dir, err)
	}
	for _, e := range entries {
		// For writing, which NFS wants of those who lock.
		f, err := os.OpenFile(filepath.Join(dir, e.Name()), os.O_RDWR, 0)
		if err != nil {
			continue // finished meanwhile
		}
		if flock(f, syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.Remove(f.Name())
		}
		_ = f.Close()
	}
	s.prune(dir)
	return nil
}

// fileInfo makes a version of what every write by rename changes.
func fileInfo(key string, st fs.FileInfo) Info {
	version := fmt.Sprintf("%d-%d", st.ModTime().UnixNano(), st.Size())
	if inode, ok := inodeOf(st); ok {
		version = fmt.Sprintf("%d-%s", inode, version)
	}
	return Info{Key: key, Size: st.Size(), Version: version, Modified: st.ModTime(), Now: time.Now()}
}

func inodeOf(st fs.FileInfo) (uint64, bool) {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(sys.Ino), true
}

func changed(object, what string) error {
	return &driver.Error{
		Doing: "read", Object: object, Class: driver.ErrChanged, Cause: errors.New(what),
		Cure: "something wrote to it during the run; run again",
	}
}
