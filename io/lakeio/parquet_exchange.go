package lakeio

import (
	"io"

	"github.com/parquet-go/parquet-go/deprecated"

	"millrace/schemas/table"
)

// WriteParquet writes the rows of a batch as one Parquet file for other systems, of
// one row group. It is compressed with Snappy, and times are INT96: the forms that all
// readers know, old ones included. Equal batches give equal files.
func WriteParquet(out io.Writer, b *table.Batch) error {
	w := newFlavoredWriter(out, b.Schema(), max(1, b.Len()), exchangeFlavor)
	if err := w.add(piece{b, 0, b.Len()}); err != nil {
		w.abandon()
		return err
	}
	if err := w.close(); err != nil {
		w.abandon()
		return err
	}
	return nil
}

// unixJulian is the Julian day of 1970-01-01.
const unixJulian = 2_440_588

// int96 is a time in Parquet's old form: nanoseconds of the day, and its Julian day.
func int96(ms int64) deprecated.Int96 {
	day := table.FloorDay(ms)
	nanos := uint64(ms-day*86_400_000) * 1_000_000                                        //nolint:gosec // it is of one day
	return deprecated.Int96{uint32(nanos), uint32(nanos >> 32), uint32(unixJulian + day)} //nolint:gosec // the halves of a number; days that PostgreSQL knows
}
