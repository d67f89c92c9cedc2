package transforms

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// textFile is a file of reference data as it travels with a pipeline: workers need
// not have it.
type textFile struct {
	File  string // empty for what is built in
	Text  string
	Fault string // why the file could not be read
}

// readTextFile reads a file of at most so many bytes; what says what it is.
func readTextFile(what, path string, most int64) textFile {
	if path == "" {
		return textFile{}
	}
	fail := func(err error) textFile {
		return textFile{File: path, Fault: fmt.Sprintf("reading %s %s: %v", what, path, err)}
	}
	f, err := os.Open(path)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return fail(err)
	}
	if int64(len(text)) > most {
		return fail(fmt.Errorf("it has more than %d bytes", most))
	}
	return textFile{File: path, Text: string(text)}
}

func (f *textFile) err() error {
	if f.Fault != "" {
		return errors.New(f.Fault)
	}
	return nil
}
