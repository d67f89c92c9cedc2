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
	"millrace/io/rowid"
	"millrace/schemas/table"
)

// Current is what an output of a lake consists of. What batch runs wrote stands in
// LAKE/_current/<output>.json, which is replaced as a whole, so whoever reads by it
// sees a day all at once; what live jobs wrote, in their commit records.
type Current struct {
	Output string                `json:"output"`
	Schema string                `json:"schema"`
	Days   map[string]CurrentDay `json:"days"`

	stored map[string]CurrentDay // Days without what live jobs wrote
	mixed  string                // another schema, that of some rows of live jobs
}

// CurrentDay is one UTC day of an output.
type CurrentDay struct {
	Revision int32         `json:"revision"` // grows by one with each backfill that rewrites the day
	Run      string        `json:"run"`      // that wrote it
	Rows     int64         `json:"rows"`
	Sources  []string      `json:"sources,omitempty"` // identities of the inputs its rows came from
	Files    []CurrentFile `json:"files"`

	live bool // live jobs wrote rows of the day, be they replaced since
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
// empty. Whoever needs several outputs calls LoadOutputs.
func LoadCurrent(ctx context.Context, s Store, output string) (Current, error) {
	all, err := LoadOutputs(ctx, s, output)
	return all[output], err
}

// LoadOutputs reads what some outputs consist of; without names, all that the lake
// has.
func LoadOutputs(ctx context.Context, s Store, outputs ...string) (map[string]Current, error) {
	every := len(outputs) == 0
	if every {
		infos, err := s.List(ctx, currentDir+"/")
		if err != nil {
			return nil, err
		}
		for _, info := range infos {
			if name, ok := strings.CutSuffix(path.Base(info.Key), ".json"); ok {
				outputs = append(outputs, name)
			}
		}
	}
	all := map[string]Current{}
	for _, output := range outputs {
		c, err := loadStored(ctx, s, output)
		if err != nil {
			return nil, err
		}
		all[output] = c
	}
	return all, addLive(ctx, s, all, every)
}

// loadStored reads what batch runs wrote of an output.
func loadStored(ctx context.Context, s Store, output string) (Current, error) {
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
	_, err := readVersion(ctx, s, key, into)
	return err
}

// readVersion is ReadJSON that tells which version was read.
func readVersion(ctx context.Context, s Store, key string, into any) (version string, err error) {
	b, info, err := ReadAll(ctx, s, key, maxJSON)
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return "", &driver.Error{
			Doing: "read", Object: s.Name(key), Class: driver.ErrCorrupt, Cause: err,
			Cure: "something else than this program has written it: restore it from a backup, or use another lake",
		}
	}
	return info.Version, nil
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
	if len(schemas) == 0 {
		return Standing{}, nil
	}
	all, err := LoadOutputs(ctx, s, slices.Sorted(maps.Keys(schemas))...)
	if err != nil {
		return nil, err
	}
	for output, schema := range schemas {
		c := all[output]
		if len(c.Days) > 0 && c.Schema != schema.ID() {
			return nil, otherSchema(s, output, c.Schema, schema.ID())
		}
		if c.mixed != "" {
			return nil, otherSchema(s, output, c.mixed, schema.ID())
		}
	}
	return all, nil
}

func otherSchema(s Store, output, held, wanted string) error {
	return &driver.Error{
		Doing: "write to", Object: s.Name(output), Class: driver.ErrInvalid,
		Cause: fmt.Errorf("it holds rows of schema %s, and this program writes %s", held, wanted),
		Cure:  "use the version of the program and the job that wrote it, or another lake",
	}
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
					what, cure := "rows", "give --source all inputs of the day, or name the days to replace with --from and --to"
					if day == 0 { // nobody names it as a day of his inputs
						what, cure = "records without a time", "give --source all inputs that have such records, leave out what is no input of this job, or replace the day by a run of its own, with --from 1970-01-01 --to 1970-01-02"
					}
					frozen[day] = fmt.Sprintf("%s of %s holds %s of an input that this run does not read (identity %s, written by run %s): writing the day would lose them; %s", text, output, what, src, d.Run, cure)
					break
				}
			}
		}
	}
	return frozen
}

// replaced gives the state of an output after the run, as _current is to have it
// and as readers then see it, and the files that it no longer names.
func (c Current) replaced(run, schema string, touched []int64, revisions map[int64]int32, files []File) (now, shown Current, stale []string) {
	now = Current{Output: c.Output, Schema: schema, Days: maps.Clone(c.withoutLive())}
	if now.Days == nil {
		now.Days = map[string]CurrentDay{}
	}
	for _, day := range touched {
		text := DayText(day)
		delete(now.Days, text)
		if old, ok := c.Days[text]; ok && (old.live || len(old.Files) == 0) {
			// The records of live jobs stay: only a revision tells that their files do
			// not count any more.
			now.Days[text] = CurrentDay{Revision: revisions[day], Run: run}
		}
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
	shown = Current{Output: c.Output, Schema: schema, Days: maps.Clone(now.Days)}
	for text, d := range c.Days {
		if day, err := ParseDay(text); err == nil && !slices.Contains(touched, day) {
			shown.Days[text] = d
		}
	}
	named := map[string]bool{}
	for _, d := range shown.Days {
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
	return now, shown, stale
}

// withoutLive is the days as _current has them.
func (c Current) withoutLive() map[string]CurrentDay {
	if c.stored == nil {
		return c.Days
	}
	return c.stored
}

// Views is SQL for DuckDB that makes one view of each output, over exactly the
// files its current state names. root is the lake as DuckDB should address it. A
// column that a schema got later is null in rows of files from before. Of rows of which
// a lake keeps every version, views have the last.
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
		fmt.Fprintf(&b, "CREATE OR REPLACE VIEW %s AS SELECT * FROM read_parquet([\n%s\n], hive_partitioning = false, union_by_name = true)%s;\n", c.Output, strings.Join(keys, ",\n"), lastVersion(c.Schema))
	}
	return b.String()
}

// lastVersion is the clause that leaves the last version of each row, empty where a lake
// has no others.
func lastVersion(schema string) string {
	s, known := table.Lookup(schema)
	if !known {
		return ""
	}
	version, ok := s.History()
	id, err := rowid.Columns("", s)
	if !ok || err != nil {
		return ""
	}
	var names []string
	for _, col := range id {
		names = append(names, s.Columns[col].Name)
	}
	return fmt.Sprintf("\nQUALIFY row_number() OVER (PARTITION BY %s ORDER BY %s DESC) = 1", strings.Join(names, ", "), s.Columns[version].Name)
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
