package run

import (
	"context"
	"io"

	"millrace/internal/lakequery"
	"millrace/io/lakeio"
	"millrace/schemas/weblog"
	"millrace/transforms"
	"millrace/transforms/funnels"
)

// LakeQuestion asks the events of a lake.
type LakeQuestion struct {
	Lake     string // required
	Funnels  []funnels.Definition
	From, To string // days, YYYY-MM-DD, both included; empty: no bound
	CSV      bool   // rather than a table for people
}

// AskLake writes how far visitors get in funnels. It only reads: the lake stays as it
// is.
func AskLake(ctx context.Context, q LakeQuestion, out io.Writer) error {
	for _, d := range [][2]string{{"--from", q.From}, {"--to", q.To}} {
		if _, err := day(d[1]); err != nil {
			return usage("%s: %v", d[0], err)
		}
	}
	if q.To != "" && q.To < q.From {
		return usage("--to %s is before --from %s", q.To, q.From)
	}
	if err := transforms.CheckFunnels(q.Funnels, weblog.Events); err != nil {
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
		return usage("%s has no events of these days", s.Name(""))
	}
	rows, err := e.Funnels(ctx, q.Funnels)
	if err != nil {
		return err
	}
	if q.CSV {
		return lakequery.WriteCSV(out, q.Funnels, rows)
	}
	return lakequery.WriteSteps(out, q.Funnels, rows)
}
