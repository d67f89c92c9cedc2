package nab

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"millrace/transforms/anomaly"
)

// Run scores the corpus in dir with a detector of its own for each file, and
// writes OUT/<category>/millrace_<file>.csv with timestamp, value and
// anomaly_score. A row's score is written before the next row is read.
func Run(ctx context.Context, dir, out string, o anomaly.Options) (*Report, error) {
	files, err := Files(dir)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no series in %s: files lie in data/<category>/<file>.csv or .csv.gz", dir)
	}
	all := make([]Series, len(files))
	for i := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if all[i], err = score(&files[i], out, o); err != nil {
			return nil, err
		}
	}
	return NewReport(all), nil
}

func score(f *File, out string, o anomaly.Options) (s Series, err error) {
	folder := filepath.Join(out, f.Category)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return s, fmt.Errorf("making a folder for scores: %w", err)
	}
	path := filepath.Join(folder, "millrace_"+f.Name)
	file, err := os.Create(path)
	if err != nil {
		return s, fmt.Errorf("writing scores: %w", err)
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	w.WriteString("timestamp,value,anomaly_score\n") //nolint:errcheck // Flush tells
	s.Category = f.Category
	var times []time.Time
	d := anomaly.New(o)
	err = f.Rows(func(r Row) error {
		got := d.Add(anomaly.Point{Time: r.Time.UnixMilli(), Value: r.Value})
		times = append(times, r.Time)
		s.Scores = append(s.Scores, got.Score)
		_, err := w.WriteString(r.Text + "," + r.Raw + "," + strconv.FormatFloat(got.Score, 'g', -1, 64) + "\n")
		return err
	})
	if err != nil {
		return s, err
	}
	if err := w.Flush(); err != nil {
		return s, fmt.Errorf("writing scores to %s: %w", path, err)
	}
	if err := file.Close(); err != nil {
		return s, fmt.Errorf("writing scores to %s: %w", path, err)
	}
	s.Windows, err = f.Labelled(times)
	return s, err
}

// Flags are what a command asks for.
type Flags struct{ NoShapes bool }

// Options are those of the detector.
func (f Flags) Options() anomaly.Options { return anomaly.Options{Shapes: !f.NoShapes} }
