package redshiftio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/redshiftdata"
	"github.com/aws/aws-sdk-go-v2/service/redshiftdata/types"
	"github.com/aws/smithy-go"

	"millrace/io/driver"
)

// dataAPI reaches Redshift by its Data API: statements run there while we ask how far
// they are.
type dataAPI struct {
	config *config
	client *redshiftdata.Client
}

// callTimeout is when a call counts as lost. None waits for a statement.
const callTimeout = 30 * time.Second

func newDataAPI(ctx context.Context, c *config) (*dataAPI, error) {
	options := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(min(callTimeout, c.timeout))),
		awsconfig.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }), // Sink.insist does it
	}
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
	return &dataAPI{c, redshiftdata.NewFromConfig(cfg, func(o *redshiftdata.Options) { o.HTTPClient = shortAnswers{o.HTTPClient} })}, nil
}

// Limits of answers. What is asked for are the state of a batch and the columns of a
// table, of which there are 1,600 at most.
const (
	answerLimit = 4 << 20 // bytes
	rowsLimit   = 10_000
)

var errAnswerLong = errors.New("an answer that is longer than one of the Data API can be")

// shortAnswers reads answers whole, unless they are too long.
type shortAnswers struct{ next redshiftdata.HTTPClient }

// Do implements redshiftdata.HTTPClient.
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
	case len(body) > answerLimit:
		return nil, errAnswerLong
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// corrupt is the error of an answer that is none.
func (d *dataAPI) corrupt(err error) error {
	return &driver.Error{Doing: "reach", Object: d.config.place, Class: driver.ErrCorrupt, Cause: err, Cure: "check what answers there: it is not the Data API"}
}

var errNoID = errors.New("an answer without the id of its statement")

func (d *dataAPI) close() {}

// warehouse, cluster, secret and user name what to log in to, and as whom.
func (d *dataAPI) login() (workgroup, cluster, secret, user *string) {
	c := d.config
	if c.cluster {
		cluster = &c.host
	} else {
		workgroup = &c.host
	}
	if c.loginARN != "" {
		secret = &c.loginARN
	}
	if c.dbUser != "" {
		user = &c.dbUser
	}
	return workgroup, cluster, secret, user
}

func (d *dataAPI) run(ctx context.Context, token string, statements []string) ([]int64, error) {
	in := &redshiftdata.BatchExecuteStatementInput{Sqls: statements, Database: &d.config.database, ClientToken: &token, StatementName: aws.String("millrace")}
	in.WorkgroupName, in.ClusterIdentifier, in.SecretArn, in.DbUser = d.login()
	out, err := d.client.BatchExecuteStatement(ctx, in)
	if err != nil {
		return nil, d.callError(ctx, err)
	}
	if out.Id == nil {
		return nil, d.corrupt(errNoID)
	}
	done, err := d.finish(ctx, *out.Id)
	if err != nil {
		return nil, err
	}
	var counts []int64
	for _, part := range done.SubStatements {
		counts = append(counts, part.ResultRows)
	}
	return counts, nil
}

func (d *dataAPI) query(ctx context.Context, sql string) (rows [][]string, err error) {
	in := &redshiftdata.ExecuteStatementInput{Sql: &sql, Database: &d.config.database, StatementName: aws.String("millrace")}
	in.WorkgroupName, in.ClusterIdentifier, in.SecretArn, in.DbUser = d.login()
	out, err := d.client.ExecuteStatement(ctx, in)
	if err != nil {
		return nil, d.callError(ctx, err)
	}
	if out.Id == nil {
		return nil, d.corrupt(errNoID)
	}
	if _, err := d.finish(ctx, *out.Id); err != nil {
		return nil, err
	}
	pages := redshiftdata.NewGetStatementResultPaginator(d.client, &redshiftdata.GetStatementResultInput{Id: out.Id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, d.callError(ctx, err)
		}
		if len(rows)+len(page.Records) > rowsLimit || len(page.Records) == 0 && pages.HasMorePages() {
			return nil, d.corrupt(fmt.Errorf("more rows than %d, or pages without any", rowsLimit))
		}
		for _, record := range page.Records {
			var row []string
			for _, field := range record {
				row = append(row, fieldText(field))
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// finish asks for a statement until it has ended. One that takes longer than a load may
// is cancelled, and one whose asker has left, too.
func (d *dataAPI) finish(ctx context.Context, id string) (*redshiftdata.DescribeStatementOutput, error) {
	began, pause, lost := time.Now(), d.config.poll, 0
	for cancelled := false; ; {
		if err := rest(ctx, pause); err != nil {
			d.cancel(context.WithoutCancel(ctx), id)
			return nil, err
		}
		pause = min(2*pause, 20*d.config.poll)
		out, err := d.client.DescribeStatement(ctx, &redshiftdata.DescribeStatementInput{Id: &id})
		if err != nil {
			// The statement goes on meanwhile. Who asks again by its token finds it.
			err = d.callError(ctx, err)
			if ctx.Err() != nil {
				d.cancel(context.WithoutCancel(ctx), id)
				return nil, err
			}
			if lost++; lost > 5 || !passes(err) {
				return nil, err
			}
			driver.Retried(ctx, err)
			continue
		}
		switch lost = 0; out.Status {
		case types.StatusStringFinished:
			return out, nil
		case types.StatusStringAborted:
			return nil, d.config.failed("57014", "the statement was aborted: "+aws.ToString(out.Error))
		case types.StatusStringFailed:
			return nil, d.config.failed("", statementError(out))
		default:
		}
		if !cancelled && time.Since(began) > d.config.timeout {
			cancelled = true
			d.cancel(ctx, id)
		}
	}
}

func (d *dataAPI) cancel(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, _ = d.client.CancelStatement(ctx, &redshiftdata.CancelStatementInput{Id: &id}) // what runs on changes nothing that comes again
}

// statementError is what the statement, or one of its batch, says.
func statementError(out *redshiftdata.DescribeStatementOutput) string {
	for i, part := range out.SubStatements {
		if part.Status == types.StatementStatusStringFailed && aws.ToString(part.Error) != "" {
			return fmt.Sprintf("statement %d: %s", i+1, *part.Error)
		}
	}
	return aws.ToString(out.Error)
}

func fieldText(f types.Field) string {
	switch v := f.(type) {
	case *types.FieldMemberStringValue:
		return v.Value
	case *types.FieldMemberLongValue:
		return strconv.FormatInt(v.Value, 10)
	case *types.FieldMemberBooleanValue:
		return strconv.FormatBool(v.Value)
	case *types.FieldMemberDoubleValue:
		return strconv.FormatFloat(v.Value, 'g', -1, 64)
	}
	return ""
}

// callError is the error of a call that was not carried out, or whose answer got lost.
func (d *dataAPI) callError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, errAnswerLong) {
		return d.corrupt(errAnswerLong)
	}
	e := &driver.Error{Doing: "reach", Object: d.config.place, Class: driver.ErrUnavailable, Cause: err, Cure: "check the region, and whether the Data API can be reached"}
	status := 0
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		if status >= 400 && status < 500 && status != http.StatusRequestTimeout {
			e.Class, e.Cure = driver.ErrCorrupt, "check what answers there: it is not the Data API"
		}
		return e
	}
	e.Cause = errors.New(short(api.ErrorCode() + ": " + api.ErrorMessage()))
	switch code := api.ErrorCode(); code {
	case "ThrottlingException", "Throttling", "TooManyRequestsException", "ActiveStatementsExceededException", "ActiveSessionsExceededException":
		e.Class, e.Cure = driver.ErrThrottled, "fewer sinks of one warehouse, or larger loads (rows, bytes), ask less of it"
	case "ResourceNotFoundException":
		e.Class, e.Cure = driver.ErrNotFound, "check the name of the workgroup or cluster"
	case "AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "ExpiredToken", "InvalidClientTokenId":
		e.Class, e.Cure = driver.ErrPermission, "check the AWS credentials and what they may do; see docs/sinks/redshift.md"
	case "ValidationException":
		e.Class, e.Cure = driver.ErrInvalid, "check workgroup, database and login"
	default:
		if status >= 400 && status < 500 && status != http.StatusTooManyRequests {
			e.Class, e.Cure = driver.ErrInvalid, ""
		}
	}
	return e
}
