package clickevents_test

import (
	"bytes"
	"strings"
	"testing"

	"millrace/internal/generate"
	"millrace/schemas/record"
	"millrace/transforms/attribution"
	"millrace/transforms/clickevents"
	"millrace/transforms/intake"
	"millrace/transforms/mask"
)

// BenchmarkRows is lines to masked rows, on one core.
func BenchmarkRows(b *testing.B) {
	var lines bytes.Buffer
	for line := range generate.NewShop(generate.ClickConfig{Seed: 1, Events: 20_000}).Lines {
		lines.Write(line)
	}
	from, err := attribution.New(attribution.Default(), nil)
	if err != nil {
		b.Fatal(err)
	}
	r := clickevents.NewRows(clickevents.Options{}, mask.New("k1", [32]byte{1}, mask.Options{}), nil, from)
	in := intake.New(intake.Config{}, r)
	block := record.Block{Source: strings.Repeat("0", 32), Data: lines.Bytes()}
	b.SetBytes(int64(lines.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if err := in.Block(&block); err != nil {
			b.Fatal(err)
		}
		r.Take()
		in.Take()
	}
}
