package kinesisio

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

	"millrace/io/driver"
)

// serviceError gives an error of the SDK its class and its cure. Its class is
// one of ErrNotFound, ErrPermission, ErrInvalid, ErrThrottled and ErrUnavailable;
// only the last two can pass by themselves (see passes). Doing is a verb that
// takes the stream: "read", "list the shards of", "write to".
func serviceError(doing string, p place, err error) error {
	if err == nil {
		return nil
	}
	var known *driver.Error
	if errors.As(err, &known) {
		return err
	}
	// The SDK wraps a cancelled context in its own type, deep down.
	var cancelled *smithy.CanceledError
	if errors.As(err, &cancelled) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s %s: %w", doing, p, context.Canceled)
	}
	if errors.Is(err, errAnswerLong) || errors.Is(err, errAnswerMany) {
		return &driver.Error{
			Doing: doing, Object: p.String(), Class: driver.ErrCorrupt, Cause: shortError{"an answer that is none of Kinesis: " + answerFault(err).Error(), err},
			Cure: "check what answers at the endpoint of the AWS configuration",
		}
	}
	status := 0
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		text := api.ErrorCode()
		if m := api.ErrorMessage(); m != "" && m != text {
			text += ": " + m
		}
		if status != 0 {
			text = fmt.Sprintf("HTTP %d %s", status, text)
		}
		cure, class := classify(api.ErrorCode(), status, operation(err), p)
		return &driver.Error{Doing: doing, Object: p.String(), Class: class, Cause: shortError{text, err}, Cure: cure}
	}
	if status != 0 {
		cure, class := classify("", status, operation(err), p)
		return &driver.Error{
			Doing: doing, Object: p.String(), Class: class, Cure: cure,
			Cause: shortError{fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)), err},
		}
	}
	// The SDK has no type for a chain that found nothing; this text is its own.
	if text := err.Error(); strings.Contains(text, "get identity") || strings.Contains(text, "retrieve credentials") || strings.Contains(text, "refresh cached credentials") {
		return &driver.Error{
			Doing: doing, Object: p.String(), Class: driver.ErrPermission, Cause: shortError{"no AWS credentials were found", err},
			Cure: "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role",
		}
	}
	cause := err
	var netError *net.OpError
	var dns *net.DNSError
	if errors.As(err, &dns) {
		cause = shortError{dns.Error(), err}
	} else if errors.As(err, &netError) {
		cause = shortError{netError.Error(), err}
	}
	return &driver.Error{
		Doing: doing, Object: p.String(), Class: driver.ErrUnavailable, Cause: cause,
		Cure: "check the network, the region and AWS_ENDPOINT_URL_KINESIS, then run the same command again",
	}
}

// classify goes by the service's code first, and by the HTTP status where the
// code is not known.
func classify(code string, status int, operation string, p place) (cure string, class error) {
	switch {
	case code == "ResourceNotFoundException":
		where := "the region"
		if p.region != "" {
			where = "region " + p.region
		}
		return "check the stream's name; it must exist in " + where + " and in the account of the credentials. " +
			"Name another region with ?region=..., another account by the ARN", driver.ErrNotFound
	case slices.Contains([]string{"UnrecognizedClientException", "InvalidSignatureException", "IncompleteSignatureException", "InvalidClientTokenId", "SignatureDoesNotMatch", "MissingAuthenticationTokenException", "MissingAuthenticationToken"}, code):
		return "the AWS credentials are not valid for this server; check them, the region and AWS_ENDPOINT_URL_KINESIS", driver.ErrPermission
	case strings.HasPrefix(code, "ExpiredToken"):
		return "the AWS credentials have expired; log in again", driver.ErrPermission
	case code == "KMSThrottlingException":
		return "the key of the stream is asked too often; raise the request quota of KMS", driver.ErrThrottled
	case strings.HasPrefix(code, "KMS"):
		return "the stream is encrypted: check its key's state and the right to use it (kms:Decrypt to read, kms:GenerateDataKey to write)", driver.ErrPermission
	case code == "AccessDeniedException", code == "AccessDenied":
		right := "kinesis:" + operation
		if operation == "" {
			right = "the kinesis: actions it needs"
		}
		return "allow it to these credentials (aws sts get-caller-identity shows whose they are): " + right, driver.ErrPermission
	case code == "ProvisionedThroughputExceededException", code == "LimitExceededException", strings.HasPrefix(code, "Throttling"), code == "RequestLimitExceeded", status == http.StatusTooManyRequests:
		return "give the stream more shards or stop other readers and writers of it", driver.ErrThrottled
	case code == "ResourceInUseException":
		return "the stream is being created or deleted; wait until it is ACTIVE", driver.ErrUnavailable
	case code == "InvalidArgumentException", code == "ValidationException", code == "SerializationException":
		return "", driver.ErrInvalid
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return "check the AWS credentials and what they may do", driver.ErrPermission
	}
	return "run the same command again", driver.ErrUnavailable
}

// answerFault is what is wrong with an answer that breaks our limits.
func answerFault(err error) error {
	if errors.Is(err, errAnswerLong) {
		return errAnswerLong
	}
	return errAnswerMany
}

// passes tells whether an error of serviceError can pass by itself.
func passes(err error) bool {
	return errors.Is(err, driver.ErrThrottled) || errors.Is(err, driver.ErrUnavailable)
}

// errorCode is the service's code of an error, empty when it has none.
func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// operation is the call that an error of the SDK comes from.
func operation(err error) string {
	var op *smithy.OperationError
	if errors.As(err, &op) {
		return op.Operation()
	}
	return ""
}

// shortError says in a line what an SDK error says in several, and keeps it for
// errors.As.
type shortError struct {
	text string
	err  error
}

func (e shortError) Error() string { return e.text }
func (e shortError) Unwrap() error { return e.err }
