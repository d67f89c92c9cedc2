package kinesisio

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"millrace/io/driver"
)

const (
	attempts   = 8 // of one call: with the backoff below over about a minute
	maxBackoff = 20 * time.Second
)

// newClient uses the standard credential chain and AWS_ENDPOINT_URL(_KINESIS).
// Its calls repeat what can be repeated for about a minute; see once.
func newClient(ctx context.Context, p place) (*kinesis.Client, error) {
	transport := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = 256 // a connection for each shard
		t.ResponseHeaderTimeout = 30 * time.Second
	})
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(transport),
		config.WithRetryer(func() aws.Retryer {
			return tellingRetryer{p, retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = attempts
				if n, err := strconv.Atoi(os.Getenv("AWS_MAX_ATTEMPTS")); err == nil && n > 0 {
					o.MaxAttempts = n // the SDK reads it, but not beside a retryer of ours
				}
				o.Backoff = retry.NewExponentialJitterBackoff(maxBackoff)
				o.RateLimiter = noLimit{}
			})}
		}),
	}
	if p.region != "" {
		options = append(options, config.WithRegion(p.region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, &driver.Error{
			Doing: "configure the access to", Object: p.String(), Class: driver.ErrInvalid, Cause: err,
			Cure: "check the AWS_* variables and ~/.aws/config",
		}
	}
	noRegion := false
	client := kinesis.NewFromConfig(cfg, func(o *kinesis.Options) {
		if o.BaseEndpoint != nil && o.Region == "" {
			o.Region = "us-east-1" // enters the signature only
		}
		noRegion = o.Region == ""
		o.Protocol = quickAnswers{o.Protocol}
	})
	if noRegion {
		return nil, &driver.Error{
			Doing: "configure the access to", Object: p.String(), Class: driver.ErrInvalid,
			Cause: errors.New("no AWS region is set"), Cure: "set AWS_REGION, or add ?region=... to the URL",
		}
	}
	return client, nil
}

// once makes a call without repetitions of the SDK, for callers that repeat by
// themselves.
func once(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} }

// tellingRetryer tells of each call that the SDK makes again.
type tellingRetryer struct {
	place place
	*retry.Standard
}

func (r tellingRetryer) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	driver.Retried(ctx, serviceError("call", r.place, err))
	return r.Standard.GetRetryToken(ctx, err)
}

// noLimit lifts the client-wide retry quota: many shards are read at once, and
// the number of attempts bounds each call.
type noLimit struct{}

func (noLimit) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (noLimit) AddTokens(uint) error { return nil }
