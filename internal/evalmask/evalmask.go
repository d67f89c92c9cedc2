// Package evalmask measures how well masking finds what it should: exact-span
// precision, recall and F1 per type, on labelled texts that others made and on
// texts made here, with as many near misses as positives.
//
// Exact means exact: a finding that is one character too long is one false and
// one missed.
package evalmask

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"millrace/schemas/pii"
	"millrace/transforms/mask"
)

// Span is a labelled stretch of a text, in bytes.
type Span struct {
	Type       mask.Type
	Start, End int
}

// Text is a labelled text.
type Text struct {
	Where mask.Where
	Text  string
	Spans []Span
	// Miss is the type that a text without spans comes near to; empty for others.
	Miss mask.Type
}

// Score counts spans of one type.
type Score struct {
	Type         mask.Type
	Spans        int // labelled
	NearMisses   int // texts that only look alike
	Found, Right int // reported, and of them with exactly a label's span
}

// Precision is the share of findings that are right; 1 when nothing is found.
func (s Score) Precision() float64 { return share(s.Right, s.Found) }

// Recall is the share of labels that are found; 1 when there are none.
func (s Score) Recall() float64 { return share(s.Right, s.Spans) }

// F1 is the harmonic mean of precision and recall.
func (s Score) F1() float64 { return share(2*s.Right, s.Found+s.Spans) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// Wrong is a disagreement of scan and labels.
type Wrong struct {
	Text   Text
	Span   Span
	Missed bool // else found though not labelled
}

// Measure scans texts for the types and compares with their labels, type by
// type. The scan looks for all types that there are, as it would in free text:
// a number taken for another type is missed.
func Measure(texts []Text, types []mask.Type) ([]Score, []Wrong) {
	m := mask.New("eval", [32]byte{1}, mask.Options{Types: mask.AllTypes(), Methods: map[mask.Type]mask.Method{mask.IP: mask.Tokenise}})
	scores := map[mask.Type]*Score{}
	for _, t := range types {
		scores[t] = &Score{Type: t}
	}
	var wrong []Wrong
	for _, text := range texts {
		if s := scores[text.Miss]; s != nil {
			s.NearMisses++
		}
		labels := map[Span]bool{}
		for _, l := range text.Spans {
			if s := scores[l.Type]; s != nil {
				s.Spans++
				labels[l] = true
			}
		}
		for _, f := range m.Find(pii.Of([]byte(text.Text)), text.Where) {
			s, at := scores[f.Type], Span(f)
			if s == nil {
				continue
			}
			s.Found++
			if labels[at] {
				s.Right++
				delete(labels, at)
			} else {
				wrong = append(wrong, Wrong{text, at, false})
			}
		}
		for l := range labels {
			wrong = append(wrong, Wrong{text, l, true})
		}
	}
	var out []Score
	for _, t := range types {
		out = append(out, *scores[t])
	}
	slices.SortStableFunc(wrong, func(a, b Wrong) int {
		return cmp.Or(cmp.Compare(a.Span.Type, b.Span.Type), cmp.Compare(a.Text.Text, b.Text.Text), cmp.Compare(a.Span.Start, b.Span.Start))
	})
	return out, wrong
}

// Print writes scores as a table in Markdown.
func Print(w io.Writer, title string, scores []Score) error {
	fmt.Fprintf(w, "%s\n\n", title)
	fmt.Fprint(w, "| type         | spans | near misses | found | right | precision | recall | F1    |\n")
	fmt.Fprint(w, "| ------------ | ----: | ----------: | ----: | ----: | --------: | -----: | ----: |\n")
	for _, s := range scores {
		fmt.Fprintf(w, "| %-12s | %5d | %11d | %5d | %5d | %9.3f | %6.3f | %5.3f |\n",
			s.Type, s.Spans, s.NearMisses, s.Found, s.Right, s.Precision(), s.Recall(), s.F1())
	}
	_, err := fmt.Fprintln(w)
	return err
}
