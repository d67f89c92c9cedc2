package timestreamio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/timestreamwrite"

	"millrace/io/driver"
)

// answerLimit is how many bytes an answer has at most: a hundred refusals with their
// reasons.
const answerLimit = 256 << 10

var errAnswerLong = errors.New("an answer that is longer than one about these rows can be")

// newClient uses the standard credential chain. It makes each call once: the sink makes
// calls again. Endpoints are discovered, as Timestream wants it, unless one is given.
func newClient(ctx context.Context, c *config) (*timestreamwrite.Client, error) {
	transport := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxConnsPerHost, t.MaxIdleConnsPerHost = c.calls, c.calls
		t.DisableCompression = true // the limit counts what comes
	})
	options := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithHTTPClient(transport), awsconfig.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
	}
	if c.region != "" {
		options = append(options, awsconfig.WithRegion(c.region))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, c.fault(err.Error(), "check the AWS_* variables and ~/.aws/config")
	}
	noRegion := false
	client := timestreamwrite.NewFromConfig(cfg, func(o *timestreamwrite.Options) {
		if c.endpoint != "" {
			o.BaseEndpoint = &c.endpoint
		}
		if o.BaseEndpoint != nil {
			o.EndpointDiscovery.EnableEndpointDiscovery = aws.EndpointDiscoveryDisabled
			if o.Region == "" {
				o.Region = "us-east-1" // enters the signature only
			}
		}
		noRegion = o.Region == ""
		o.HTTPClient = shortAnswers{o.HTTPClient}
	})
	if noRegion {
		return nil, c.fault("no AWS region is set", "set AWS_REGION, or add region=... to the URL")
	}
	return client, nil
}

// shortAnswers reads answers whole. Of one that is too long, and says that all went well,
// it makes an error; of another the beginning says what there is to know.
type shortAnswers struct{ next timestreamwrite.HTTPClient }

// Do implements timestreamwrite.HTTPClient.
func (s shortAnswers) Do(r *http.Request) (*http.Response, error) {
	response, err := s.next.Do(r)
	if err != nil {
		return response, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, answerLimit+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > answerLimit && response.StatusCode < 300:
		return nil, errAnswerLong
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// withTimeout bounds a call.
func (c *config) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.timeout, &driver.Error{
		Doing: "write to", Object: c.place, Class: driver.ErrUnavailable, Cause: fmt.Errorf("no answer after %v", c.timeout),
		Cure: "check the network and the state of Timestream",
	})
}
