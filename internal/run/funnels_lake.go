package run

import (
	"context"
	"errors"
	"io"

	"millrace/internal/lakequery"
	"millrace/io/lakeio"
	"millrace/schemas/weblog"
	"millrace/transforms"
	"millrace/transforms/funnels"
)

// LakeQuestion asks the events of a lake.
type LakeQuestion struct {
	Lake      string // required
	Funnels   []funnels.Definition
	Questions []funnels.Question
	From, To  string // days, YYYY-MM-DD, both included; empty: no bound
	CSV       bool   // rather than tables for people
}

// AskLake writes how far visitors get in funnels, and what else is asked of them. It
// only reads: the lake stays as it is.
func AskLake(ctx context.Context, q LakeQuestion, out io.Writer) error {
	for _, d := range [][2]string{{"--from", q.From}, {"--to", q.To}} {
		if _, err := day(d[1]); err != nil {
			return usage("%s: %v", d[0], err)
		}
	}
	if q.To != "" && q.To < q.From {
		return usage("--to %s is before --from %s", q.To, q.From)
	}
	if err := errors.Join(transforms.CheckFunnels(q.Funnels, weblog.Events), transforms.CheckQuestions(q.Questions, weblog.Events)); err != nil {
		return &UsageError{err}
	}
	s, err := lakeio.OpenStore(ctx, q.Lake)
	if err != nil {
		return &UsageError{err}
	}
	e, err := lakequery.Open(ctx, s, lakequery.Options{From: q.From, To: q.To})
	if err != nil {
		return err
	}
	if e.Files() == 0 {
		if _, err := latest(ctx, s); err != nil {
			return err
		}
		return usage("%s has no events of these days; they are those of the job weblogs", s.Name(""))
	}
	tables, err := q.tables(ctx, e)
	if err != nil {
		return err
	}
	if q.CSV {
		return lakequery.WriteCSV(out, tables)
	}
	return lakequery.WriteText(out, tables)
}

// tables asks funnels and then the rest, one after the other: what is kept of the
// events for the first is gone before the second begins.
func (q *LakeQuestion) tables(ctx context.Context, e *lakequery.Events) (tables []lakequery.Table, err error) {
	if len(q.Funnels) > 0 {
		rows, err := e.Funnels(ctx, q.Funnels)
		if err != nil {
			return nil, err
		}
		tables = append(tables, lakequery.StepTable(q.Funnels, rows))
	}
	if len(q.Questions) > 0 {
		answers, err := e.Ask(ctx, q.Questions)
		if err != nil {
			return nil, err
		}
		tables = append(tables, lakequery.AnswerTables(answers)...)
	}
	return tables, nil
}
