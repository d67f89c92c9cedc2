package generate

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// AuthTruth is what is true of a log of authentication.
type AuthTruth struct {
	Lines   int64     `json:"lines"`
	Until   string    `json:"until"` // day of the last line, UTC
	Last    time.Time `json:"last"`
	Attacks []Attack  `json:"attacks"`
}

// WriteAuthLog writes auth.log (with .gz where asked for) and truth.json into dir.
func WriteAuthLog(dir string, cfg AuthConfig, compress bool) (truth AuthTruth, err error) {
	lines, attacks, err := AuthLog(cfg)
	if err != nil {
		return truth, err
	}
	last := lines[len(lines)-1].At.UTC()
	truth = AuthTruth{Lines: int64(len(lines)), Until: last.Format(time.DateOnly), Last: last, Attacks: attacks}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return truth, fmt.Errorf("make folder for the log: %w", err)
	}
	name := filepath.Join(dir, "auth.log")
	if compress {
		name += ".gz"
	}
	if err := writeLines(name, lines, compress); err != nil {
		return truth, fmt.Errorf("write the log to %s: %w", name, err)
	}
	text, err := json.MarshalIndent(truth, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "truth.json"), append(text, '\n'), 0o644)
	}
	if err != nil {
		return truth, fmt.Errorf("write the truth about the log: %w", err)
	}
	return truth, nil
}

func writeLines(name string, lines []AuthLine, compress bool) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriterSize(f, 1<<20)
	var to io.Writer = buffer
	var zip *gzip.Writer
	if compress {
		zip = gzip.NewWriter(buffer) // no name and no time in it
		to = zip
	}
	for _, l := range lines {
		if _, err = io.WriteString(to, l.Text+"\n"); err != nil {
			break
		}
	}
	if zip != nil {
		err = errors.Join(err, zip.Close())
	}
	return errors.Join(err, buffer.Flush(), f.Close())
}
