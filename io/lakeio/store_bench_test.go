package lakeio

import (
	"bytes"
	"io"
	"testing"

	"millrace/internal/testenv"
)

// BenchmarkS3 writes and reads an object of 64 MiB on an S3 server on loopback.
func BenchmarkS3(b *testing.B) {
	server := testenv.S3(b)
	s, err := OpenStore(b.Context(), "s3://"+server.Bucket+"/lake")
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, 64<<20)
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := s.Put(b.Context(), "a", bytes.NewReader(data), PutOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			r, _, err := s.Get(b.Context(), "a")
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				b.Fatal(err)
			}
			_ = r.Close()
		}
	})
}
