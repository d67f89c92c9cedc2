package lakeio

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"millrace/schemas/badrow"
	"millrace/schemas/late"
	"millrace/schemas/raw"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// lakeSchemas is every schema that some job writes to a lake.
var lakeSchemas = map[string]*table.Schema{
	"events": weblog.Events, "sessions": weblog.Sessions, "traffic": weblog.TrafficRows, "top_pages": weblog.TopPages,
	"visitors": weblog.Visitors, "bots": weblog.Bots, "bad_rows": badrow.Rows, "late": late.Rows, "raw": raw.Rows,
}

// number, word and ident are rows whose order begins with each kind of column.
type number struct {
	At     table.Millis `col:"at,sort1,day" doc:"time"`
	Source string       `col:"source,sort2" mask:"none" doc:"origin"`
	N      int64        `col:"n,sort3" doc:"position"`
	Note   *string      `col:"note,null" mask:"none" doc:"anything"`
}

type word struct {
	Word string    `col:"word,sort1" mask:"none" doc:"text"`
	N    int64     `col:"n,sort2" doc:"number"`
	Day  table.Day `col:"date,day" doc:"day"`
}

type ident struct {
	ID  table.ID  `col:"id,sort1" doc:"identity"`
	N   int64     `col:"n,sort2" doc:"number"`
	Day table.Day `col:"date,day" doc:"day"`
}

var (
	numbers = table.MustOf[number]("test.numbers", 1)
	words   = table.MustOf[word]("test.words", 1)
	idents  = table.MustOf[ident]("test.idents", 1)
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

func batchOf[T any](s *table.Schema, rows []T) *table.Batch {
	b := table.NewBatch(s)
	for i := range rows {
		b.Append(&rows[i])
	}
	return b
}

// rowsOf copies the rows of a piece out of its batch.
func rowsOf[T any](p piece) []T {
	rows := make([]T, p.to-p.from)
	for i := range rows {
		p.batch.Row(p.from+i, &rows[i])
	}
	return rows
}

// makeNumbers makes distinct rows over a few days, in the nearly sorted order of
// a log.
func makeNumbers(r *rand.Rand, n, days int) []number {
	rows := make([]number, n)
	for i := range rows {
		at := min(int64(i)*int64(days)*86_400_000/int64(n)+r.Int64N(60_000), int64(days)*86_400_000-1)
		rows[i] = number{At: table.Millis(at), Source: string('a' + rune(r.IntN(3))), N: int64(i)}
		if r.IntN(3) > 0 {
			note := string(rune('A' + r.IntN(26)))
			rows[i].Note = &note
		}
	}
	return rows
}

// spillAll spills batches of one output and returns the runs of each part.
func spillAll(t testing.TB, s *Spiller, batches []*table.Batch) map[Part][]Run {
	t.Helper()
	for _, b := range batches {
		if err := s.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := s.Finish()
	if err != nil {
		t.Fatal(err)
	}
	parts := map[Part][]Run{}
	for _, r := range runs {
		parts[r.Part] = append(parts[r.Part], r)
	}
	return parts
}

// inBatches cuts rows into batches of random lengths, given in random order.
func inBatches[T any](r *rand.Rand, s *table.Schema, rows []T, most int) []*table.Batch {
	var list []*table.Batch
	for len(rows) > 0 {
		n := min(len(rows), 1+r.IntN(most))
		list = append(list, batchOf(s, rows[:n]))
		rows = rows[n:]
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// files lists what lies below a folder.
func filesIn(t testing.TB, dir string) []string {
	t.Helper()
	list := []string{}
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			list = append(list, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// awkward fills a row of any schema with values that files tend to get wrong.
func awkward(r *rand.Rand, s *table.Schema, row reflect.Value, day int64) {
	texts := []string{"", "a", "GET", "naïve", "日本語", "🦀 crab", "a\x00b", "tab\tline\nend", `quote " and ' and \`, "é", "\u202e"}
	ints := []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 32, -1 << 33}
	for i, c := range s.Columns {
		f := row.Field(i)
		if f.Kind() == reflect.Pointer {
			if r.IntN(3) == 0 {
				f.SetZero()
				continue
			}
			f.Set(reflect.New(f.Type().Elem()))
			f = f.Elem()
		}
		switch c.Kind {
		case table.String:
			f.SetString(texts[r.IntN(len(texts))])
		case table.Bytes:
			b := make([]byte, r.IntN(20))
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			f.SetBytes(b)
		case table.Int32:
			f.SetInt([]int64{0, 1, -1, 200, math.MaxInt32, math.MinInt32}[r.IntN(6)])
		case table.Int64:
			f.SetInt(ints[r.IntN(len(ints))])
		case table.Float64:
			f.SetFloat([]float64{0, -1.5, math.MaxFloat64, math.SmallestNonzeroFloat64}[r.IntN(4)])
		case table.Bool:
			f.SetBool(r.IntN(2) == 0)
		case table.UUID:
			for k := range 16 {
				f.Index(k).SetUint(uint64(r.IntN(256)))
			}
		case table.Date:
			f.SetInt(day)
		case table.Time:
			f.SetInt(day*86_400_000 + []int64{0, 1, 999, 86_399_999, r.Int64N(86_400_000)}[r.IntN(5)])
		}
	}
}
