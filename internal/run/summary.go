package run

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"millrace/internal/progress"
)

// Summary is the closing word of a run.
func (r Result) Summary() string {
	if r.Detached != "" {
		return fmt.Sprintf("%s runs on Flink and writes to %s\nlook with millrace status %s\n", r.Detached, r.Lake, r.Detached)
	}
	var b strings.Builder
	l := r.Ledger
	fmt.Fprintf(&b, "%s in %.1f s", progress.Of(l.In, "line"), r.Seconds)
	if r.Seconds > 0 && l.In > 0 {
		fmt.Fprintf(&b, " (%s lines/s)", progress.Count(int64(float64(l.In)/r.Seconds)))
	}
	fmt.Fprintf(&b, ", run %s\n\n", r.Run)
	fmt.Fprintf(&b, "%s lines = %s events + %s bad + %s duplicate + %s skipped: the ledger balances\n",
		progress.Count(l.In), progress.Count(l.Events), progress.Count(l.Bad), progress.Count(l.Duplicate), progress.Count(l.Skipped))
	if len(l.Reasons) > 0 {
		var parts []string
		for _, reason := range slices.Sorted(maps.Keys(l.Reasons)) {
			parts = append(parts, fmt.Sprintf("%s %s", reason, progress.Count(l.Reasons[reason])))
		}
		fmt.Fprintf(&b, "bad by reason: %s\n", strings.Join(parts, ", "))
	}
	switch {
	case l.In > 0 && l.Skipped == l.In && r.From+r.To != "":
		b.WriteString("nothing of it lies in the days that --from and --to name\n")
	case 2*l.Bad > l.In:
		fmt.Fprintf(&b, "more than half of it are bad rows: is it input of this job, and in the format that millrace plan names? see %s/bad_rows\n", strings.TrimSuffix(r.Lake, "/"))
	}
	b.WriteByte('\n')
	r.outputs(&b)
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	r.sinks(w)
	fmt.Fprintf(w, "lake\t%s%s\n", r.Lake, span(r.Days))
	if r.Report != "" {
		fmt.Fprintf(w, "report\t%s\n", r.Report)
	}
	_ = w.Flush() // a builder takes everything
	return b.String()
}

// outputs is a table with its numbers to the right.
func (r Result) outputs(b *strings.Builder) {
	if len(r.Outputs) == 0 {
		return
	}
	rows := [][]string{{"output", "rows", "size", "files"}}
	for _, name := range slices.Sorted(maps.Keys(r.Outputs)) {
		o := r.Outputs[name]
		rows = append(rows, []string{name, progress.Count(o.Rows), progress.Bytes(o.Bytes), progress.Count(int64(o.Files))})
	}
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len(cell))
		}
	}
	for _, row := range rows {
		fmt.Fprintf(b, "%-*s", width[0], row[0])
		for i, cell := range row[1:] {
			fmt.Fprintf(b, "  %*s", width[i+1], cell)
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
}

// sinks says what went where besides the lake, and what did not.
func (r Result) sinks(w io.Writer) {
	for _, name := range slices.Sorted(maps.Keys(r.Sinks)) {
		sink := r.Sinks[name]
		fmt.Fprintf(w, "%s\t%s", sink.Output, sink.URL)
		if sink.Sent > 0 {
			fmt.Fprintf(w, ", %s sent", progress.Of(sink.Sent, "row"))
		}
		if sink.Refused > 0 {
			fmt.Fprintf(w, ", %s refused: see %s/refused, and when it is mended: millrace replay --sink %s --lake %s", progress.Count(sink.Refused), r.Lake, sink.Output, r.Lake)
		}
		fmt.Fprintln(w)
	}
}

// span names the days that were written.
func span(days []string) string {
	switch len(days) {
	case 0:
		return ""
	case 1:
		return ", " + days[0]
	}
	return fmt.Sprintf(", %s from %s to %s", progress.Of(int64(len(days)), "day"), days[0], days[len(days)-1])
}
