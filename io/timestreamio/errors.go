package timestreamio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"millrace/io/calls"
	"millrace/io/driver"
)

// serviceError gives an error of the SDK its class and its cure.
func (c *config) serviceError(ctx context.Context, err error) error {
	var known *driver.Error
	if errors.As(err, &known) {
		return err
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	e := &driver.Error{Doing: "write to", Object: c.place}
	status := 0
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	var broken *smithy.DeserializationError
	switch {
	case status < 300 && (errors.Is(err, errAnswerLong) || errors.As(err, &broken)):
		text := errAnswerLong
		if !errors.Is(err, errAnswerLong) {
			text = errors.New("an answer that is none of Timestream")
		}
		e.Class, e.Cause, e.Cure = driver.ErrCorrupt, text, "check what answers at the endpoint"
	case errors.As(err, &api):
		e.Cure, e.Class = classify(api.ErrorCode(), status)
		e.Cause = errors.New(calls.Short([]byte(strings.TrimSuffix(fmt.Sprintf("HTTP %d %s: %s", status, api.ErrorCode(), api.ErrorMessage()), ": "))))
	case status != 0:
		e.Cure, e.Class = classify("", status)
		e.Cause = fmt.Errorf("HTTP %d %s", status, http.StatusText(status))
	case noCredentials(err):
		e.Class, e.Cause = driver.ErrPermission, errors.New("no AWS credentials were found")
		e.Cure = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role"
	default:
		e.Class, e.Cause = driver.ErrUnavailable, wayFault(err)
		e.Cure = "check the network, the region and AWS_ENDPOINT_URL_TIMESTREAM_WRITE"
	}
	return e
}

// noCredentials goes by the SDK's texts: it has no type for a chain that found nothing.
func noCredentials(err error) bool {
	text := err.Error()
	return slices.ContainsFunc([]string{"get identity", "retrieve credentials", "refresh cached credentials"}, func(part string) bool { return strings.Contains(text, part) })
}

// wayFault is the part of an error that says what went wrong on the way.
func wayFault(err error) error {
	var dns *net.DNSError
	var way *net.OpError
	switch {
	case errors.As(err, &dns):
		return dns
	case errors.As(err, &way):
		return way
	}
	return errors.New(calls.Short([]byte(err.Error())))
}

// classify goes by the service's code first, and by the HTTP status where the code is
// not known.
func classify(code string, status int) (cure string, class error) {
	switch {
	case code == "ResourceNotFoundException":
		return "make database and table (aws timestream-write create-table), or name another region with region=...", driver.ErrNotFound
	case code == "AccessDeniedException":
		return "allow these credentials timestream:WriteRecords for the table and timestream:DescribeEndpoints", driver.ErrPermission
	case slices.Contains([]string{"UnrecognizedClientException", "InvalidSignatureException", "IncompleteSignature", "InvalidClientTokenId", "MissingAuthenticationToken", "SignatureDoesNotMatch"}, code):
		return "the AWS credentials are not valid for this server; check them and the region", driver.ErrPermission
	case strings.HasPrefix(code, "ExpiredToken"):
		return "the AWS credentials have expired; log in again", driver.ErrPermission
	case strings.HasPrefix(code, "Throttling"), code == "RequestLimitExceeded", status == http.StatusTooManyRequests:
		return "lower calls, or ask for more throughput of writing", driver.ErrThrottled
	case code == "InternalServerException", code == "ServiceUnavailable", code == "InvalidEndpointException", code == "RequestTimeout", status >= 500:
		return "see the state of Timestream in the region", driver.ErrUnavailable
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return "check the AWS credentials and what they may do", driver.ErrPermission
	case status >= 300 && status < 400:
		return "the server leads elsewhere; write the address it leads to", driver.ErrInvalid
	case status == http.StatusNotFound && code == "":
		return "check the endpoint: this is not what Timestream answers", driver.ErrNotFound
	}
	return "", driver.ErrInvalid
}
