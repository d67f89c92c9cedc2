package lakeio

import (
	"context"
	"errors"
	"io"
	"path"
	"strings"
	"time"

	"millrace/io/driver"
)

// Store is the place a lake lies in: whole objects by slash-separated keys,
// under one root. It guarantees:
//
//   - An object appears whole or not at all, whatever happens to the writer, and
//     is durable once Commit or Put returned.
//   - A conditional write has one winner; the losers get driver.ErrConflict.
//   - A read gives the bytes of one version or an error (driver.ErrChanged).
//   - What can be retried was retried: an error is final.
//
// It is safe for concurrent use. Errors are *driver.Error.
type Store interface {
	// Create starts an object. Nothing is visible before its Commit.
	Create(ctx context.Context, key string, opt PutOptions) (Writer, error)
	// Put writes an object from r.
	Put(ctx context.Context, key string, r io.Reader, opt PutOptions) (Info, error)
	// Get reads an object from its start.
	Get(ctx context.Context, key string) (io.ReadCloser, Info, error)
	// GetRange reads n bytes from off on of one version; an empty version means
	// the present one. Fewer bytes than n are an error of the read.
	GetRange(ctx context.Context, key string, off, n int64, version string) (io.ReadCloser, error)
	// Stat describes an object.
	Stat(ctx context.Context, key string) (Info, error)
	// List gives all objects whose key begins with prefix, in byte order of keys.
	// It is empty where nothing is, even where the root does not exist yet.
	List(ctx context.Context, prefix string) ([]Info, error)
	// Delete removes objects. One that is not there is no error.
	Delete(ctx context.Context, keys ...string) error
	// Sweep removes what interrupted writes left behind and no reader ever sees.
	// It spares writes that are under way.
	Sweep(ctx context.Context) error
	// Name is the object as a person knows it, a path or URL; Name("") is the root.
	Name(key string) string
}

// Writer takes the content of one object. Exactly one of Commit and Abort ends
// it; Abort after Commit does nothing, so it can be deferred.
type Writer interface {
	io.Writer
	Commit(ctx context.Context) (Info, error)
	Abort()
}

// PutOptions are conditions on a write. The zero value overwrites.
type PutOptions struct {
	IfNoneMatch bool   // only if no object has the key
	IfMatch     string // only if the present object has this Version
	SHA256      string // hex; only if the content hashes to it (else driver.ErrCorrupt)
}

// Info describes an object.
type Info struct {
	Key      string
	Size     int64
	Version  string    // changes with every write of the key: an ETag, or the inode, time and size of a file
	Modified time.Time // by the clock of the store
	// Now is the store's clock when it answered, so that an age does not depend
	// on two clocks. Zero in the results of List.
	Now time.Time
}

// OpenStore opens a lake location; see Source for the forms. It touches nothing:
// the root is made by the first write. Parameters of s3: region, sse (aws:kms or
// AES256), kms_key_id.
func OpenStore(ctx context.Context, location string) (Store, error) {
	p, err := parsePlace(location)
	if err != nil {
		return nil, err
	}
	if !p.onS3() {
		return newFileStore(p.path), p.Done()
	}
	cfg, err := readS3Config(p)
	if err != nil {
		return nil, err
	}
	if err := p.Done(); err != nil {
		return nil, err
	}
	return newS3Store(ctx, p.bucket, p.key, cfg)
}

// put is Put in terms of Create, for every store.
func put(ctx context.Context, s Store, key string, r io.Reader, opt PutOptions) (Info, error) {
	w, err := s.Create(ctx, key, opt)
	if err != nil {
		return Info{}, err
	}
	defer w.Abort()
	if _, err := io.Copy(w, r); err != nil {
		return Info{}, err
	}
	return w.Commit(ctx)
}

// ReadAll reads a small object (a manifest) of at most limit bytes.
func ReadAll(ctx context.Context, s Store, key string, limit int64) ([]byte, Info, error) {
	r, info, err := s.Get(ctx, key)
	if err != nil {
		return nil, Info{}, err
	}
	defer r.Close()
	if info.Size > limit {
		return nil, info, tooLarge(s, key)
	}
	// What the store says of its size can be old, or 0 of what is no plain file.
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, info, tooLarge(s, key)
	}
	return data, info, err
}

func tooLarge(s Store, key string) error {
	return &driver.Error{
		Doing: "read", Object: s.Name(key), Class: driver.ErrInvalid,
		Cause: errors.New("it is larger than such an object can be"), Cure: "see whether something else was put there",
	}
}

// checkKey keeps keys inside the root and equal on every store.
func checkKey(s Store, key string) error {
	if key == "" || strings.HasPrefix(key, "/") || path.Clean(key) != key || key == ".." || strings.HasPrefix(key, "../") || strings.ContainsRune(key, 0) {
		return &driver.Error{
			Doing: "use the key " + key + " in", Object: s.Name(""), Class: driver.ErrInvalid,
			Cause: errors.New("a key is a relative path without . and .. steps"),
		}
	}
	return nil
}
