package redshiftio

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"millrace/internal/testenv"
	"millrace/internal/testenv/postgres"
	"millrace/internal/testenv/redshift"
	"millrace/io/driver"
	"millrace/io/iotest"
)

// checked are the findings of a sink, by what was looked at.
func checked(t *testing.T, url string) map[string]driver.Check {
	t.Helper()
	found := map[string]driver.Check{}
	for _, c := range open(t, url, iotest.SinkRows, driver.SinkOptions{}).Check(t.Context()) {
		found[c.What] = c
	}
	return found
}

// says compares a finding with a part of what it says. A fault is to be of a class.
func says(t *testing.T, table string, found map[string]driver.Check, what, part string, class error) {
	t.Helper()
	c, ok := found[what]
	text := c.Found
	if c.Err != nil {
		text = c.Err.Error()
	}
	if !ok || !errors.Is(c.Err, class) || !strings.Contains(text, part) {
		t.Errorf("%s: %s is %+v, want %q of class %v", table, what, c, part, class)
	}
}

func TestACheckFindsWhatWouldRefuseRows(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	w.exec(t, "CREATE TABLE public.narrow (at TIMESTAMP, key VARCHAR(9), amount INTEGER, note VARCHAR(9), version BIGINT, sealed BOOLEAN, withdrawn BOOLEAN)")
	w.exec(t, "CREATE TABLE public.short (at TIMESTAMP, key VARCHAR(9), amount BIGINT)")
	w.exec(t, "CREATE TABLE public.short_loads (load_id VARCHAR(64), row_count BIGINT)")
	inBothWays(t, w, func(t *testing.T, via string) {
		whole := w.name()
		if err := open(t, w.url(whole, via, "&id=at,key"), iotest.SinkRows, driver.SinkOptions{}).prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			table, more string
			what, says  string
			class       error
		}{
			{"public.none", "", "reach", " answers", nil},
			{"public.none", "", "login", "as " + postgres.User, nil},
			{"public.none", "", "table", "none yet", nil},
			{"public.none", "", "ledger", "none yet", nil},
			{"public.none", "", "rights", "CREATE, TEMP, USAGE", nil},
			{"public.none", "", "stage", "takes and removes objects; 0 lie there", nil},
			{"public.none", "&ddl=skip", "table", "public.none is not there", driver.ErrNotFound},
			{"public.none", "&ddl=skip", "ledger", "public.none_loads is not there", driver.ErrNotFound},
			{whole, "", "table", "its 7 columns take the rows", nil},
			{whole, "", "ledger", whole + "_loads is there", nil},
			{whole, "", "rights", "DELETE, INSERT, SELECT, TEMP, UPDATE, USAGE", nil},
			{"public.narrow", "", "table", "amount is integer", driver.ErrInvalid},
			{"public.narrow", "", "ledger", "public.narrow_loads is not there", driver.ErrNotFound},
			{"public.short", "", "table", "lacks note, version, sealed, withdrawn; the first row adds", nil},
			{"public.short", "&ddl=skip", "table", "lacks the column note", driver.ErrInvalid},
			{"public.short", "", "ledger", "lacks the column loaded_at", driver.ErrInvalid},
		} {
			says(t, c.table+c.more, checked(t, w.url(c.table, via, "&id=at,key"+c.more)), c.what, c.says, c.class)
		}
		if n := w.all(t, "SELECT (SELECT count(*) FROM "+whole+") + (SELECT count(*) FROM "+whole+"_loads)")[0][0]; n != "0" {
			t.Errorf("checks have left %s rows", n)
		}
	})
	if left := w.staged(t); len(left) > 0 {
		t.Errorf("checks have left %v", left)
	}
	if n := w.all(t, "SELECT count(*) FROM pg_tables WHERE tablename = 'none'")[0][0]; n != "0" {
		t.Error("a check has made a table")
	}
}

func TestACheckFindsWhatAUserMayNotDo(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	name := w.name()
	if err := open(t, w.url(name, viaWire, "&id=at,key"), iotest.SinkRows, driver.SinkOptions{}).prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.exec(t, "CREATE ROLE reader LOGIN PASSWORD 'reads'")
	t.Cleanup(func() {
		if _, err := w.conn.Exec(context.WithoutCancel(t.Context()), "DROP OWNED BY reader; DROP ROLE reader"); err != nil {
			t.Error(err)
		}
	})
	w.exec(t, "GRANT SELECT ON "+name+", "+name+"_loads TO reader")
	t.Setenv(loginEnv, "reader:reads")
	found := checked(t, w.url(name, viaWire, "&id=at,key"))
	says(t, name, found, "login", "as reader", nil)
	says(t, name, found, "table", "take the rows", nil)
	says(t, name, found, "rights", "lacks INSERT on the table "+name+", UPDATE on the table "+name+", DELETE on the table "+name+", INSERT on the table "+name+"_loads", driver.ErrPermission)
	says(t, "public.none", checked(t, w.url("public.none", viaWire, "&id=at,key")), "rights", "lacks CREATE on the schema public", driver.ErrPermission)
	t.Setenv(loginEnv, "reader:guesses")
	found = checked(t, w.url(name, viaWire, "&id=at,key"))
	says(t, name, found, "login", "password authentication failed", driver.ErrPermission)
	if len(found) != 2 {
		t.Errorf("without a login it finds %+v", found)
	}
}

func TestACheckFindsWhoDoesNotAnswer(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	gate := testenv.NewHTTPGate(t, w.s3.Addr)
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://"+gate.Addr)
	denied := func(denies func(r *http.Request) bool) {
		gate.Between(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if !denies(r) {
				next.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
		})
	}
	url := w.url("public.none", viaData, "&id=at,key")
	denied(func(r *http.Request) bool { return r.Method == http.MethodGet })
	says(t, "no listing", checked(t, url), "stage", "takes and removes objects; listing them, which loads do not need, is not allowed", nil)
	denied(func(r *http.Request) bool { return r.Method == http.MethodPut })
	says(t, "no writing", checked(t, url), "stage", "AccessDenied", driver.ErrPermission)
	gate.Between(nil)
	w.api.Disturb(func(string) *redshift.Fault { return &redshift.Fault{Type: "AccessDeniedException"} })
	says(t, "no Data API", checked(t, url), "login", "AccessDenied", driver.ErrPermission)
	w.api.Disturb(func(string) *redshift.Fault { return &redshift.Fault{Type: "ThrottlingException"} })
	found := checked(t, url)
	says(t, "throttled", found, "reach", "Throttling", driver.ErrThrottled)
	says(t, "throttled", found, "stage", "takes and removes objects", nil)
	nobody := strings.Replace(w.url("public.none", viaWire, "&id=at,key"), w.ware.Addr, testenv.FreeAddress(t), 1)
	says(t, "nobody", checked(t, nobody), "reach", "refused", driver.ErrUnavailable)
}
