package timestreamio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/timestreamwrite"
	"github.com/aws/aws-sdk-go-v2/service/timestreamwrite/types"
	"github.com/aws/smithy-go"

	"millrace/io/calls"
	"millrace/io/driver"
)

// deliver sends a call until each of its rows is stored, known to be there or refused.
func (s *Sink) deliver(ctx context.Context, c *call) error { return s.send(ctx, c.items) }

// send sends items. Of a call that is refused as a whole one row may be at fault, which
// halves of it tell.
func (s *Sink) send(ctx context.Context, items []*item) error {
	if len(items) == 0 {
		return nil
	}
	var rejected *types.RejectedRecordsException
	var invalid error // of the call
	err := s.sender.Insist(ctx, func() error {
		err := s.post(ctx, items)
		if rejected, invalid = nil, nil; errors.As(err, &rejected) {
			return nil
		}
		var api smithy.APIError
		if errors.As(err, &api) && slices.Contains([]string{"ValidationException", "RequestEntityTooLarge"}, api.ErrorCode()) {
			invalid = s.config.serviceError(ctx, err)
			return nil
		}
		if err != nil {
			return s.config.serviceError(ctx, err)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case rejected != nil:
		return s.settle(items, rejected.RejectedRecords)
	case invalid != nil && len(items) == 1:
		return s.sender.Refuse(items[0].Refused(driver.RefusedInvalid, "ValidationException", invalid))
	case invalid != nil:
		half := len(items) / 2
		if err := s.send(ctx, items[:half]); err != nil {
			return err
		}
		return s.send(ctx, items[half:])
	}
	s.sender.Count(func(st *calls.Stats) { st.Stored += int64(len(items)) })
	return nil
}

func (s *Sink) post(ctx context.Context, items []*item) error {
	s.sender.Count(func(st *calls.Stats) { st.Calls++ })
	records := make([]types.Record, len(items))
	for i, it := range items {
		it.Attempts++
		records[i] = it.record
	}
	common := commonOf(records)
	common.MeasureName, common.MeasureValueType, common.TimeUnit = &s.config.measure, types.MeasureValueTypeMulti, types.TimeUnitMilliseconds
	bounded, cancel := s.config.withTimeout(ctx)
	defer cancel()
	_, err := s.client.WriteRecords(bounded, &timestreamwrite.WriteRecordsInput{
		DatabaseName: &s.config.database, TableName: &s.config.table, CommonAttributes: common, Records: records,
	})
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return context.Cause(bounded)
	}
	return err
}

// commonOf takes out of records the dimensions that all of them have, since Timestream
// bills what is written by its size.
func commonOf(records []types.Record) *types.Record {
	common := &types.Record{}
	for _, d := range records[0].Dimensions {
		shared := !slices.ContainsFunc(records, func(r types.Record) bool {
			return !slices.ContainsFunc(r.Dimensions, func(other types.Dimension) bool { return *other.Name == *d.Name && *other.Value == *d.Value })
		})
		if shared {
			common.Dimensions = append(common.Dimensions, d)
		}
	}
	if len(common.Dimensions) == 0 {
		return common
	}
	for i := range records { // copies: those of the items stay whole
		records[i].Dimensions = slices.DeleteFunc(slices.Clone(records[i].Dimensions), func(d types.Dimension) bool {
			return slices.ContainsFunc(common.Dimensions, func(c types.Dimension) bool { return *c.Name == *d.Name })
		})
	}
	return common
}

// settle goes through what was rejected of a call; the other records are stored.
func (s *Sink) settle(items []*item, rejected []types.RejectedRecord) error {
	if len(rejected) == 0 {
		return s.corrupt("rejected records, and names none")
	}
	seen := make([]bool, len(items))
	var stale int64
	for _, r := range rejected {
		i := int(r.RecordIndex)
		if i < 0 || i >= len(items) || seen[i] {
			return s.corrupt(fmt.Sprintf("rejected record %d of %d, which is none or was named before", i, len(items)))
		}
		seen[i] = true
		it, reason := items[i], calls.Short([]byte(aws.ToString(r.Reason)))
		if it.isStale(r) {
			stale++
			continue
		}
		err := s.config.fault("a record is rejected: "+reason, "")
		if err := s.sender.Refuse(it.Refused(driver.RefusedInvalid, "RejectedRecord", err)); err != nil {
			return err
		}
	}
	s.sender.Count(func(st *calls.Stats) { st.Stale += stale; st.Stored += int64(len(items) - len(rejected)) })
	return nil
}

// sameVersion begins the reason of a rejection where a record of the same version is
// there with other values; such a rejection does not name the version.
const sameVersion = "A record already exists with the same time"

// isStale tells whether a record was rejected since what is there has its version or a
// later one. Of rows without a version none is later, so other values are a refusal.
func (it *item) isStale(r types.RejectedRecord) bool {
	if it.rank() == 0 {
		return false
	}
	if r.ExistingVersion != nil {
		return *r.ExistingVersion >= it.rank()
	}
	return strings.HasPrefix(aws.ToString(r.Reason), sameVersion)
}

func (s *Sink) corrupt(what string) error {
	return &driver.Error{
		Doing: "write to", Object: s.config.place, Class: driver.ErrCorrupt, Cause: errors.New("the answer " + what),
		Cure: "check what answers at the endpoint",
	}
}
