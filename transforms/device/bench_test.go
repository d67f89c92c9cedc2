package device_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	simulated "millrace/internal/generate/devices"
	"millrace/schemas/record"
	"millrace/transforms/device"
	"millrace/transforms/intake"
	"millrace/transforms/mask"
	"millrace/transforms/normalise"
)

// BenchmarkWorker reads, normalises and masks readings of a ward and a hall.
func BenchmarkWorker(b *testing.B) {
	var data bytes.Buffer
	if _, err := simulated.Simulate(simulated.Config{Length: 3 * time.Hour, Patients: 20, Machines: 5}, func(line []byte) error {
		data.Write(append(line, '\n'))
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	block := record.Block{Source: strings.Repeat("0", 32), Data: data.Bytes()}
	w := device.NewWorker(mask.New("k1", [32]byte{1}, mask.Options{}), nil, normalise.Default())
	if err := w.Open("json"); err != nil {
		b.Fatal(err)
	}
	n := intake.New(intake.Config{}, w)
	b.SetBytes(int64(data.Len()))
	readings := 0
	for b.Loop() {
		if err := n.Block(&block); err != nil {
			b.Fatal(err)
		}
		rows, _ := w.Take()
		readings = rows.Len()
		w.TakePoints()
		n.Take()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(readings), "ns/reading")
}
