package redshift

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Limits of the Data API.
const (
	maxStatements     = 40
	maxStatementBytes = 100 << 10
	maxToken          = 64
	resultRows        = 5 // of a page; few, so that tests meet more than one
)

// Fault is what becomes of a call.
type Fault struct {
	Type   string // of a refusal: ThrottlingException ...; empty for none
	Status int    // of HTTP; 400 when zero
	Lose   bool   // the call is carried out, and its answer lost
}

// DataAPI answers as Redshift's Data API, for a Warehouse.
type DataAPI struct {
	Addr string // host:port

	w       *Warehouse
	ctx     context.Context
	running sync.WaitGroup

	mu         sync.Mutex
	fault      func(operation string) *Fault
	calls      map[string]int
	statements map[string]*statement
	tokens     map[string]string // client token -> id of its statement
}

// NewDataAPI serves a Warehouse. The AWS SDK of the test is pointed to it.
func NewDataAPI(t testing.TB, w *Warehouse) *DataAPI {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	a := &DataAPI{w: w, ctx: ctx, calls: map[string]int{}, statements: map[string]*statement{}, tokens: map[string]string{}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(a.serve))
	var lc net.ListenConfig
	var err error
	if server.Listener, err = lc.Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	server.Start()
	t.Cleanup(func() {
		cancel()
		server.CloseClientConnections()
		server.Close()
		a.running.Wait()
	})
	a.Addr = server.Listener.Addr().String()
	t.Setenv("AWS_ENDPOINT_URL_REDSHIFT_DATA", "http://"+a.Addr)
	return a
}

// Disturb asks f what becomes of each call, by its operation, until f is nil.
func (a *DataAPI) Disturb(f func(operation string) *Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault = f
}

// Calls is how often an operation was called, refused calls included.
func (a *DataAPI) Calls(operation string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls[operation]
}

func (a *DataAPI) note(operation string) *Fault {
	a.mu.Lock()
	f := a.fault
	a.calls[operation]++
	a.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(operation)
}

// callError is an error answer.
type callError struct{ kind, text string }

func (e *callError) Error() string { return e.kind + ": " + e.text }

func invalid(format string, a ...any) error {
	return &callError{"ValidationException", fmt.Sprintf(format, a...)}
}

func (a *DataAPI) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 8<<20))
	if err != nil {
		return // who asked has left
	}
	operation, _ := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "RedshiftData.")
	fault := a.note(operation)
	if fault != nil && fault.Type != "" {
		refuse(w, fault.Status, &callError{fault.Type, "by the test"})
		return
	}
	if sign := r.Header.Get("Authorization"); !strings.HasPrefix(sign, "AWS4-HMAC-SHA256 ") || !strings.Contains(sign, "/redshift-data/aws4_request") {
		refuse(w, http.StatusForbidden, &callError{"AccessDeniedException", "the call is not signed for redshift-data"})
		return
	}
	answer, err := a.answer(operation, body)
	switch {
	case fault != nil && fault.Lose:
		panic(http.ErrAbortHandler) // breaks the connection off
	case err != nil:
		var known *callError
		if !asCallError(err, &known) {
			known = &callError{"InternalServerException", err.Error()}
		}
		refuse(w, 0, known)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(answer)
}

func asCallError(err error, into **callError) bool {
	known, ok := err.(*callError) //nolint:errorlint // they are made here and not wrapped
	*into = known
	return ok
}

func refuse(w http.ResponseWriter, status int, e *callError) {
	if status == 0 {
		if status = http.StatusBadRequest; e.kind == "InternalServerException" {
			status = http.StatusInternalServerError
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-ErrorType", e.kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": e.kind, "message": e.text})
}

// request has the members of all operations.
type request struct {
	Sql, Id, Database, WorkgroupName, ClusterIdentifier, SecretArn, DbUser, ClientToken, NextToken, StatementName string //nolint:revive // as the API calls them

	Sqls []string
}

func (a *DataAPI) answer(operation string, body []byte) (any, error) {
	var r request
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return nil, invalid("%v", err)
	}
	switch operation {
	case "ExecuteStatement":
		if r.Sql == "" {
			return nil, invalid("Sql is missing")
		}
		return a.execute(&r, []string{r.Sql}, false)
	case "BatchExecuteStatement":
		return a.execute(&r, r.Sqls, true)
	case "DescribeStatement", "GetStatementResult", "CancelStatement":
		s := a.find(r.Id)
		if s == nil {
			return nil, &callError{"ResourceNotFoundException", "no statement " + r.Id}
		}
		switch operation {
		case "DescribeStatement":
			return s.describe(), nil
		case "CancelStatement":
			return map[string]bool{"Status": s.stop()}, nil
		}
		return s.page(r.NextToken)
	}
	return nil, &callError{"UnknownOperationException", operation}
}

func (a *DataAPI) find(id string) *statement {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.statements[id]
}

func (a *DataAPI) execute(r *request, sqls []string, batch bool) (any, error) {
	if (r.WorkgroupName == "") == (r.ClusterIdentifier == "") {
		return nil, invalid("either WorkgroupName or ClusterIdentifier is to be given")
	}
	if len(sqls) == 0 || len(sqls) > maxStatements || len(r.ClientToken) > maxToken {
		return nil, invalid("%d statements, a token of %d characters", len(sqls), len(r.ClientToken))
	}
	for _, sql := range sqls {
		if len(sql) > maxStatementBytes {
			return nil, invalid("a statement of %d bytes", len(sql))
		}
	}
	if r.Database != a.w.Database {
		return nil, invalid("no database %s", r.Database)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if id, known := a.tokens[r.ClientToken]; known && r.ClientToken != "" {
		s := a.statements[id]
		if strings.Join(s.sqls, "\x00") != strings.Join(sqls, "\x00") {
			return nil, invalid("the token was used for other statements")
		}
		return s.accepted(r), nil
	}
	s := newStatement(fmt.Sprintf("00000000-0000-4000-8000-%012d", len(a.statements)+1), sqls, batch)
	a.statements[s.id] = s
	if r.ClientToken != "" {
		a.tokens[r.ClientToken] = s.id
	}
	a.running.Go(func() { s.run(a.ctx, a.w) })
	return s.accepted(r), nil
}

func (s *statement) accepted(r *request) any {
	return map[string]any{"Id": s.id, "CreatedAt": seconds(s.created), "Database": r.Database, "WorkgroupName": r.WorkgroupName, "DbUser": "IAM:test"}
}

// seconds is a time as the API writes it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
