package timestreamio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/timestreamwrite"
	"github.com/aws/aws-sdk-go-v2/service/timestreamwrite/types"

	"millrace/internal/mutate"
	"millrace/io/driver"
	"millrace/schemas/table"
)

// answers is a server that always answers the same.
type answers struct {
	status int
	body   []byte
}

func (a answers) Do(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}, nil
}

// FuzzAnswer: whatever Timestream answers to a call, each of its rows is stored, known to
// be there or refused, once, or there is a short error.
func FuzzAnswer(tf *testing.F) {
	f := mutate.Of(tf)
	for _, body := range []string{
		`{"RecordsIngested":{"Total":4,"MemoryStore":4,"MagneticStore":0}}`,
		`{"__type":"RejectedRecordsException","Message":"One or more records have been rejected.","RejectedRecords":[{"RecordIndex":1,"Reason":"The record timestamp is outside the time range"}]}`,
		`{"__type":"com.amazonaws.timestream.v20181101#RejectedRecordsException","RejectedRecords":[{"RecordIndex":0,"ExistingVersion":9,"Reason":"x"},{"RecordIndex":3,"ExistingVersion":1}]}`,
		`{"__type":"RejectedRecordsException","RejectedRecords":[{"RecordIndex":2},{"RecordIndex":2}]}`,
		`{"__type":"RejectedRecordsException","RejectedRecords":[{"RecordIndex":-1},{"RecordIndex":2147483647}]}`,
		`{"__type":"RejectedRecordsException","RejectedRecords":[]}`, `{"__type":"RejectedRecordsException","RejectedRecords":[{"RecordIndex":4}]}`,
		`{"__type":"ThrottlingException"}`, `{"__type":"ValidationException","message":"\ud800"}`, `{"__type":1}`, `[`, ``, `null`,
	} {
		f.Add(uint16(http.StatusTeapot), []byte(body))
		f.Add(uint16(http.StatusOK), []byte(body))
	}
	f.Setenv("AWS_ACCESS_KEY_ID", "key")
	f.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	var refused []driver.RefusedRow
	options := driver.SinkOptions{Refused: func(r driver.RefusedRow) { refused = append(refused, r) }}
	s, err := Open(f.Context(), "timestream://web/rows?region=eu-west-1&endpoint=http://127.0.0.1:1", letters, options)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close(context.Background()) })
	b := table.NewBatch(letters)
	for i, r := range rowsOf("abcd") {
		l := r.(letter)
		l.Version = int64(i)
		b.Append(l)
	}
	f.Fuzz(func(t *testing.T, status uint16, body []byte) {
		refused = nil
		var items []*item
		for row := range b.Len() {
			it, why := s.config.itemOf(table.Rows{Batch: b}, row)
			if why != nil {
				t.Fatal(why.why)
			}
			items = append(items, it)
		}
		s.client = timestreamwrite.New(timestreamwrite.Options{
			Region: "eu-west-1", BaseEndpoint: aws.String("http://127.0.0.1:1"), Credentials: aws.AnonymousCredentials{}, Retryer: aws.NopRetryer{},
			EndpointDiscovery: timestreamwrite.EndpointDiscoveryOptions{EnableEndpointDiscovery: aws.EndpointDiscoveryDisabled},
			HTTPClient:        shortAnswers{answers{200 + int(status%400), body}},
		})
		err := s.post(t.Context(), items)
		var rejected *types.RejectedRecordsException
		if !errors.As(err, &rejected) {
			if err != nil && len(s.config.serviceError(t.Context(), err).Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		before := s.sender.Stats()
		err = s.settle(items, rejected.RejectedRecords)
		if flush := s.Flush(t.Context()); flush != nil {
			t.Fatal(flush)
		}
		for _, r := range refused {
			if len(r.Err.Error()) > 1000 || r.Reason != driver.RefusedInvalid || r.Rows.Batch.Len() != 1 {
				t.Errorf("%+v", r)
			}
		}
		if err != nil {
			if !errors.Is(err, driver.ErrCorrupt) || len(err.Error()) > 1000 {
				t.Errorf("%v", err)
			}
			return
		}
		after := s.sender.Stats()
		told := after.Refused - before.Refused
		if n := after.Stored - before.Stored + after.Stale - before.Stale + told; n != int64(len(items)) || told != int64(len(refused)) {
			t.Errorf("%d rows of %d have an outcome: %+v, then %+v", n, len(items), before, after)
		}
	})
}
