package maskkey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
)

// maxFile bounds what is read as a key file: hundreds of keys.
const maxFile = 64 << 10

// Resolve fetches the keys that ref names:
//
//	file:///path   a file in one of the forms of Parse
//	env://NAME     an environment variable in one of the text forms
//	awskms://KEY?dataset=NAME&ring=PLACE
//	               keys that AWS KMS made, wrapped in a ring file or S3 object
//
// Errors name the reference, what is wrong with it and the cure; they never
// quote content. A key file that others may read works and leaves a warning.
func Resolve(ctx context.Context, ref string) (Ring, error) {
	if err := ctx.Err(); err != nil {
		return Ring{}, err
	}
	scheme, rest, ok := strings.Cut(ref, "://")
	switch {
	case ok && scheme == "file":
		ring, err := fromFile(ref)
		if err != nil {
			return Ring{}, fmt.Errorf("mask key %s: %w", ref, err)
		}
		return ring, nil
	case ok && scheme == "env":
		ring, err := fromEnv(rest)
		if err != nil {
			return Ring{}, fmt.Errorf("mask key env://%s: %w", rest, err)
		}
		return ring, nil
	case ok && scheme == "awskms":
		ring, err := fromKMS(ctx, rest)
		if err != nil {
			return Ring{}, fmt.Errorf("mask key awskms://%s: %w", rest, err)
		}
		return ring, nil
	}
	// What is not a reference may well be the key itself: do not repeat it.
	if !ok {
		return Ring{}, errors.New("mask key: want a reference, file:///path, env://NAME or awskms://KEY?dataset=NAME&ring=PLACE, not a key or a bare path")
	}
	return Ring{}, errors.New("mask key: unknown scheme: want file:///path, env://NAME or awskms://KEY?dataset=NAME&ring=PLACE")
}

// FileRef returns the reference of a key file, whatever characters its absolute
// path has.
func FileRef(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }

func fromFile(ref string) (Ring, error) {
	u, err := url.Parse(ref)
	if err != nil || u.Host != "" || u.RawQuery != "" || u.Fragment != "" || !strings.HasPrefix(u.Path, "/") {
		return Ring{}, errors.New("want file:///absolute/path, without host and parameters")
	}
	return readFile(u.Path)
}

func readFile(path string) (Ring, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return Ring{}, fmt.Errorf("no such file: %s > %s && chmod 600 %s", strings.TrimSuffix(cure, "`"), path, path+"`")
		}
		return Ring{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Ring{}, err
	}
	if !info.Mode().IsRegular() && info.IsDir() {
		return Ring{}, errors.New("it is a directory: name the key file in it")
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Ring{}, err
	}
	if len(content) > maxFile {
		return Ring{}, fmt.Errorf("longer than %d bytes, so not a key file", maxFile)
	}
	ring, err := Parse(content)
	if err != nil {
		return Ring{}, err
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o077 != 0 {
		ring.warnings = append(ring.warnings, fmt.Sprintf("mask key file %s is open to other users (mode %#o): chmod 600 %s", path, mode.Perm(), path))
	}
	return ring, nil
}

func fromEnv(name string) (Ring, error) {
	if name == "" || strings.ContainsAny(name, "/?#= ") {
		return Ring{}, errors.New("want env://NAME with the name of one environment variable")
	}
	content, ok := os.LookupEnv(name)
	if !ok {
		return Ring{}, fmt.Errorf("the variable is not set: export %s=$(openssl rand -hex 32) and keep that value safe", name)
	}
	return Parse([]byte(content))
}
