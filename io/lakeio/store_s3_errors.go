package lakeio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"millrace/io/driver"
)

// s3Error gives an error of the SDK its class and its cure.
func s3Error(doing, object string, err error) error {
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
		return fmt.Errorf("%s %s: %w", doing, object, context.Canceled)
	}
	var status int
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
		return s3CodeError(doing, object, api.ErrorCode(), status, shortError{text, err})
	}
	if status != 0 {
		return s3CodeError(doing, object, "", status, shortError{fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)), err})
	}
	// The SDK has no type for a chain that found nothing; this text is its own.
	if text := err.Error(); strings.Contains(text, "get identity") || strings.Contains(text, "retrieve credentials") || strings.Contains(text, "refresh cached credentials") {
		return &driver.Error{
			Doing: doing, Object: object, Class: driver.ErrPermission, Cause: shortError{"no AWS credentials were found", err},
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
		Doing: doing, Object: object, Class: driver.ErrUnavailable, Cause: cause,
		Cure: "check the network, the region and AWS_ENDPOINT_URL_S3, then run the same command again",
	}
}

// s3CodeError classifies by the service's code first, by HTTP status where an
// answer has no body (HEAD) or the code is not known.
func s3CodeError(doing, object, code string, status int, cause error) error {
	class, cure := driver.ErrUnavailable, "run the same command again"
	switch {
	case code == "NoSuchBucket":
		class, cure = driver.ErrNotFound, "the bucket does not exist: create it, or correct the URL"
	case code == "NoSuchKey", code == "NotFound", code == "NoSuchUpload", status == http.StatusNotFound:
		class, cure = driver.ErrNotFound, "check bucket and key in the URL"
	case code == "SignatureDoesNotMatch", code == "InvalidAccessKeyId", code == "AuthFailure":
		class, cure = driver.ErrPermission, "the AWS credentials are not valid for this server; check them and AWS_ENDPOINT_URL_S3"
	case code == "ExpiredToken", code == "InvalidToken", code == "TokenRefreshRequired":
		class, cure = driver.ErrPermission, "the AWS credentials have expired; log in again"
	case code == "RequestTimeTooSkewed":
		class, cure = driver.ErrPermission, "the clock of this machine is wrong; set it"
	case strings.HasPrefix(code, "KMS."):
		class, cure = driver.ErrPermission, "check kms_key_id and the right to use the key"
	case code == "PermanentRedirect", code == "AuthorizationHeaderMalformed", status == http.StatusMovedPermanently:
		class, cure = driver.ErrInvalid, "the bucket lies in another region: add ?region=... to the URL"
	case code == "AccessDenied", status == http.StatusForbidden, status == http.StatusUnauthorized:
		class, cure = driver.ErrPermission, "allow it to these credentials (aws sts get-caller-identity shows whose they are): "+s3Right(doing)
	case code == "PreconditionFailed", code == "ConditionalRequestConflict", status == http.StatusPreconditionFailed:
		class, cure = driver.ErrConflict, ""
	case code == "SlowDown", code == "RequestLimitExceeded", status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		class, cure = driver.ErrThrottled, "S3 asked to slow down until the retries were used up; run the same command again later"
	case code == "InvalidBucketName":
		class, cure = driver.ErrInvalid, "correct the bucket in the URL"
	case code == "QuotaExceeded", status == http.StatusInsufficientStorage:
		class, cure = driver.ErrFull, "free some space there (or raise the quota), then run the same command again"
	case status >= 400 && status < 500:
		class, cure = driver.ErrInvalid, ""
	}
	return &driver.Error{Doing: doing, Object: object, Class: class, Cause: cause, Cure: cure}
}

// s3Right names the IAM action that an operation needs.
func s3Right(doing string) string {
	switch verb, _, _ := strings.Cut(doing, " "); verb {
	case "list":
		return "s3:ListBucket"
	case "write":
		return "s3:PutObject"
	case "remove":
		return "s3:DeleteObject"
	}
	return "s3:GetObject (and s3:ListBucket, without which a missing object looks forbidden)"
}

// shortError says in a line what an SDK error says in several, and keeps it for
// errors.As.
type shortError struct {
	text string
	err  error
}

func (e shortError) Error() string { return e.text }
func (e shortError) Unwrap() error { return e.err }

// isChecksumError tells a body whose checksum did not fit from a broken one.
func isChecksumError(err error) bool {
	return err != nil && strings.Contains(err.Error(), "checksum did not match")
}
