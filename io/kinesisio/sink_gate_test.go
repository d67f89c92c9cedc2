package kinesisio

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"millrace/internal/testenv"
)

// put is what a gate looks at of a call that puts records.
type put struct {
	StreamName, StreamARN string `json:",omitempty"`
	Records               []entry
}

type entry struct {
	Data            []byte
	ExplicitHashKey string `json:",omitempty"`
	PartitionKey    string
}

// readPut reads a call; it finds nothing in calls of other kinds.
func readPut(t *testing.T, r *http.Request) (call put) {
	body, err := testenv.TakeBody(r)
	if err != nil || testenv.KinesisCall(r) != "PutRecords" {
		return call
	}
	if err := json.Unmarshal(body, &call); err != nil {
		t.Errorf("a call that is no JSON: %v", err)
	}
	return call
}

// throttle has Kinesis refuse for their rate, in turns, a call as a whole and every
// other record of a call.
type throttle struct {
	t     *testing.T
	calls atomic.Int64
}

const tooFast = "ProvisionedThroughputExceededException"

func (th *throttle) between(w http.ResponseWriter, r *http.Request, next http.Handler) {
	call := readPut(th.t, r)
	if th.calls.Add(1)%2 == 0 || len(call.Records) < 2 {
		testenv.RefuseKinesis(w, testenv.Refusal{Status: http.StatusBadRequest, Type: tooFast})
		return
	}
	all := call.Records
	call.Records = nil
	for i := 1; i < len(all); i += 2 {
		call.Records = append(call.Records, all[i])
	}
	body, err := json.Marshal(call)
	if err != nil {
		th.t.Error(err)
	}
	testenv.SetBody(r, body)
	given := httptest.NewRecorder()
	next.ServeHTTP(given, r)
	var answer struct {
		FailedRecordCount int
		Records           []json.RawMessage
	}
	if err := json.Unmarshal(given.Body.Bytes(), &answer); err != nil || len(answer.Records) != len(call.Records) {
		th.t.Errorf("an answer for %d records: %v, %s", len(call.Records), err, given.Body)
	}
	stored := answer.Records
	answer.Records = nil
	for i := range all {
		if i%2 == 1 {
			answer.Records = append(answer.Records, stored[i/2])
			continue
		}
		answer.FailedRecordCount++
		answer.Records = append(answer.Records, json.RawMessage(`{"ErrorCode":"`+tooFast+`","ErrorMessage":"by the gate"}`))
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(answer)
}
