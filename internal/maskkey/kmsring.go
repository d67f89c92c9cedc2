package maskkey

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// ringFile is the ring of a dataset: wrapped keys, the first one in use.
type ringFile struct {
	Version int          `json:"version"`
	Dataset string       `json:"dataset"`
	Keys    []wrappedKey `json:"keys"`
}

type wrappedKey struct {
	ID      string `json:"id"`
	Wrapped []byte `json:"wrapped"` // by KMS, base64
	Check   string `json:"check"`
}

// maxKeys bounds a ring: each of its keys is a call to KMS.
const maxKeys = 100

// parseRing reads a ring strictly: a field nobody knows may be one that matters.
func parseRing(content []byte, dataset string) (f ringFile, err error) {
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("it is no ring of keys: %w", err)
	}
	switch {
	case f.Version != 1:
		return f, fmt.Errorf("its version is %d and should be 1: use the program that wrote it, or a newer one", f.Version)
	case f.Dataset != dataset:
		return f, fmt.Errorf("it is that of dataset %q: name its dataset, or the ring of %q", f.Dataset, dataset)
	case len(f.Keys) == 0 || len(f.Keys) > maxKeys:
		return f, fmt.Errorf("it has %d keys and should have 1 to %d", len(f.Keys), maxKeys)
	}
	for i, k := range f.Keys {
		if !validID(k.ID) || len(k.Wrapped) == 0 {
			return f, fmt.Errorf("its key %d has no id of a-z and 0-9, or is empty", i+1)
		}
	}
	return f, nil
}

// errNoRing tells that there is no ring yet.
var errNoRing = errors.New("no such ring: begin one with `millrace key add --mask-key REF`")

// readRing returns a ring's content and a state to hold a later write against:
// the ETag in S3, the content of a file.
func readRing(ctx context.Context, place string) (content []byte, state string, err error) {
	u, err := url.Parse(place)
	switch {
	case err == nil && u.Scheme == "file" && u.Host == "" && strings.HasPrefix(u.Path, "/"):
		f, err := os.Open(u.Path)
		if errors.Is(err, os.ErrNotExist) {
			return nil, "", fmt.Errorf("ring %s: %w", place, errNoRing)
		}
		if err != nil {
			return nil, "", fmt.Errorf("reading ring %s: %w", place, err)
		}
		defer f.Close()
		content, err = readBounded(f)
		return content, string(content), err
	case err == nil && u.Scheme == "s3" && u.Host != "" && len(u.Path) > 1:
		return readS3Ring(ctx, place, u)
	}
	return nil, "", fmt.Errorf("ring %q: want file:///path or s3://bucket/key", place)
}

func readBounded(r io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("longer than %d bytes, so no ring of keys", maxFile)
	}
	return content, err
}

func s3Client(ctx context.Context) (*s3.Client, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = os.Getenv("AWS_ENDPOINT_URL_S3")+os.Getenv("AWS_ENDPOINT_URL") != "" // servers of one's own have no names for buckets
		o.DisableLogOutputChecksumValidationSkipped = true
	}), nil
}

func readS3Ring(ctx context.Context, place string, u *url.URL) ([]byte, string, error) {
	client, err := s3Client(ctx)
	if err != nil {
		return nil, "", err
	}
	out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(u.Host), Key: aws.String(u.Path[1:])})
	var none *types.NoSuchKey
	if errors.As(err, &none) {
		return nil, "", fmt.Errorf("ring %s: %w", place, errNoRing)
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading ring %s: %w", place, err)
	}
	defer out.Body.Close()
	content, err := readBounded(out.Body)
	return content, aws.ToString(out.ETag), err
}

// errRingChanged tells that another was faster.
var errRingChanged = errors.New("another process changed the ring meanwhile: do it again")

// writeRing writes a ring whole, unless it is no longer in the state read.
func writeRing(ctx context.Context, place string, f ringFile, state string) error {
	content, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	u, err := url.Parse(place)
	if err != nil {
		return err
	}
	if u.Scheme == "s3" {
		return writeS3Ring(ctx, u, content, state)
	}
	return writeFileRing(u.Path, content, state)
}

func writeFileRing(path string, content []byte, state string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// The lock is a name that only one can make.
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("%w (its lock is %s.lock; remove it when no such process runs)", errRingChanged, path)
	}
	defer os.Remove(lock.Name())
	defer lock.Close()
	now, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if string(now) != state {
		return errRingChanged
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".ring-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(content)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

func writeS3Ring(ctx context.Context, u *url.URL, content []byte, state string) error {
	client, err := s3Client(ctx)
	if err != nil {
		return err
	}
	in := &s3.PutObjectInput{Bucket: aws.String(u.Host), Key: aws.String(u.Path[1:]), Body: bytes.NewReader(content)}
	if state == "" {
		in.IfNoneMatch = aws.String("*")
	} else {
		in.IfMatch = aws.String(state)
	}
	_, err = client.PutObject(ctx, in)
	if err != nil && strings.Contains(err.Error(), "PreconditionFailed") {
		return errRingChanged
	}
	return err
}
