package kinesisio

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"

	"millrace/internal/mutate"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzAnswer compares the quick reading of answers with the SDK's.
func FuzzAnswer(tf *testing.F) {
	f := mutate.Of(tf)
	for _, text := range []string{
		`{"Records":[{"Data":"eyJhIjoxfQ==","SequenceNumber":"49","ApproximateArrivalTimestamp":1.700000000123E9,"PartitionKey":"\u00e4\"k"}],"MillisBehindLatest":5,"NextShardIterator":"it/1=="}`,
		`{"Records":[],"MillisBehindLatest":0,"NextShardIterator":null,"ChildShards":[{"ShardId":"s","ParentShards":["a"]}]}`,
		` { "Records" : [ { "Data" : "" , "EncryptionType" : "KMS" } , { } ] } `,
		`{"Records":[{"Data":"a\/bc"}]}`, `{"Records":[{"Data":"abc"}]}`, `{}`, `{"Records":null}`, `{"MillisBehindLatest":"x"}`, `[`, `{"a":{"b":[1,2,{"c":"]"}]}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		operation := smithy.NewOperationSchema(schemas.GetRecords, schemas.GetRecordsInput, schemas.GetRecordsOutput)
		plain := awsjson.New11(schemas.Kinesis_20131202)
		response := func() *smithyhttp.Response {
			return &smithyhttp.Response{Response: &http.Response{
				StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(text)), ContentLength: int64(len(text)), Header: http.Header{},
			}}
		}
		var want, got kinesis.GetRecordsOutput
		wantErr := plain.DeserializeResponse(t.Context(), operation, kinesis.TypeRegistry, response(), &want)
		ctx := context.WithValue(t.Context(), answerBuffer{}, new([]byte))
		err := quickAnswers{plain}.DeserializeResponse(ctx, operation, kinesis.TypeRegistry, response(), &got)
		if wantErr != nil {
			return // what the SDK refuses and we read is harmless
		}
		if err != nil {
			t.Fatalf("the SDK reads it and we do not: %v", err)
		}
		// We pass over what nobody asks for.
		diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(kinesis.GetRecordsOutput{}, types.Record{}), cmpopts.EquateEmpty(),
			cmpopts.IgnoreFields(types.Record{}, "PartitionKey", "EncryptionType"), cmpopts.IgnoreFields(kinesis.GetRecordsOutput{}, "ChildShards", "ResultMetadata"))
		if diff != "" {
			t.Fatalf("(-SDK +ours)\n%s", diff)
		}
	})
}
