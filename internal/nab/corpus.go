package nab

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// File is one series of the corpus.
type File struct {
	Category string
	Name     string // <name>.csv
	path     string
	windows  [][2]string // first and last time, as the labels have them
}

// Files lists DIR/data/<category>/<file>.csv[.gz] with the windows that
// DIR/labels/combined_windows.json gives them, by category and name. A file
// without an entry there is an error, and so is an entry without a file.
func Files(dir string) ([]File, error) {
	labels := filepath.Join(dir, "labels", "combined_windows.json")
	windows, err := readLabels(labels)
	if err != nil {
		return nil, fmt.Errorf("reading the anomaly windows: %w; --data is a folder like NAB's, with data and labels in it", err)
	}
	data := filepath.Join(dir, "data")
	var files []File
	err = filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		plain := strings.TrimSuffix(path, ".gz")
		if err != nil || d.IsDir() || filepath.Ext(plain) != ".csv" {
			return err
		}
		key, err := filepath.Rel(data, plain)
		if err != nil {
			return err
		}
		key = filepath.ToSlash(key)
		w, labelled := windows[key]
		if !labelled {
			return fmt.Errorf("%s has no entry in %s: give it one, an empty list if it has no anomaly", path, labels)
		}
		delete(windows, key)
		category, name := filepath.Split(filepath.FromSlash(key))
		files = append(files, File{Category: filepath.Clean(category), Name: name, path: path, windows: w})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing the series: %w", err)
	}
	for key := range windows { // any of them will do
		return nil, fmt.Errorf("%s speaks of %s, which is not in %s", labels, key, data)
	}
	slices.SortFunc(files, func(a, b File) int {
		return strings.Compare(a.Category+"\x00"+a.Name, b.Category+"\x00"+b.Name)
	})
	return files, nil
}

func readLabels(path string) (map[string][][2]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var windows map[string][][2]string
	if err := json.Unmarshal(b, &windows); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return windows, nil
}

// Row is one reading.
type Row struct {
	Text  string // the time as the file has it
	Time  time.Time
	Value float64
	Raw   string // the value as the file has it
}

// Rows hands the rows of a file to each, one after another.
func (f *File) Rows(each func(Row) error) error {
	if err := f.rows(each); err != nil {
		return fmt.Errorf("reading %s: %w", f.path, err)
	}
	return nil
}

func (f *File) rows(each func(Row) error) error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	var in io.Reader = file
	if strings.HasSuffix(f.path, ".gz") {
		zip, err := gzip.NewReader(file)
		if err != nil {
			return err
		}
		in = zip
	}
	rows := csv.NewReader(in)
	rows.FieldsPerRecord = 2
	rows.ReuseRecord = true
	if head, err := rows.Read(); err != nil {
		return err
	} else if head[0] != "timestamp" || head[1] != "value" {
		return fmt.Errorf("the columns are %q; timestamp,value was expected", head)
	}
	for {
		r, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		t, err := time.Parse(time.DateTime, r[0])
		if err != nil {
			return err
		}
		v, err := strconv.ParseFloat(r[1], 64)
		if err != nil {
			return err
		}
		if err := each(Row{Text: r[0], Time: t, Value: v, Raw: r[1]}); err != nil {
			return err
		}
	}
}

// Labelled finds the windows of a file among the times of its rows. As in NAB a
// time that occurs twice means the first of them.
func (f *File) Labelled(times []time.Time) ([]Window, error) {
	var windows []Window
	for _, w := range f.windows {
		var at Window
		for end, text := range w {
			t, err := time.Parse(time.DateTime, text) // which also takes fractions of a second
			if err != nil {
				return nil, fmt.Errorf("a window of %s: %w", f.path, err)
			}
			i := slices.IndexFunc(times, t.Equal)
			if i < 0 {
				return nil, fmt.Errorf("a window of %s begins or ends at %s, where no row is", f.path, text)
			}
			*[]*int{&at.First, &at.Last}[end] = i
		}
		if at.Last <= at.First || len(windows) > 0 && at.First <= windows[len(windows)-1].Last {
			return nil, fmt.Errorf("the windows of %s are not in order", f.path)
		}
		windows = append(windows, at)
	}
	return windows, nil
}
