package lakeio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// benchLog is about n bytes of log lines.
func benchLog(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 1))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "10.%d.%d.%d - - [17/May/2015:%02d:%02d:%02d +0000] \"GET /articles/%d/page-%d.html HTTP/1.1\" 200 %d \"-\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\"\n",
			rng.IntN(256), rng.IntN(256), rng.IntN(256), rng.IntN(24), rng.IntN(60), rng.IntN(60), rng.IntN(500), rng.IntN(50), rng.IntN(100_000))
	}
	return b.Bytes()
}

// BenchmarkRead reads a log of 128 MiB from the page cache with one reader.
func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	log := benchLog(128 << 20)
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(log)
	w.Close()
	for name, data := range map[string][]byte{"plain.log": log, "zipped.log.gz": z.Bytes()} {
		path := filepath.Join(dir, name)
		s := newFileStore(dir)
		if _, err := s.Put(b.Context(), name, bytes.NewReader(data), PutOptions{}); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(log)))
			b.ReportAllocs()
			source, err := OpenSource(b.Context(), path, nil)
			if err != nil {
				b.Fatal(err)
			}
			splits, err := source.Splits(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				for _, split := range splits {
					r, err := source.Open(b.Context(), split)
					if err != nil {
						b.Fatal(err)
					}
					for err == nil {
						_, err = r.Next(b.Context())
					}
					if !errors.Is(err, io.EOF) {
						b.Fatal(err)
					}
					r.Close()
				}
			}
		})
	}
}
