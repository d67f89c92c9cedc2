package evalmask

import (
	"fmt"
	"io"

	"millrace/transforms/mask"
)

// Report prints all measurements: labelled sentences, cases of recognisers per
// type, and n generated positives and near misses per type.
func Report(w io.Writer, dir string, seed uint64, n int) error {
	sentences, err := Sentences(dir)
	if err != nil {
		return err
	}
	cases, err := Cases(dir)
	if err != nil {
		return err
	}
	scores, _ := Measure(sentences, GivenTypes())
	if err := Print(w, fmt.Sprintf("%d labelled sentences", len(sentences)), scores); err != nil {
		return err
	}
	scores, _ = Measure(Generate(seed, n), GeneratedTypes())
	if err := Print(w, fmt.Sprintf("Generated texts, seed %d", seed), scores); err != nil {
		return err
	}
	scores = nil
	for _, t := range []mask.Type{mask.Card, mask.IBAN, mask.IP} {
		of, _ := Measure(ByType(cases, t), []mask.Type{t})
		scores = append(scores, of...)
	}
	if err := Print(w, "Cases of recognisers, scanned as free text", scores); err != nil {
		return err
	}
	right, other := 0, 0
	for _, c := range cases {
		if _, ok := c.TypeOf(); !ok {
			other++
		} else if c.Check() == "" {
			right++
		}
	}
	_, err = fmt.Fprintf(w, "Cases of recognisers, each type alone: %d of %d agree (%d of types that are no findings here: dates, URLs)\n", right, len(cases)-other, other)
	return err
}
