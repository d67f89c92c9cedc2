package run

import (
	"context"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"millrace/internal/columns"
	"millrace/io/driver"
	"millrace/io/lakeio"
	"millrace/io/refusal"
	"millrace/schemas/manifest"
	"millrace/schemas/refused"
	"millrace/schemas/table"
)

// eachRefused visits the refused rows of a lake, day by day.
func eachRefused(ctx context.Context, s lakeio.Store, visit func(*refused.Row) error) error {
	current, err := lakeio.LoadCurrent(ctx, s, refusal.Output)
	if err != nil {
		return err
	}
	files, err := storeSource{s, map[string]lakeio.Current{refusal.Output: current}}.Files(ctx, refusal.Output)
	if err != nil {
		return err
	}
	var names []string
	for _, c := range refused.Rows.Columns {
		names = append(names, c.Name)
	}
	for _, key := range files {
		file, err := lakeio.OpenObject(ctx, s, key)
		if err != nil {
			return err
		}
		err = columns.Scan(ctx, file, names, func(b columns.Batch) error {
			for i := range b.Rows() {
				row := refusedRow(b, i)
				if err := visit(&row); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("reading the refused rows in %s: %w", s.Name(key), err)
		}
	}
	return nil
}

func refusedRow(b columns.Batch, i int) refused.Row {
	text := func(col int) string { return string(columns.Text(b[col][i])) }
	row := refused.Row{
		RefusedID: table.ID(b[refused.RefusedID][i].ByteArray()), RowTime: table.Millis(columns.Number(b[refused.RowTime][i])),
		Output: text(refused.Output), Sink: text(refused.Sink), Reason: text(refused.Reason), Message: text(refused.Message),
		Attempts: b[refused.Attempts][i].Int32(), Kind: text(refused.Kind), Schema: text(refused.Schema), Row: text(refused.RowText),
	}
	if v := b[refused.Code][i]; !v.IsNull() {
		code := text(refused.Code)
		row.Code = &code
	}
	if v := b[refused.Version][i]; v.Kind() == parquet.Int64 && !v.IsNull() {
		n := v.Int64()
		row.Version = &n
	}
	return row
}

// sinksOf counts what the lake lists as refused of the outputs that a live run sends.
func (p *livePlan) sinksOf(ctx context.Context) (map[string]manifest.Sink, error) {
	if len(p.req.Outputs) == 0 {
		return nil, nil
	}
	all := map[string]manifest.Sink{}
	names := map[refusal.Sink]string{}
	for _, to := range p.req.sinks() {
		all[to.Name] = manifest.Sink{Output: to.Output.Name, URL: to.URL}
		names[refusal.Sink{Output: to.Output.Name, URL: to.URL}] = to.Name
	}
	return all, eachRefused(ctx, p.store, func(r *refused.Row) error {
		if name, ours := names[refusal.Sink{Output: r.Output, URL: r.Sink}]; ours {
			sink := all[name]
			sink.Refused++
			all[name] = sink
		}
		return nil
	})
}

// reasons are those that a sink can have.
var reasons = []string{string(driver.RefusedInvalid), string(driver.RefusedOverload), string(driver.RefusedTooLarge)}
