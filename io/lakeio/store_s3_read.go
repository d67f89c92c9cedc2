package lakeio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"millrace/io/driver"
)

func (s *s3Store) Get(ctx context.Context, key string) (io.ReadCloser, Info, error) {
	if err := checkKey(s, key); err != nil {
		return nil, Info{}, err
	}
	b := &s3Body{ctx: ctx, store: s, key: key, end: -1}
	if err := b.open(); err != nil {
		return nil, Info{}, err
	}
	return b, b.info, nil
}

func (s *s3Store) GetRange(ctx context.Context, key string, off, n int64, version string) (io.ReadCloser, error) {
	if err := checkKey(s, key); err != nil {
		return nil, err
	}
	if off < 0 || n < 0 {
		return nil, &driver.Error{Doing: "read", Object: s.Name(key), Class: driver.ErrInvalid, Cause: fmt.Errorf("%d bytes from %d on", n, off)}
	}
	b := &s3Body{ctx: ctx, store: s, key: key, off: off, end: off + n, info: Info{Version: version}}
	if n == 0 {
		return b, nil // S3 has no empty ranges
	}
	if err := b.open(); err != nil {
		return nil, err
	}
	return b, nil
}

// s3Body reads a range of one version of an object. When the connection breaks
// or falls silent it asks for the rest, of the same version, from where it
// stopped. It gives up after readAttempts without a byte of progress.
type s3Body struct {
	ctx      context.Context
	store    *s3Store
	key      string
	off, end int64 // what is still to be read; end is -1 until the length is known
	info     Info

	body     io.ReadCloser
	cancel   context.CancelCauseFunc
	watchdog *time.Timer
	failures int // in a row, without progress
}

const readAttempts = 6

var errIdle = errors.New("no data arrived in time")

// open asks for the rest of the range.
func (b *s3Body) open() error {
	in := &s3.GetObjectInput{Bucket: &b.store.bucket, Key: b.store.key(b.key)}
	if b.info.Version != "" {
		in.IfMatch = aws.String(b.info.Version)
	}
	if b.end >= 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", b.off, b.end-1))
	}
	ctx, cancel := context.WithCancelCause(b.ctx)
	out, err := b.store.client.GetObject(ctx, in)
	if err != nil {
		cancel(nil)
		err = s3Error("read", b.store.Name(b.key), err)
		if errors.Is(err, driver.ErrConflict) {
			return changed(b.store.Name(b.key), "it is another version now")
		}
		return err
	}
	if b.end < 0 {
		b.end = aws.ToInt64(out.ContentLength)
	}
	b.info = Info{
		Key: b.key, Size: aws.ToInt64(out.ContentLength), Version: aws.ToString(out.ETag),
		Modified: aws.ToTime(out.LastModified), Now: serverTime(out.ResultMetadata),
	}
	b.body, b.cancel = out.Body, cancel
	b.watchdog = time.AfterFunc(b.store.idle, func() { cancel(errIdle) })
	b.watchdog.Stop()
	return nil
}

func (b *s3Body) Read(p []byte) (int, error) {
	for {
		if b.off >= b.end {
			return 0, b.finish()
		}
		if b.body == nil {
			if err := b.open(); err != nil {
				return 0, err
			}
		}
		b.watchdog.Reset(b.store.idle) // it runs while we wait, not while our caller works
		n, err := b.body.Read(p[:min(int64(len(p)), b.end-b.off)])
		b.watchdog.Stop()
		b.off += int64(n)
		if n > 0 {
			b.failures = 0
		}
		if isChecksumError(err) {
			return n, b.damaged(err)
		}
		if err != nil || n == 0 {
			b.drop()
		}
		if n > 0 || b.off >= b.end {
			return n, nil
		}
		if err := b.pause(err); err != nil {
			return 0, err
		}
	}
}

// finish meets the end of the answer, where the SDK compares checksums and the
// connection becomes free for another request.
func (b *s3Body) finish() error {
	if b.body == nil {
		return io.EOF
	}
	b.watchdog.Reset(b.store.idle)
	_, err := b.body.Read(make([]byte, 1))
	b.drop()
	if isChecksumError(err) {
		return b.damaged(err)
	}
	return io.EOF
}

func (b *s3Body) damaged(err error) error {
	return &driver.Error{Doing: "read", Object: b.store.Name(b.key), Class: driver.ErrCorrupt, Cause: err, Cure: "the stored object is damaged; write it anew"}
}

// pause waits before the next attempt, or says why there is none.
func (b *s3Body) pause(cause error) error {
	if err := context.Cause(b.ctx); err != nil {
		return err
	}
	if b.failures++; b.failures >= readAttempts {
		if cause == nil || errors.Is(cause, io.EOF) {
			cause = io.ErrUnexpectedEOF
		}
		return s3Error("read", fmt.Sprintf("%s from byte %d on", b.store.Name(b.key), b.off), cause)
	}
	// Four times as long each time, give or take a half.
	wait := time.Duration(float64(b.store.pause<<(2*(b.failures-1))) * (0.5 + rand.Float64()))
	select {
	case <-time.After(wait):
		return nil
	case <-b.ctx.Done():
		return context.Cause(b.ctx)
	}
}

func (b *s3Body) drop() {
	if b.body == nil {
		return
	}
	b.watchdog.Stop()
	b.cancel(nil) // first: closing alone would read the rest to keep the connection
	b.body.Close()
	b.body = nil
}

func (b *s3Body) Close() error {
	if b.off >= b.end && b.ctx.Err() == nil {
		_ = b.finish() // all was read; what is left is to free the connection
	}
	b.drop()
	b.end = b.off // a later Read finds nothing
	return nil
}
