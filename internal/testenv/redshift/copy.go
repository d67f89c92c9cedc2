package redshift

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"testing"

	"millrace/internal/testenv"
)

//go:embed copy.py
var copyScript string

// reader is a process with DuckDB that reads Parquet files into CSV files. The tests
// of a process share one; it ends with its standard input, and so with the process.
type reader struct {
	mu  sync.Mutex
	in  io.Writer
	out *bufio.Reader
}

var sharedReader struct {
	once   sync.Once
	reader *reader
	err    error
}

func newReader(t testing.TB) *reader {
	t.Helper()
	python := testenv.Python(t)
	sharedReader.once.Do(func() {
		cmd := exec.Command(python, "-c", copyScript)
		in, err := cmd.StdinPipe()
		out, other := cmd.StdoutPipe()
		if err = errors.Join(err, other); err == nil {
			err = cmd.Start()
		}
		sharedReader.reader, sharedReader.err = &reader{in: in, out: bufio.NewReader(out)}, err
	})
	if sharedReader.err != nil {
		t.Fatalf("start DuckDB: %v", sharedReader.err)
	}
	return sharedReader.reader
}

type readRequest struct {
	Manifest string `json:"manifest"`
	Endpoint string `json:"endpoint"`
	Out      string `json:"out"`
}

// read puts the rows that a manifest names into a CSV file.
func (r *reader) read(request readRequest) error {
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.in.Write(append(line, '\n')); err != nil {
		return err
	}
	text, err := r.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("DuckDB has ended: %w", err)
	}
	var answer struct{ Error string }
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	if answer.Error != "" {
		return errors.New(answer.Error)
	}
	return nil
}
