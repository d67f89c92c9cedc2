package redshiftio

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"millrace/io/driver"
	"millrace/schemas/weblog"
)

// What answers in the place of the Data API ends neither the process nor its memory.
func TestAnswersThatLieAreErrors(t *testing.T) {
	const id = `{"Id":"a","CreatedAt":1}`
	for name, answers := range map[string]map[string]string{
		"no id":                  {"ExecuteStatement": `{}`, "BatchExecuteStatement": `{}`},
		"100 MiB":                {"ExecuteStatement": strings.Repeat(" ", 100<<20) + id, "BatchExecuteStatement": strings.Repeat(" ", 100<<20) + id},
		"no JSON":                {"ExecuteStatement": `<html>`, "BatchExecuteStatement": `<html>`},
		"pages without an end":   {"ExecuteStatement": id, "DescribeStatement": `{"Status":"FINISHED"}`, "GetStatementResult": `{"NextToken":"x","Records":[` + strings.Repeat(`[{"longValue":1}],`, 999) + `[{"isNull":true}]]}`},
		"a failure of 10 MiB":    {"ExecuteStatement": id, "BatchExecuteStatement": id, "DescribeStatement": `{"Status":"FAILED","Error":"` + strings.Repeat("x", 10<<20) + `"}`},
		"a failure of no reason": {"ExecuteStatement": id, "BatchExecuteStatement": id, "DescribeStatement": `{"Status":"FAILED","SubStatements":[{"Status":"FAILED"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
				w.Header().Set("Content-Type", "application/x-amz-json-1.1")
				_, _ = io.WriteString(w, answers[call]) // who asked may have gone
			}))
			t.Cleanup(server.Close)
			t.Setenv("AWS_ENDPOINT_URL_REDSHIFT_DATA", server.URL)
			t.Setenv("AWS_ACCESS_KEY_ID", "key")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			c, err := parse("redshift://team/web/public.sessions?stage=s3://b/p&region=eu-west-1&poll=1ms", weblog.Sessions)
			if err != nil {
				t.Fatal(err)
			}
			d, err := newDataAPI(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, queried := d.query(t.Context(), "SELECT 1")
			var ran error
			if answers["BatchExecuteStatement"] != "" {
				if _, ran = d.run(t.Context(), "token", []string{"SELECT 1"}); ran == nil {
					t.Error("a batch ran")
				}
			}
			runtime.ReadMemStats(&after)
			for _, err := range []error{queried, ran} {
				var known *driver.Error
				if err != nil && (len(err.Error()) > 1500 || !errors.As(err, &known) && !strings.Contains(name, "failure")) {
					t.Errorf("%d bytes: %.200v", len(err.Error()), err)
				}
			}
			if queried == nil {
				t.Error("a query has an answer")
			}
			if cost := after.TotalAlloc - before.TotalAlloc; cost > 64<<20 {
				t.Errorf("%d bytes of memory", cost)
			}
		})
	}
}
