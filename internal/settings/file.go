package settings

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// Limits of a YAML file of settings. The parser takes time and memory that grow with
// the square of the nesting: 64 KiB of brackets cost it 4.7 GiB. Settings are two
// levels deep.
const (
	maxFile    = 128 << 10 // bytes
	maxNesting = 32        // brackets and braces that are open at a time; dashes in a line
)

// ReadFile reads a file of settings, of which no more is read than one may have.
func ReadFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	content = bytes.TrimPrefix(content, byteOrderMark)
	return content, CheckFile(content, name)
}

// byteOrderMark stands before what some editors write, and would be part of the first key.
var byteOrderMark = []byte("\xef\xbb\xbf")

// CheckFile refuses content that a YAML parser should not see. What it counts it
// also counts in quotes and comments: where such text is nested so deep, it is no
// setting either.
func CheckFile(content []byte, name string) error {
	if len(content) > maxFile {
		return fmt.Errorf("%s: it is longer than the %d KiB that a file of settings can have; name the right file", name, maxFile>>10)
	}
	line, open, items := 1, 0, 0
	for i, c := range content {
		switch c {
		case '\n':
			line, items = line+1, 0
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		case '-', '?': // alone, it begins an item or a key
			before, after := byte(' '), byte(' ')
			if i > 0 {
				before = content[i-1]
			}
			if i+1 < len(content) {
				after = content[i+1]
			}
			if isBlank(before) && isBlank(after) {
				items++
			}
		}
		if open > maxNesting || items > maxNesting {
			return fmt.Errorf("%s:%d: more than %d levels lie in one another; settings are NAME: VALUE, one a line", name, line, maxNesting)
		}
	}
	return nil
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
