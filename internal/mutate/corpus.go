package mutate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// header is the first line of a file of inputs as package testing writes them.
const header = "go test fuzz v1"

// corpora are the inputs of a target that are in files: in testdata/fuzz and in Go's
// cache. Those of another signature are left out, as the cache may hold old ones.
func corpora(name string, target reflect.Type) ([][]any, error) {
	folders := []string{filepath.Join("testdata", "fuzz", name)}
	if cached, err := cacheFolder(); err == nil {
		folders = append(folders, filepath.Join(cached, name))
	}
	var all [][]any
	for _, folder := range folders {
		files, err := os.ReadDir(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading inputs: %w", err)
		}
		for _, f := range files {
			content, err := os.ReadFile(filepath.Join(folder, f.Name()))
			if err != nil {
				return nil, fmt.Errorf("reading inputs: %w", err)
			}
			if args, err := decode(content, target); err == nil {
				all = append(all, args)
			}
		}
	}
	return all, nil
}

// cacheFolder is where go test -fuzz keeps what it finds for the package under test,
// which is in the current folder.
var cacheFolder = sync.OnceValues(func() (string, error) {
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return "", fmt.Errorf("asking for Go's cache: %w", err)
	}
	path, err := exec.Command("go", "list").Output()
	if err != nil {
		return "", fmt.Errorf("asking for the package's path: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(cache)), "fuzz", strings.TrimSpace(string(path))), nil
})

// decode reads the arguments of a target, one a line, each a conversion of a literal:
// []byte("abc"), int64(-7).
func decode(content []byte, target reflect.Type) ([]any, error) {
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	if lines[0] != header || len(lines) != target.NumIn() {
		return nil, errors.New("it is no input of this target")
	}
	args := make([]any, len(lines)-1)
	for i, line := range lines[1:] {
		want := target.In(i + 1)
		value := reflect.New(want).Elem()
		if err := decodeValue(value, line); err != nil {
			return nil, fmt.Errorf("argument %d, a %s: %w", i+1, want, err)
		}
		args[i] = value.Interface()
	}
	return args, nil
}

var errForm = errors.New("it is no conversion of a literal")

func decodeValue(into reflect.Value, text string) error {
	e, err := parser.ParseExpr(text)
	if err != nil {
		return fmt.Errorf("%w: %w", errForm, err)
	}
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return errForm
	}
	literal := text[call.Args[0].Pos()-1 : call.Args[0].End()-1]
	switch kind := into.Kind(); kind {
	case reflect.Bool:
		b, err := strconv.ParseBool(literal)
		into.SetBool(b)
		return err
	case reflect.String, reflect.Slice:
		if l, ok := call.Args[0].(*ast.BasicLit); !ok || l.Kind != token.STRING {
			return errForm
		}
		s, err := strconv.Unquote(literal)
		if kind == reflect.String {
			into.SetString(s)
		} else {
			into.SetBytes([]byte(s))
		}
		return err
	default:
		if c, _, _, err := strconv.UnquoteChar(strings.TrimPrefix(literal, "'"), '\''); err == nil && literal[0] == '\'' {
			literal = strconv.Itoa(int(c))
		}
		switch {
		case into.CanInt():
			n, err := strconv.ParseInt(literal, 0, into.Type().Bits())
			into.SetInt(n)
			return err
		case into.CanUint():
			n, err := strconv.ParseUint(literal, 0, into.Type().Bits())
			into.SetUint(n)
			return err
		}
		return fmt.Errorf("%w: of a type that is not known here", errForm)
	}
}

// encode is the inverse of decode.
func encode(args []any) []byte {
	b := bytes.NewBufferString(header + "\n")
	for _, a := range args {
		switch a := a.(type) {
		case []byte:
			fmt.Fprintf(b, "[]byte(%q)\n", a)
		case string:
			fmt.Fprintf(b, "string(%q)\n", a)
		default:
			fmt.Fprintf(b, "%T(%v)\n", a, a)
		}
	}
	return b.Bytes()
}

// keep writes an input that fails where go test looks for inputs, and gives its path.
func keep(name string, args []any) (string, error) {
	content := encode(args)
	sum := sha256.Sum256(content)
	path := filepath.Join("testdata", "fuzz", name, hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return "", fmt.Errorf("keeping an input that fails: %w", err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return "", fmt.Errorf("keeping an input that fails: %w", err)
	}
	return path, nil
}
