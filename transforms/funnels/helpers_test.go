package funnels_test

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"millrace/schemas/table"
	"millrace/transforms/funnels"
)

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// visit is an event of a visitor.
type visit struct {
	Visitor  string       `col:"visitor" mask:"token" doc:"visitor"`
	Time     table.Millis `col:"time,sort1,day" doc:"time"`
	Source   string       `col:"source" mask:"hash" doc:"source"`
	Position int64        `col:"position" doc:"position"`
	Name     string       `col:"name" mask:"none" doc:"letters: what happened"`
	Site     *string      `col:"site,null" mask:"scanned" doc:"site"`
	Late     bool         `col:"late" doc:"late"`
	Raw      string       `col:"raw" mask:"plain" doc:"raw"`
}

var (
	visitSchema  = table.MustOf[visit]("funnels.test", 1)
	visitColumns = funnels.Columns{Visitor: 0, Time: 1, Source: 2, Position: 3, Late: 6}
)

func revision(day int64) int32 { return int32(day % 3) }

// definitionsOf reads the funnels of a YAML file.
func definitionsOf(t testing.TB, text string) ([]funnels.Definition, error) {
	t.Helper()
	tree, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	var value ast.Node
	switch body := tree.Docs[0].Body.(type) {
	case *ast.MappingNode:
		value = body.Values[0].Value
	case *ast.MappingValueNode:
		value = body.Value
	}
	return funnels.Decode(value, "jobs.yaml")
}

func compile(t testing.TB, defs []funnels.Definition, opt funnels.Options) *funnels.Set {
	t.Helper()
	s, err := funnels.Compile(defs, visitSchema, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func batchOf(visits []visit) *table.Batch {
	b := table.NewBatch(visitSchema)
	for _, v := range visits {
		b.Append(v)
	}
	return b
}

// collect folds visits, cut at random into blocks, into the fragments of one shard,
// and returns them in random order.
func collect(r *rand.Rand, s *funnels.Set, visits []visit) [][]byte {
	var blobs [][]byte
	collectors := []*funnels.Collector{s.NewCollector(visitColumns), s.NewCollector(visitColumns), s.NewCollector(visitColumns)}
	flush := func(c *funnels.Collector) {
		for _, p := range c.Flush(1) {
			blobs = append(blobs, p.Blob)
		}
		if r.IntN(3) == 0 { // frees memory and nothing else
			c.Forget()
		}
	}
	order := r.Perm(len(visits))
	for len(order) > 0 {
		n := min(1+r.IntN(5), len(order))
		var block []visit
		for _, i := range order[:n] {
			block = append(block, visits[i])
		}
		order = order[n:]
		c := collectors[r.IntN(len(collectors))]
		c.Add(batchOf(block), 0)
		if r.IntN(5) == 0 {
			flush(c)
		}
	}
	for _, c := range collectors {
		flush(c)
	}
	r.Shuffle(len(blobs), func(i, j int) { blobs[i], blobs[j] = blobs[j], blobs[i] })
	return blobs
}

func rowsOf(t testing.TB, s *funnels.Set, blobs [][]byte) []funnels.Row {
	t.Helper()
	e := s.NewEvaluator(revision)
	for _, b := range blobs {
		if err := e.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	return e.Rows()
}

const firstDay = 20_000 * day

// randomVisits draws the events of a few visitors over some days: close together,
// with many of the same time.
func randomVisits(r *rand.Rand, within int64, names string) (visits []visit) {
	for v := range 3 {
		at := firstDay + r.Int64N(2*day)
		for i := range r.IntN(14) {
			step := []int64{0, 0, within / 4, within / 2, within, within + 1, r.Int64N(day)}[r.IntN(7)]
			if r.IntN(3) > 0 {
				step = step / minute * minute
			}
			at += step
			name := string(names[r.IntN(len(names))])
			if r.IntN(4) == 0 {
				name += string(names[r.IntN(len(names))])
			}
			one := visit{
				Visitor: fmt.Sprint("tok_", v), Time: table.Millis(at), Source: fmt.Sprint("s", r.IntN(2)), Position: int64(i), Name: name,
				Late: r.IntN(40) == 0,
			}
			if site := []string{"", "", "x", "y", "z"}[r.IntN(5)]; site != "" || r.IntN(2) == 0 {
				one.Site = &site
			}
			visits = append(visits, one)
		}
	}
	return visits
}

func sortRows(rows []funnels.Row) {
	sort.Slice(rows, func(i, j int) bool {
		a, b := rows[i], rows[j]
		if a.Funnel != b.Funnel {
			return a.Funnel < b.Funnel
		}
		if a.Visitor != b.Visitor {
			return a.Visitor < b.Visitor
		}
		return a.Start < b.Start
	})
}
