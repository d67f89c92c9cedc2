package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"millrace/internal/generate"
	"millrace/io/kinesisio"
)

const seed = 1

// keys are the partition keys that lines take in turn: enough for each shard to
// get its share.
const keys = 256

// fill puts the benchmark log into a stream, in aggregated records, and, when
// there are files, into those, line by line in turn.
func (b *bencher) fill(ctx context.Context, stream string, lines int, files ...string) (size int64, err error) {
	b.step("putting %d lines into %s", lines, stream)
	producer, err := kinesisio.NewProducer(ctx, "kinesis://"+stream, kinesisio.ProducerOptions{Aggregate: true})
	if err != nil {
		return 0, err
	}
	to := &filler{ctx: ctx, producer: producer}
	for _, name := range files {
		f, err := os.Create(name)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		to.files = append(to.files, bufio.NewWriterSize(f, 1<<20))
	}
	cut, into := io.Pipe()
	go func() {
		w := bufio.NewWriterSize(into, 1<<20)
		err := generate.BenchLog(w, lines, seed, generate.BenchRate, generate.BenchStart)
		into.CloseWithError(errors.Join(err, w.Flush()))
	}()
	err = to.lines(cut)
	cut.CloseWithError(err) // the generator ends, too
	err = errors.Join(err, producer.Close(ctx))
	for _, f := range to.files {
		err = errors.Join(err, f.Flush())
	}
	return to.size, err
}

type filler struct {
	ctx      context.Context
	producer *kinesisio.Producer
	files    []*bufio.Writer
	size     int64 // bytes of the lines
}

func (f *filler) lines(from io.Reader) error {
	in := bufio.NewScanner(from)
	in.Buffer(make([]byte, 1<<20), 1<<20)
	for n := 0; in.Scan(); n++ {
		line := in.Bytes()
		f.size += int64(len(line))
		if err := f.producer.Put(f.ctx, kinesisio.Record{Key: fmt.Sprint(n % keys), Data: bytes.Clone(line)}); err != nil {
			return err
		}
		if len(f.files) == 0 {
			continue
		}
		w := f.files[n%len(f.files)]
		_, _ = w.Write(line)
		if err := w.WriteByte('\n'); err != nil { // it keeps an earlier error
			return err
		}
	}
	return in.Err()
}
