package testenv

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// KinesisGate is a gate before a Kinesis server. It keeps account of the records
// that readers were given, and can refuse, delay or fail calls as Kinesis does.
type KinesisGate struct {
	*HTTPGate

	mu        sync.Mutex
	iterators map[string]iterator
	given     map[string]string // by shard, the highest sequence number given
	again     int               // records given a second time, or more often
	records   int               // given in all
	last      time.Time         // when records were last given
	refuse    func(call string, issued time.Time) *Refusal
	refused   int
	delay     time.Duration
}

// iterator is what the gate remembers of one.
type iterator struct {
	shard  string
	issued time.Time
}

// NewKinesisGate starts a gate before a server.
func NewKinesisGate(t testing.TB, server *KinesisServer) *KinesisGate {
	t.Helper()
	g := &KinesisGate{iterators: map[string]iterator{}, given: map[string]string{}}
	g.HTTPGate = newHTTPGate(t, strings.TrimPrefix(server.Endpoint, "http://"), g.keep)
	g.Between(g.guard)
	return g
}

// Account is what readers were given up to now.
type Account struct {
	Records, Again int
	Refused        int       // calls that were answered with a refusal or delayed
	Last           time.Time // when records were last given
}

// Account tells what readers were given.
func (g *KinesisGate) Account() Account {
	g.mu.Lock()
	defer g.mu.Unlock()
	return Account{g.records, g.again, g.refused, g.last}
}

// Refuse has calls refused for which decide gives an answer: call is GetRecords or
// another operation, issued is when the iterator was given out, zero for calls
// without one. nil ends it.
func (g *KinesisGate) Refuse(decide func(call string, issued time.Time) *Refusal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refuse = decide
}

// Delay has each call wait before it is passed on; 0 ends it.
func (g *KinesisGate) Delay(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.delay = d
}

// asked is what the gate has to know of a request.
type asked struct {
	ShardIterator string
	ShardId       string //nolint:revive // as Kinesis calls it
}

func (g *KinesisGate) guard(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, err := TakeBody(r)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	call := KinesisCall(r)
	var a asked
	_ = json.Unmarshal(body, &a) // what is no JSON the server refuses
	g.mu.Lock()
	it, delay := g.iterators[a.ShardIterator], g.delay
	if a.ShardId == "" {
		a.ShardId = it.shard
	}
	var refusal *Refusal
	if g.refuse != nil {
		refusal = g.refuse(call, it.issued)
	}
	if refusal != nil || delay > 0 {
		g.refused++
	}
	g.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
		return
	}
	if refusal != nil {
		RefuseKinesis(w, *refusal)
		return
	}
	r.Header.Set(askedHeader, a.ShardId)
	r.Header.Del("Accept-Encoding") // answers are read here
	next.ServeHTTP(w, r)
}

// KinesisCall is the operation of a request: GetRecords, PutRecords ...
func KinesisCall(r *http.Request) string {
	_, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return call
}

// RefuseKinesis answers as Kinesis does when it refuses a call.
func RefuseKinesis(w http.ResponseWriter, refusal Refusal) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Errortype", refusal.Type)
	w.WriteHeader(refusal.Status)
	fmt.Fprintf(w, `{"__type":%q,"message":"by the gate"}`, refusal.Type)
}

// askedHeader hands the shard of a call on to keep.
const askedHeader = "X-Gate-Shard"

// keep reads an answer and notes what it gives.
func (g *KinesisGate) keep(r *http.Response) error {
	shard := r.Request.Header.Get(askedHeader)
	if shard == "" || r.StatusCode != http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	var answer struct {
		ShardIterator, NextShardIterator string
		Records                          []struct{ SequenceNumber string }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, name := range []string{answer.ShardIterator, answer.NextShardIterator} {
		if name != "" {
			g.iterators[name] = iterator{shard, time.Now()}
		}
	}
	for _, record := range answer.Records {
		if n := longer(g.given[shard], record.SequenceNumber); n == g.given[shard] {
			g.again++
		} else {
			g.given[shard] = n
		}
	}
	if g.records += len(answer.Records); len(answer.Records) > 0 {
		g.last = time.Now()
	}
	return nil
}

// longer is the higher of two sequence numbers, decimals without leading zeros.
func longer(a, b string) string {
	if len(a) > len(b) || len(a) == len(b) && a >= b {
		return a
	}
	return b
}
