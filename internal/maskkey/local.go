package maskkey

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Default returns the local user's own key, kept in millrace/mask.key below
// configDir (the user's configuration folder when empty). The first use makes
// it: mode 0600 in a folder of mode 0700. The file appears whole, and of runs
// that start at the same moment one makes it and all use it.
func Default(configDir string) (ring Ring, path string, created bool, err error) {
	if configDir == "" {
		if configDir, err = os.UserConfigDir(); err != nil {
			return Ring{}, "", false, fmt.Errorf("folder for the local mask key: %w: name a key with --mask-key", err)
		}
	}
	path = DefaultPath(configDir)
	// Looked for before it is read: a file that another run makes in between is
	// that run's key, not a broken one.
	if !fileExists(path) {
		if created, err = makeFile(path); err != nil {
			return Ring{}, path, false, wrapLocal(path, err)
		}
	}
	ring, err = readFile(path)
	return ring, path, created, wrapLocal(path, err)
}

// makeFile writes a new key at path unless another run is faster. The key is
// linked into place, which fails when the name exists already.
func makeFile(path string) (created bool, err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	tmp, err := os.CreateTemp(dir, ".mask.key-*") // mode 0600
	if err != nil {
		return false, err
	}
	defer os.Remove(tmp.Name())
	var secret [Size]byte
	_, _ = rand.Read(secret[:]) // never fails
	_, err = fmt.Fprintf(tmp, "k%s:%s\n", checkValue(secret)[:6], hex.EncodeToString(secret[:]))
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return false, err
	}
	switch err = os.Link(tmp.Name(), path); {
	case err == nil:
		return true, nil
	case errors.Is(err, os.ErrExist):
		return false, nil
	}
	return false, err
}

func fileExists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func wrapLocal(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("local mask key %s: %w: repair or remove it, or name a key with --mask-key", path, err)
}
