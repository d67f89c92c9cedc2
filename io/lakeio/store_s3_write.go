package lakeio

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/uuid"

	"millrace/io/driver"
)

const (
	s3PartSize  = 8 << 20  // 10,000 parts of it are 78 GiB; lake files are far smaller
	s3Multipart = 16 << 20 // larger objects go in parts
	s3MaxParts  = 10_000
)

// attemptKey is metadata that names the attempt to write an object. The answer
// to a write may be lost; a repetition then fails its condition because of
// ourselves, which this tells apart from another writer.
const attemptKey = "millrace-attempt"

// s3Writer holds an object back until it is complete or larger than
// s3Multipart; then parts fly while the rest is being written. Until the upload
// is completed S3 shows nothing of it.
type s3Writer struct {
	ctx     context.Context
	store   *s3Store
	key     string
	opt     PutOptions
	attempt string
	sum     hash.Hash // nil unless asked for
	held    []byte    // not sent yet
	size    int64     // of all that was written
	ended   bool

	upload *string // id, once in parts
	flying sync.WaitGroup
	mu     sync.Mutex
	parts  []types.CompletedPart
	err    error // the first of a part
}

func (s *s3Store) Create(ctx context.Context, key string, opt PutOptions) (Writer, error) {
	if err := checkKey(s, key); err != nil {
		return nil, err
	}
	w := &s3Writer{ctx: ctx, store: s, key: key, opt: opt, attempt: uuid.NewString()}
	if opt.SHA256 != "" {
		w.sum = sha256.New()
	}
	return w, nil
}

func (s *s3Store) Put(ctx context.Context, key string, r io.Reader, opt PutOptions) (Info, error) {
	return put(ctx, s, key, r, opt)
}

func (w *s3Writer) Write(p []byte) (int, error) {
	if w.ended {
		return 0, fs.ErrClosed
	}
	if w.sum != nil {
		w.sum.Write(p)
	}
	n := len(p)
	for len(p) > 0 {
		limit := s3Multipart
		if w.upload != nil {
			limit = s3PartSize
		}
		took := min(len(p), limit-len(w.held))
		w.held = append(w.held, p[:took]...)
		p = p[took:]
		w.size += int64(took)
		if len(w.held) < limit || len(p) == 0 {
			continue // a full buffer may yet be the whole object
		}
		if err := w.sendHeld(); err != nil {
			return n - len(p), err
		}
	}
	return n, nil
}

// sendHeld sends what is held in parts, starting the upload if need be.
func (w *s3Writer) sendHeld() error {
	if w.upload == nil {
		in := &s3.CreateMultipartUploadInput{
			Bucket: &w.store.bucket, Key: w.store.key(w.key), Metadata: w.metadata(),
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		} // as the SDK computes for each part
		in.ServerSideEncryption, in.SSEKMSKeyId = w.store.encryption()
		out, err := w.store.client.CreateMultipartUpload(w.ctx, in)
		if err != nil {
			return s3Error("write", w.store.Name(w.key), err)
		}
		w.upload = out.UploadId
	}
	for len(w.held) > 0 {
		n := min(len(w.held), s3PartSize)
		if err := w.sendPart(w.held[:n:n]); err != nil {
			return err
		}
		w.held = w.held[n:]
	}
	w.held = make([]byte, 0, s3PartSize)
	return nil
}

func (w *s3Writer) sendPart(data []byte) error {
	w.mu.Lock()
	err, number := w.err, int32(len(w.parts)+1) //nolint:gosec // s3MaxParts at most
	if err == nil && number > s3MaxParts {
		err = &driver.Error{Doing: "write", Object: w.store.Name(w.key), Class: driver.ErrInvalid, Cause: errors.New("it is larger than 78 GiB"), Cure: "write smaller files"}
	}
	if err == nil {
		w.parts = append(w.parts, types.CompletedPart{PartNumber: aws.Int32(number)})
	}
	w.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case w.store.slots <- struct{}{}:
	case <-w.ctx.Done():
		return context.Cause(w.ctx)
	}
	w.flying.Go(func() {
		defer func() { <-w.store.slots }()
		out, err := w.store.client.UploadPart(w.ctx, &s3.UploadPartInput{
			Bucket: &w.store.bucket, Key: w.store.key(w.key),
			UploadId: w.upload, PartNumber: aws.Int32(number), Body: bytes.NewReader(data), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		})
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil {
			w.err = errors.Join(w.err, s3Error("write", w.store.Name(w.key), err))
			return
		}
		p := &w.parts[number-1]
		p.ETag, p.ChecksumCRC32 = out.ETag, out.ChecksumCRC32
	})
	return nil
}

func (w *s3Writer) Commit(ctx context.Context) (Info, error) {
	if w.ended {
		return Info{}, fs.ErrClosed
	}
	defer w.Abort()
	if err := checkSum(w.store.Name(w.key), w.sum, w.opt.SHA256); err != nil {
		return Info{}, err
	}
	if w.lostAlready(ctx) {
		return Info{}, conflict(w.store.Name(w.key))
	}
	write := w.putWhole
	if w.upload != nil {
		write = w.complete
	}
	info, err := write(ctx)
	if err != nil {
		return w.settle(ctx, s3Error("write", w.store.Name(w.key), err))
	}
	w.ended = true
	info.Key, info.Size, info.Modified = w.key, w.size, info.Now
	return info, nil
}

// earlyBytes is the size from which a conditional put asks first. A server may
// refuse a put and hang up before it has read the body; the client sees a broken
// connection and tries again, for minutes.
const earlyBytes = 256 << 10

// lostAlready tells whether the condition of a large put is known to fail. That
// it may hold is for the put itself to find out.
func (w *s3Writer) lostAlready(ctx context.Context) bool {
	if w.upload != nil || len(w.held) < earlyBytes || (!w.opt.IfNoneMatch && w.opt.IfMatch == "") {
		return false
	}
	info, err := w.store.Stat(ctx, w.key)
	if w.opt.IfNoneMatch {
		return err == nil
	}
	return errors.Is(err, driver.ErrNotFound) || err == nil && info.Version != w.opt.IfMatch
}

func (w *s3Writer) putWhole(ctx context.Context) (Info, error) {
	in := &s3.PutObjectInput{Bucket: &w.store.bucket, Key: w.store.key(w.key), Body: bytes.NewReader(w.held), Metadata: w.metadata()}
	in.ServerSideEncryption, in.SSEKMSKeyId = w.store.encryption()
	in.IfNoneMatch, in.IfMatch = w.conditions()
	out, err := w.store.client.PutObject(ctx, in)
	if err != nil {
		return Info{}, err
	}
	return Info{Version: aws.ToString(out.ETag), Now: serverTime(out.ResultMetadata)}, nil
}

func (w *s3Writer) complete(ctx context.Context) (Info, error) {
	if len(w.held) > 0 {
		if err := w.sendHeld(); err != nil {
			return Info{}, err
		}
	}
	w.flying.Wait()
	if w.err != nil {
		return Info{}, w.err
	}
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &w.store.bucket, Key: w.store.key(w.key), UploadId: w.upload,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: w.parts},
	}
	in.IfNoneMatch, in.IfMatch = w.conditions()
	out, err := w.store.client.CompleteMultipartUpload(ctx, in)
	if err != nil {
		return Info{}, err
	}
	return Info{Version: aws.ToString(out.ETag), Now: serverTime(out.ResultMetadata)}, nil
}

// settle looks whether a refused write was refused because an attempt of our own
// had gone through. A completed upload is then gone (not found), too.
func (w *s3Writer) settle(ctx context.Context, err error) (Info, error) {
	refused := errors.Is(err, driver.ErrConflict)
	if !refused && !errors.Is(err, driver.ErrNotFound) {
		return Info{}, err
	}
	out, headErr := w.store.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &w.store.bucket, Key: w.store.key(w.key)})
	if headErr == nil && out.Metadata[attemptKey] == w.attempt {
		w.ended = true
		return Info{
			Key: w.key, Size: w.size, Version: aws.ToString(out.ETag),
			Modified: aws.ToTime(out.LastModified), Now: serverTime(out.ResultMetadata),
		}, nil
	}
	// A version to be replaced that is gone is a lost race like any other.
	gone := w.opt.IfMatch != "" && errors.Is(s3Error("stat", "", headErr), driver.ErrNotFound)
	if refused || gone {
		return Info{}, conflict(w.store.Name(w.key))
	}
	return Info{}, err
}

func (w *s3Writer) conditions() (ifNoneMatch, ifMatch *string) {
	switch {
	case w.opt.IfNoneMatch:
		return aws.String("*"), nil
	case w.opt.IfMatch != "":
		return nil, aws.String(w.opt.IfMatch)
	}
	return nil, nil
}

func (w *s3Writer) metadata() map[string]string { return map[string]string{attemptKey: w.attempt} }

func (s *s3Store) encryption() (types.ServerSideEncryption, *string) {
	if s.cfg.kmsKey == "" {
		return s.cfg.sse, nil
	}
	return s.cfg.sse, aws.String(s.cfg.kmsKey)
}

// Abort ends the upload so that its parts are not stored, and paid, for ever. It
// is still to be done when the write was cancelled.
func (w *s3Writer) Abort() {
	if w.ended {
		return
	}
	w.ended = true
	w.flying.Wait()
	if w.upload == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), 30*time.Second)
	defer cancel()
	// What remains after an error here is for Sweep.
	_, _ = w.store.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &w.store.bucket, Key: w.store.key(w.key), UploadId: w.upload})
}
