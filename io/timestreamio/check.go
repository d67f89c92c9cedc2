package timestreamio

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/timestreamwrite"
	"github.com/aws/aws-sdk-go-v2/service/timestreamwrite/types"
	"github.com/aws/smithy-go"

	"millrace/io/driver"
)

var _ driver.Checker = (*Sink)(nil)

// Check implements driver.Checker: it asks Timestream for the table's description, and
// for nothing more. That is a right of its own (timestream:DescribeTable), and writing
// does not need it.
func (s *Sink) Check(ctx context.Context) []driver.Check {
	table, err := s.describe(ctx)
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException":
		return []driver.Check{{What: "reach", Found: "it answers; these credentials may not describe the table (timestream:DescribeTable), so that was not looked at"}}
	case err != nil:
		return []driver.Check{{What: "reach", Err: s.config.serviceError(ctx, err)}}
	case table == nil:
		return []driver.Check{{What: "reach", Err: s.corrupt("about the table has none")}}
	}
	checks := []driver.Check{{What: "reach", Found: "it answers"}}
	add := func(what, found string, err error) {
		checks = append(checks, driver.Check{What: what, Found: found, Err: err})
	}
	found, err := s.status(table)
	add("table", found, err)
	kept, older := keeps(table)
	add("retention", kept, nil)
	add("magnetic store", older, nil)
	return checks
}

func (s *Sink) describe(ctx context.Context) (*types.Table, error) {
	bounded, cancel := s.config.withTimeout(ctx)
	defer cancel()
	out, err := s.client.DescribeTable(bounded, &timestreamwrite.DescribeTableInput{DatabaseName: &s.config.database, TableName: &s.config.table})
	switch {
	case err == nil:
		return out.Table, nil
	case ctx.Err() == nil && bounded.Err() != nil:
		return nil, context.Cause(bounded)
	}
	return nil, err
}

// status tells whether the table takes records.
func (s *Sink) status(table *types.Table) (string, error) {
	if table.TableStatus == types.TableStatusActive {
		return string(table.TableStatus), nil
	}
	return "", &driver.Error{
		Doing: "write to", Object: s.config.place, Class: driver.ErrUnavailable, Cause: fmt.Errorf("the table is %s", table.TableStatus),
		Cure: "wait until it is ACTIVE, or name another",
	}
}

// keeps tells how long the stores keep records, and what becomes of those that are older
// than the memory store.
func keeps(table *types.Table) (kept, older string) {
	kept, older = "it does not say how long", "off: rows that are older than the memory store are refused"
	if r := table.RetentionProperties; r != nil {
		hours, days := aws.ToInt64(r.MemoryStoreRetentionPeriodInHours), aws.ToInt64(r.MagneticStoreRetentionPeriodInDays)
		kept = fmt.Sprintf("%d hours in the memory store, %d days in the magnetic store", hours, days)
		older = fmt.Sprintf("off: rows that are older than %d hours are refused", hours)
	}
	if m := table.MagneticStoreWriteProperties; m != nil && aws.ToBool(m.EnableMagneticStoreWrites) {
		older = "on: it takes rows that are older than the memory store"
	}
	return kept, older
}
