package devices

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// WriteFiles writes readings.ndjson (with .gz where asked for), truth.json, and with
// canaries truth_canaries.txt, into dir. Canaries are also the names of the patients.
func WriteFiles(dir string, c Config, compress bool) (Truth, error) {
	if err := c.Validate(); err != nil {
		return Truth{}, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Truth{}, fmt.Errorf("make folder for readings: %w", err)
	}
	name := filepath.Join(dir, "readings.ndjson")
	if compress {
		name += ".gz"
	}
	f, err := os.Create(name)
	if err != nil {
		return Truth{}, fmt.Errorf("create file of readings: %w", err)
	}
	buffer := bufio.NewWriterSize(f, 1<<20)
	var to io.Writer = buffer
	var zip *gzip.Writer
	if compress {
		zip = gzip.NewWriter(buffer) // no name and no time in it
		to = zip
	}
	s := newSimulation(c)
	err = s.simulate(func(line []byte) error {
		_, err := to.Write(append(line, '\n'))
		return err
	})
	if zip != nil {
		err = errors.Join(err, zip.Close())
	}
	if err = errors.Join(err, buffer.Flush(), f.Close()); err != nil {
		return s.truth, fmt.Errorf("write readings to %s: %w", name, err)
	}
	return s.truth, writeTruth(dir, s)
}

// writeTruth writes what is true of the lines given so far into a folder.
func writeTruth(dir string, s *simulation) error {
	truth := s.truth
	text, err := json.MarshalIndent(truth, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "truth.json"), append(text, '\n'), 0o644)
	}
	if err == nil && s.Canaries {
		var planted []string // kind, tab, value
		for _, c := range truth.Canaries {
			planted = append(planted, "email\t"+c)
		}
		for i := range s.Patients {
			planted = append(planted, "patient\t"+s.patient(i))
		}
		err = os.WriteFile(filepath.Join(dir, "truth_canaries.txt"), []byte(strings.Join(planted, "\n")+"\n"), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the truth about readings: %w", err)
	}
	return nil
}
