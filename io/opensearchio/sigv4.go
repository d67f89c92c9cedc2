package opensearchio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"millrace/io/driver"
)

// newSigner signs calls for a managed domain with the credentials of the AWS
// configuration, which the SDK renews.
func newSigner(ctx context.Context, c *config) (func(*http.Request, []byte) error, error) {
	var options []func(*awsconfig.LoadOptions) error
	if c.region != "" {
		options = append(options, awsconfig.WithRegion(c.region))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, options...)
	switch {
	case err != nil:
		return nil, c.fault(err.Error(), "check the AWS_* variables and ~/.aws/config")
	case cfg.Region == "":
		return nil, c.fault("no AWS region is set", "set AWS_REGION, or add region=... to the URL")
	}
	signer := v4.NewSigner()
	return func(r *http.Request, body []byte) error {
		credentials, err := cfg.Credentials.Retrieve(r.Context())
		if err != nil {
			return &driver.Error{
				Doing: "write to", Object: c.place, Class: driver.ErrPermission, Cause: errors.New("no AWS credentials were found"),
				Cure: "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role",
			}
		}
		return signer.SignHTTP(r.Context(), credentials, r, digest(body), "es", cfg.Region, time.Now())
	}, nil
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
