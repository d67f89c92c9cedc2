package timestreamio

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"millrace/internal/testenv/timestream"
	"millrace/io/driver"
)

// checked are the findings of a sink, by what was looked at.
func checked(t *testing.T, url string) map[string]driver.Check {
	t.Helper()
	found := map[string]driver.Check{}
	for _, c := range open(t, url, letters, driver.SinkOptions{}).Check(t.Context()) {
		found[c.What] = c
	}
	return found
}

// finding is what a check should say, and of which class it is.
type finding struct {
	what, says string
	class      error
}

func (want finding) compare(t *testing.T, found map[string]driver.Check) {
	t.Helper()
	c, ok := found[want.what]
	says := c.Found
	if c.Err != nil {
		says = c.Err.Error()
	}
	if !ok || !strings.Contains(says, want.says) || !errors.Is(c.Err, want.class) {
		t.Errorf("%s is %+v, want %q of class %v", want.what, c, want.says, want.class)
	}
}

func TestACheckFindsWhatWouldRefuseRows(t *testing.T) {
	answer := func(status int, kind, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.Header().Set("X-Amzn-Errortype", kind)
			w.WriteHeader(status)
			fmt.Fprint(w, body)
			return true
		}
	}
	for name, c := range map[string]struct {
		status  string
		archive bool
		fault   func(http.ResponseWriter, *http.Request) bool
		more    string // of the URL
		wants   []finding
	}{
		"as it should be": {archive: true, wants: []finding{
			{"reach", "it answers", nil}, {"table", "ACTIVE", nil}, {"retention", "24 hours in the memory store, 73000 days in the magnetic store", nil}, {"magnetic store", "on", nil},
		}},
		"without late rows": {wants: []finding{{"magnetic store", "older than 24 hours are refused", nil}}},
		"on its way out":    {status: "DELETING", wants: []finding{{"reach", "it answers", nil}, {"table", "DELETING", driver.ErrUnavailable}, {"retention", "24 hours", nil}}},
		"says little":       {fault: answer(200, "", `{"Table":{"TableStatus":"ACTIVE"}}`), wants: []finding{{"table", "ACTIVE", nil}, {"retention", "does not say", nil}, {"magnetic store", "off", nil}}},
		"says nothing":      {fault: answer(200, "", `{}`), wants: []finding{{"reach", "has none", driver.ErrCorrupt}}},
		"not Timestream":    {fault: answer(200, "", `hello`), wants: []finding{{"reach", "none of Timestream", driver.ErrCorrupt}}},
		"not to be seen":    {fault: answer(400, "AccessDeniedException", `{}`), wants: []finding{{"reach", "was not looked at", nil}}},
		"expired":           {fault: answer(403, "ExpiredTokenException", `{}`), wants: []finding{{"reach", "log in again", driver.ErrPermission}}},
		"busy":              {fault: answer(400, "ThrottlingException", `{}`), wants: []finding{{"reach", "lower calls", driver.ErrThrottled}}},
		"silent": {more: "&timeout=100ms", fault: func(_ http.ResponseWriter, r *http.Request) bool {
			_, _ = io.Copy(io.Discard, r.Body) // a server that reads sees that its client is gone
			<-r.Context().Done()
			return true
		}, wants: []finding{{"reach", "no answer after 100ms", driver.ErrUnavailable}}},
	} {
		t.Run(name, func(t *testing.T) {
			server := timestream.New(t)
			server.Status, server.Archive, server.Fault = c.status, c.archive, c.fault
			found := checked(t, server.URL+c.more)
			for _, want := range c.wants {
				want.compare(t, found)
			}
			if len(server.Calls) > 0 || len(server.Stored) > 0 {
				t.Errorf("a check has written %v", server.Stored)
			}
		})
	}
}

func TestACheckFindsThatThereIsNoTable(t *testing.T) {
	server := timestream.New(t)
	other := strings.Replace(server.URL, "web/rows", "web/others", 1)
	finding{"reach", "create-table", driver.ErrNotFound}.compare(t, checked(t, other))
	finding{"reach", "refused", driver.ErrUnavailable}.compare(t, checked(t, "timestream://web/rows?endpoint=http://127.0.0.1:1"))
}
