package kinesisio

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"millrace/io/driver"
)

var _ driver.Checker = (*Sink)(nil)

// Check implements driver.Checker.
func (s *Sink) Check(ctx context.Context) []driver.Check {
	place := s.place
	client, err := newClient(ctx, place)
	if err != nil {
		return []driver.Check{{What: "reach", Err: err}}
	}
	name, arn := place.target()
	out, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: name, StreamARN: arn})
	if err != nil {
		return []driver.Check{{What: "reach", Err: serviceError("describe", place, err)}}
	}
	d := out.StreamDescriptionSummary
	if d.StreamStatus != types.StreamStatusActive && d.StreamStatus != types.StreamStatusUpdating {
		return []driver.Check{{What: "reach", Err: &driver.Error{
			Doing: "write to", Object: place.String(), Class: driver.ErrUnavailable, Cause: fmt.Errorf("the stream is %s", d.StreamStatus), Cure: "wait until it is ACTIVE",
		}}}
	}
	return []driver.Check{{What: "reach", Found: fmt.Sprintf("the stream is %s and has %d shards", d.StreamStatus, aws.ToInt32(d.OpenShardCount))}}
}
