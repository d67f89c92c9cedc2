package testenv

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

func TestAGateCountsWhatIsGivenAgainAndRefuses(t *testing.T) {
	server := Kinesis(t)
	gate := NewKinesisGate(t, server)
	server.CreateStream(t, "web", 1)
	server.Put(t, "web", KinesisRecord{Key: "a", Data: []byte("1")}, KinesisRecord{Key: "b", Data: []byte("2")})
	through := &KinesisServer{Server: server.Server, Endpoint: "http://" + gate.Addr}
	for want := range 3 {
		if n := len(through.Records(t, "web")["shardId-000000000000"]); n != 2 {
			t.Fatalf("%d records came through, want 2", n)
		}
		if a := gate.Account(); a.Records != 2*(want+1) || a.Again != 2*want || a.Last.IsZero() {
			t.Errorf("after reading %d times: %+v", want+1, a)
		}
	}
	client := through.Client(t)
	start, err := client.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
		StreamName: aws.String("web"), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		t.Fatal(err)
	}
	from := time.Now()
	gate.Refuse(func(call string, issued time.Time) *Refusal {
		if call == "GetRecords" && !issued.IsZero() && issued.Before(from) {
			return &Refusal{http.StatusBadRequest, "ExpiredIteratorException"}
		}
		return nil
	})
	_, err = client.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: start.ShardIterator})
	if expired := new(types.ExpiredIteratorException); !errors.As(err, &expired) {
		t.Errorf("an iterator that the gate calls expired gave %v", err)
	}
	if a := gate.Account(); a.Refused != 1 {
		t.Errorf("%+v, want one refusal", a)
	}
	gate.Refuse(nil)
	if _, err := client.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: start.ShardIterator}); err != nil {
		t.Errorf("after that: %v", err)
	}
}
