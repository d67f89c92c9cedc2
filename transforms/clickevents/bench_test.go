package clickevents_test

import (
	"bytes"
	"strings"
	"testing"

	"millrace/internal/generate"
	"millrace/schemas/clickstream"
	"millrace/schemas/record"
	"millrace/transforms/attribution"
	"millrace/transforms/clickevents"
	"millrace/transforms/intake"
	"millrace/transforms/mask"
)

// BenchmarkRows is lines to masked rows, on one core: all columns, and those that
// sessions and products read.
func BenchmarkRows(b *testing.B) {
	var lines bytes.Buffer
	n := 0
	for line := range generate.NewShop(generate.ClickConfig{Seed: 1, Events: 20_000}).Lines {
		lines.Write(line)
		n++
	}
	from, err := attribution.New(attribution.Default(), nil)
	if err != nil {
		b.Fatal(err)
	}
	some := clickevents.OnlyNeeds(clickstream.EventVisitorID, clickstream.EventPlatform, clickstream.EventPagePath, clickstream.EventCurrency, clickstream.EventItems,
		clickstream.EventTrafficSource, clickstream.EventTrafficMedium, clickstream.EventTrafficCampaign, clickstream.EventTrafficChannel)
	some.IDs = true
	for name, needs := range map[string]clickevents.Needs{"all": clickevents.AllNeeds(), "some": some} {
		b.Run(name, func(b *testing.B) {
			r := clickevents.NewRows(clickevents.Options{}, mask.New("k1", [32]byte{1}, mask.Options{}), nil, from)
			r.Need(needs)
			in := intake.New(intake.Config{}, r)
			block := record.Block{Source: strings.Repeat("0", 32), Data: lines.Bytes()}
			b.SetBytes(int64(lines.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if err := in.Block(&block); err != nil {
					b.Fatal(err)
				}
				r.Look()
				r.Drop()
				in.Take()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/line")
		})
	}
}
