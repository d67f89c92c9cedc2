package lakeio

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"

	"millrace/io/driver"
)

// s3Config is what an S3 place's parameters say.
type s3Config struct {
	region string
	sse    types.ServerSideEncryption
	kmsKey string
}

func readS3Config(p place) (s3Config, error) {
	c := s3Config{region: p.Text("region", "")}
	c.sse = types.ServerSideEncryption(p.OneOf("sse", "", string(types.ServerSideEncryptionAwsKms), string(types.ServerSideEncryptionAes256)))
	c.kmsKey = p.Text("kms_key_id", "")
	if c.kmsKey != "" && c.sse != types.ServerSideEncryptionAwsKms {
		return c, badPlace(p.String(), "kms_key_id is given without sse=aws:kms", "add sse=aws:kms")
	}
	return c, nil
}

// s3Store is a lake below a prefix of a bucket.
type s3Store struct {
	client *s3.Client
	bucket string
	prefix string // "" or ends in a slash
	cfg    s3Config
	slots  chan struct{} // bounds the parts in flight of all writers together
	idle   time.Duration // a read without a byte for so long is broken off
	pause  time.Duration // before the first repetition of a broken read
}

var _ Store = (*s3Store)(nil)

const (
	s3Attempts   = 8 // of one call: with the backoff below over about a minute
	s3MaxBackoff = 20 * time.Second
	s3PartsFlown = 4
	s3Idle       = 60 * time.Second
	s3Pause      = 10 * time.Millisecond
)

func newS3Store(ctx context.Context, bucket, prefix string, cfg s3Config) (*s3Store, error) {
	client, err := newS3Client(ctx, "s3://"+bucket+"/"+prefix, cfg.region)
	if err != nil {
		return nil, err
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return &s3Store{client: client, bucket: bucket, prefix: prefix, cfg: cfg, slots: make(chan struct{}, s3PartsFlown), idle: s3Idle, pause: s3Pause}, nil
}

// newS3Client uses the standard credential chain and AWS_ENDPOINT_URL(_S3); an
// endpoint of one's own means path-style addressing, as other servers want it.
func newS3Client(ctx context.Context, object, region string) (*s3.Client, error) {
	http := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = 32
		t.ResponseHeaderTimeout = 60 * time.Second
	})
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(http),
		config.WithRetryer(func() aws.Retryer {
			return tellingRetryer{object, retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = s3Attempts
				if n, err := strconv.Atoi(os.Getenv("AWS_MAX_ATTEMPTS")); err == nil && n > 0 {
					o.MaxAttempts = n // the SDK reads it, but not beside a retryer of ours
				}
				o.Backoff = retry.NewExponentialJitterBackoff(s3MaxBackoff)
				o.RateLimiter = noLimit{}
				// S3 asks for a repetition when a deletion met a conditional write.
				o.Retryables = append(o.Retryables, retry.RetryableErrorCode{Codes: map[string]struct{}{"ConditionalRequestConflict": {}}})
			})}
		}),
	}
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, &driver.Error{
			Doing: "configure the access to", Object: object, Class: driver.ErrInvalid, Cause: err,
			Cure: "check the AWS_* variables and ~/.aws/config",
		}
	}
	noRegion := false
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.DisableLogOutputChecksumValidationSkipped = true // multipart objects have none for the whole: no news
		if o.BaseEndpoint != nil {
			o.UsePathStyle = true
			if o.Region == "" {
				o.Region = "us-east-1" // enters the signature only
			}
		}
		noRegion = o.Region == ""
	})
	if noRegion {
		return nil, &driver.Error{
			Doing: "configure the access to", Object: object, Class: driver.ErrInvalid,
			Cause: errors.New("no AWS region is set"), Cure: "set AWS_REGION, or add ?region=... to the URL",
		}
	}
	return client, nil
}

// tellingRetryer tells of each call that is made again.
type tellingRetryer struct {
	object string
	*retry.Standard
}

func (r tellingRetryer) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	driver.Retried(ctx, s3Error("reach", r.object, err))
	return r.Standard.GetRetryToken(ctx, err)
}

// noLimit lifts the client-wide retry quota: many files are read at once, and
// a bad minute of the network must not fail a run that has hours behind it. The
// number of attempts bounds each call.
type noLimit struct{}

func (noLimit) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (noLimit) AddTokens(uint) error { return nil }

func (s *s3Store) key(key string) *string { return aws.String(s.prefix + key) }

func (s *s3Store) Name(key string) string { return "s3://" + s.bucket + "/" + s.prefix + key }

func (s *s3Store) Stat(ctx context.Context, key string) (Info, error) {
	if err := checkKey(s, key); err != nil {
		return Info{}, err
	}
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: s.key(key)})
	if err != nil {
		return Info{}, s3Error("stat", s.Name(key), err)
	}
	return Info{
		Key: key, Size: aws.ToInt64(out.ContentLength), Version: aws.ToString(out.ETag),
		Modified: aws.ToTime(out.LastModified), Now: serverTime(out.ResultMetadata),
	}, nil
}

// serverTime is the Date of an answer.
func serverTime(m middleware.Metadata) time.Time {
	t, _ := awsmiddleware.GetServerTime(m)
	return t
}

func (s *s3Store) List(ctx context.Context, prefix string) ([]Info, error) {
	var infos []Info
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: s.key(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, s3Error("list", s.Name(prefix), err)
		}
		for _, o := range page.Contents {
			key := strings.TrimPrefix(aws.ToString(o.Key), s.prefix)
			if key == "" || strings.HasSuffix(key, "/") {
				continue // a folder as consoles make them
			}
			infos = append(infos, Info{Key: key, Size: aws.ToInt64(o.Size), Version: aws.ToString(o.ETag), Modified: aws.ToTime(o.LastModified)})
		}
	}
	slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(a.Key, b.Key) })
	return infos, nil
}

func (s *s3Store) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := checkKey(s, key); err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(keys, 1000) { // the most one call takes
		var objects []types.ObjectIdentifier
		for _, key := range batch {
			objects = append(objects, types.ObjectIdentifier{Key: s.key(key)})
		}
		out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &s.bucket, Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)}})
		if err != nil {
			return s3Error("remove", s.Name(batch[0]), err)
		}
		for _, e := range out.Errors {
			if code := aws.ToString(e.Code); code != "NoSuchKey" {
				object := "s3://" + s.bucket + "/" + aws.ToString(e.Key)
				return s3CodeError("remove", object, code, 0, errors.New(code+": "+aws.ToString(e.Message)))
			}
		}
	}
	return nil
}

// sweepAge is how old an unfinished upload is before it counts as abandoned: S3
// does not tell whether anyone still works on it.
const sweepAge = 24 * time.Hour

func (s *s3Store) Sweep(ctx context.Context) error {
	pages := s3.NewListMultipartUploadsPaginator(s.client, &s3.ListMultipartUploadsInput{Bucket: &s.bucket, Prefix: &s.prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return s3Error("list unfinished uploads in", s.Name(""), err)
		}
		now := serverTime(page.ResultMetadata)
		for _, u := range page.Uploads {
			if now.Sub(aws.ToTime(u.Initiated)) < sweepAge {
				continue
			}
			_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: u.Key, UploadId: u.UploadId})
			if err := s3Error("end an unfinished upload of", "s3://"+s.bucket+"/"+aws.ToString(u.Key), err); err != nil && !errors.Is(err, driver.ErrNotFound) {
				return err
			}
		}
	}
	return nil
}
