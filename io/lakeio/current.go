package lakeio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"millrace/io/driver"
	"millrace/schemas/table"
)

// Current is what an output of a lake consists of: LAKE/_current/<output>.json.
// It is replaced as a whole, so whoever reads by it sees a day all at once.
type Current struct {
	Output string                `json:"output"`
	Schema string                `json:"schema"`
	Days   map[string]CurrentDay `json:"days"`
}

// CurrentDay is one UTC day of an output.
type CurrentDay struct {
	Revision int32         `json:"revision"` // grows by one with each backfill that rewrites the day
	Run      string        `json:"run"`      // that wrote it
	Rows     int64         `json:"rows"`
	Sources  []string      `json:"sources,omitempty"` // identities of the inputs its rows came from
	Files    []CurrentFile `json:"files"`
}

// CurrentFile is one Parquet file, by its key in the lake.
type CurrentFile struct {
	Key    string `json:"key"`
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

const currentDir = "_current"

func currentKey(output string) string { return path.Join(currentDir, output+".json") }

// LoadCurrent reads what an output consists of; an output never written is
// empty.
func LoadCurrent(ctx context.Context, s Store, output string) (Current, error) {
	c := Current{Output: output, Days: map[string]CurrentDay{}}
	err := ReadJSON(ctx, s, currentKey(output), &c)
	if errors.Is(err, driver.ErrNotFound) {
		return c, nil
	}
	return c, err
}

// maxJSON bounds the bookkeeping files that are read back.
const maxJSON = 256 << 20

// ReadJSON reads a bookkeeping file of a lake.
func ReadJSON(ctx context.Context, s Store, key string, into any) error {
	b, _, err := ReadAll(ctx, s, key, maxJSON)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return &driver.Error{
			Doing: "read", Object: s.Name(key), Class: driver.ErrCorrupt, Cause: err,
			Cure: "something else than this program has written it: restore it from a backup, or use another lake",
		}
	}
	return nil
}

// WriteJSON puts v as indented JSON.
func WriteJSON(ctx context.Context, s Store, key string, v any) error {
	b, err := indent(v)
	if err != nil {
		return fmt.Errorf("writing %s: %w", s.Name(key), err)
	}
	_, err = s.Put(ctx, key, bytes.NewReader(b), PutOptions{})
	return err
}

func indent(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}

// Standing is what a lake holds before a run.
type Standing map[string]Current // by output

// LoadStanding reads the state of all outputs. A lake whose rows follow another
// version of a schema is refused.
func LoadStanding(ctx context.Context, s Store, schemas map[string]*table.Schema) (Standing, error) {
	st := Standing{}
	for output, schema := range schemas {
		c, err := LoadCurrent(ctx, s, output)
		if err != nil {
			return nil, err
		}
		if len(c.Days) > 0 && c.Schema != schema.ID() {
			return nil, &driver.Error{
				Doing: "write to", Object: s.Name(output), Class: driver.ErrInvalid,
				Cause: fmt.Errorf("it holds rows of schema %s, and this program writes %s", c.Schema, schema.ID()),
				Cure:  "use the version of the program that wrote it, or another lake",
			}
		}
		st[output] = c
	}
	return st, nil
}

// Revisions decides how a run numbers the days it writes: a day it wrote before
// keeps its revision, one that another run wrote gets the next, the same for all
// outputs.
func (st Standing) Revisions(run string) map[int64]int32 {
	revisions := map[int64]int32{}
	for _, c := range st {
		for text, d := range c.Days {
			day, err := ParseDay(text)
			if err != nil {
				continue
			}
			r := d.Revision
			if d.Run != run {
				r++
			}
			revisions[day] = max(revisions[day], r)
		}
	}
	return revisions
}

// Frozen names the days that a run reading only the given sources must not
// rewrite, because rows of others would be lost. replace tells the days the
// user asked to replace.
func (st Standing) Frozen(run string, sources map[string]bool, replace func(day int64) bool) map[int64]string {
	frozen := map[int64]string{}
	for _, output := range slices.Sorted(maps.Keys(st)) {
		for text, d := range st[output].Days {
			day, err := ParseDay(text)
			if err != nil || d.Run == run || replace(day) {
				continue
			}
			for _, src := range d.Sources {
				if !sources[src] {
					frozen[day] = fmt.Sprintf("%s of %s holds rows of an input that this run does not read (identity %s, written by run %s): writing the day would lose them; "+
						"give --source all inputs of the day, or name the days to replace with --from and --to", text, output, src, d.Run)
					break
				}
			}
		}
	}
	return frozen
}

// replaced gives the state of an output after the run, and the files that it no
// longer names.
func (c Current) replaced(run, schema string, touched []int64, revisions map[int64]int32, files []File) (now Current, stale []string) {
	now = Current{Output: c.Output, Schema: schema, Days: maps.Clone(c.Days)}
	if now.Days == nil {
		now.Days = map[string]CurrentDay{}
	}
	for _, day := range touched {
		delete(now.Days, DayText(day))
	}
	for _, f := range files {
		if f.Part.Output != c.Output {
			continue
		}
		text := DayText(f.Part.Day)
		d := now.Days[text]
		d.Revision, d.Run = revisions[f.Part.Day], run
		d.Rows += f.Rows
		d.Files = append(d.Files, CurrentFile{Key: f.Key, Rows: f.Rows, Bytes: f.Bytes, SHA256: f.SHA256})
		d.Sources = append(d.Sources, f.Sources...)
		slices.Sort(d.Sources)
		d.Sources = slices.Compact(d.Sources)
		now.Days[text] = d
	}
	named := map[string]bool{}
	for _, d := range now.Days {
		for _, f := range d.Files {
			named[f.Key] = true
		}
	}
	for _, day := range slices.Sorted(maps.Keys(c.Days)) {
		for _, f := range c.Days[day].Files {
			if !named[f.Key] {
				stale = append(stale, f.Key)
			}
		}
	}
	return now, stale
}

// Views is SQL for DuckDB that makes one view of each output, over exactly the
// files its current state names. root is the lake as DuckDB should address it.
func Views(root string, outputs []Current) string {
	var b strings.Builder
	b.WriteString("-- Views of this lake for DuckDB, each over the files that make up its output now.\n")
	for _, c := range outputs {
		var keys []string
		for _, day := range slices.Sorted(maps.Keys(c.Days)) {
			for _, f := range c.Days[day].Files {
				keys = append(keys, "  '"+strings.ReplaceAll(strings.TrimSuffix(root, "/")+"/"+f.Key, "'", "''")+"'")
			}
		}
		if len(keys) == 0 {
			continue
		}
		fmt.Fprintf(&b, "CREATE OR REPLACE VIEW %s AS SELECT * FROM read_parquet([\n%s\n], hive_partitioning = false);\n", c.Output, strings.Join(keys, ",\n"))
	}
	return b.String()
}

// viewRoot is the root of a store as a reader in any folder can address it.
func viewRoot(s Store) string {
	if f, ok := s.(*fileStore); ok {
		if root, err := filepath.Abs(f.root); err == nil {
			return root
		}
	}
	return s.Name("")
}
