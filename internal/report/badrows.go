package report

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"millrace/internal/columns"
	"millrace/schemas/badrow"
)

var badRowsSection = section{
	ID: "badrows", Title: "Bad rows", Half: true,
	collect: collectBadRows,
	data:    func(d *Data) any { return d.BadRows },
}

// BadRows counts lines that could not become events.
type BadRows struct {
	Total   int64         `json:"total"`
	Reasons []ReasonCount `json:"reasons"` // most frequent first
}

// ReasonCount is one reason in one stage.
type ReasonCount struct {
	Reason   string     `json:"reason"`
	Stage    string     `json:"stage"`
	Meaning  string     `json:"meaning"`
	Rows     int64      `json:"rows"`
	Examples []Skeleton `json:"examples"` // the most frequent shapes
}

// Skeleton is the shape of lines and one place where it stands.
type Skeleton struct {
	Text     string `json:"text"`
	Rows     int64  `json:"rows"`
	Source   string `json:"source"`
	Position int64  `json:"position"`
}

var reasonMeanings = map[badrow.Reason]string{
	badrow.Format:     "does not follow the log format",
	badrow.Truncated:  "a quoted field is never closed, or the line stops early",
	badrow.Timestamp:  "the time cannot be read",
	badrow.TimeBounds: "the time lies before 1995 or more than a day after arrival",
	badrow.Number:     "status or size is not a number in range",
	badrow.TooLong:    "longer than the size limit of a record",
	badrow.Reference:  "reference data was missing or broken",
	badrow.Version:    "a version of the format that this program does not know",
	badrow.Name:       "an event of a name that the format does not have",
	badrow.Currency:   "an amount without a currency, or one that is not in ISO 4217",
	badrow.Limit:      "more parts, or a longer one, than an event may have",
	badrow.Panic:      "decoding this one record panicked",
}

const (
	maxReasons    = 1_000
	maxSkeletons  = 2_000
	skeletonsEach = 3
	skeletonRunes = 120
)

func collectBadRows(ctx context.Context, src Source, d *Data) error {
	reasons := newTally[*tally[Skeleton]](maxReasons)
	names := []string{"reason", "stage", "skeleton", "source", "position"}
	err := scan(ctx, src, "bad_rows", names, func(b columns.Batch) error {
		for i := range b.Rows() {
			d.BadRows.Total++
			r := reasons.add([]byte(b[0][i].String()+"\x00"+b[1][i].String()), 1)
			if r.value == nil {
				r.value = newTally[Skeleton](maxSkeletons)
			}
			s := r.value.add(columns.Text(b[2][i]), 1)
			if s.count == 1 {
				s.value = Skeleton{Source: b[3][i].String(), Position: columns.Number(b[4][i])}
			}
		}
		return nil
	})
	for _, e := range reasons.top(maxReasons, byCount) {
		reason, stage, _ := strings.Cut(e.key, "\x00")
		r := ReasonCount{Reason: reason, Stage: stage, Meaning: reasonMeanings[badrow.Reason(reason)], Rows: e.count}
		for _, s := range e.value.top(skeletonsEach, byCount) {
			s.value.Text, s.value.Rows = clip(s.key, skeletonRunes), s.count
			r.Examples = append(r.Examples, s.value)
		}
		d.BadRows.Reasons = append(d.BadRows.Reasons, r)
	}
	slices.SortStableFunc(d.BadRows.Reasons, func(a, b ReasonCount) int { return cmp.Compare(b.Rows, a.Rows) })
	return err
}

// clip cuts text that is too long to show.
func clip(s string, runes int) string {
	r := []rune(s)
	if len(r) <= runes {
		return s
	}
	return string(r[:runes]) + "…"
}
