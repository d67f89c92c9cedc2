package influxio

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/io/iotest"
	"millrace/schemas/table"
)

// checked are the findings of a sink of the suite's rows, by what was looked at.
func checked(t *testing.T, url string) map[string]driver.Check {
	t.Helper()
	found := map[string]driver.Check{}
	for _, c := range open(t, url, iotest.SinkRows, driver.SinkOptions{}).Check(t.Context()) {
		found[c.What] = c
	}
	return found
}

// finding is what a check should say, and of which class it is.
type finding struct {
	what, says string
	class      error
}

func (want finding) compare(t *testing.T, name string, found map[string]driver.Check) {
	t.Helper()
	c, ok := found[want.what]
	says := c.Found
	if c.Err != nil {
		says = c.Err.Error()
	}
	if !ok || !strings.Contains(says, want.says) || !errors.Is(c.Err, want.class) || strings.Contains(says, "canary") {
		t.Errorf("%s: %s is %+v, want %q of class %v", name, want.what, c, want.says, want.class)
	}
}

// noVersion is what the tests' server says: it is built without its version.
const noVersion = "does not tell its version"

func TestACheckFindsWhatWouldRefuseRows(t *testing.T) {
	server := testenv.Influx(t)
	server.Query(t, "CREATE RETENTION POLICY short ON "+server.Database+" DURATION 36h REPLICATION 1")
	open(t, at(server, "measurement=texts"), otherTypes, driver.SinkOptions{}).mustWrite(t, table.Sealed, otherType{Key: "a"})
	right := open(t, at(server, "measurement=right"), iotest.SinkRows, driver.SinkOptions{})
	right.mustWrite(t, table.Sealed, iotest.SinkRow{Key: "a", Amount: pointer(int64(1))})
	mixed := open(t, at(server, "measurement=mixed"), iotest.SinkRows, driver.SinkOptions{})
	mixed.mustWrite(t, table.Sealed, iotest.SinkRow{Key: "a", Amount: pointer(int64(1))})
	open(t, at(server, "measurement=mixed"), otherTypes, driver.SinkOptions{}).mustWrite(t, table.Sealed, otherType{At: far, Key: "a"})
	before := stored(t, server)
	for parameters, wants := range map[string][]finding{
		"measurement=none":             {{"fields", "none is not there yet", nil}, {"retention", "autogen keeps rows for good", nil}, {"writing", "may write", nil}},
		"measurement=right":            {{"fields", "right is there, and its fields take the rows", nil}},
		"measurement=right&rp=short":   {{"fields", "right is not there yet", nil}, {"retention", "short keeps rows for 36h0m0s, and older ones are refused", nil}},
		"measurement=texts":            {{"fields", "the field amount of texts is of type string, and rows bring one of type integer", driver.ErrInvalid}, {"writing", "may write", nil}},
		"measurement=mixed":            {{"fields", "of type integer and string", driver.ErrInvalid}},
		"rp=lost":                      {{"retention", "the retention policy lost is none of autogen, short", driver.ErrNotFound}},
		"api=v2&org=any":               {{"writing", "may write", nil}, {"retention", "autogen keeps", nil}},
		"measurement=none&check=false": {{"fields", "none is not there yet", nil}},
	} {
		found := checked(t, at(server, parameters))
		for _, want := range append(wants, finding{"reach", noVersion, nil}) {
			want.compare(t, parameters, found)
		}
	}
	found := checked(t, "influx://"+server.Addr+"/missing")
	for _, want := range []finding{{"reach", noVersion, nil}, {"writing", "CREATE DATABASE", driver.ErrNotFound}, {"retention", "database not found", driver.ErrNotFound}} {
		want.compare(t, "no database", found)
	}
	if after := stored(t, server); len(before) == 0 || !slices.Equal(before, after) {
		t.Errorf("checks have left %q, before there was %q", after, before)
	}
	if found := checked(t, "influx://127.0.0.1:1/none?timeout=2s"); len(found) != 1 || !errors.Is(found["reach"].Err, driver.ErrUnavailable) {
		t.Errorf("without a server it finds %+v", found)
	}
}

// stored tells what there is in all measurements.
func stored(t *testing.T, server *testenv.InfluxServer) (list []string) {
	t.Helper()
	for _, s := range server.Query(t, "SELECT * FROM /.*/") {
		list = append(list, fmt.Sprint(s.Name, s.Values))
	}
	return list
}

func TestACheckFindsWhatALoginMayDo(t *testing.T) {
	server := testenv.Influx(t, testenv.InfluxLogins)
	for user, may := range map[string]string{"reader": "READ", "sender": "WRITE", "both": "ALL"} {
		server.Query(t, "CREATE USER "+user+" WITH PASSWORD 'canary-word'")
		server.Query(t, "GRANT "+may+" ON "+server.Database+" TO "+user)
		t.Setenv("LOGIN_"+strings.ToUpper(user), user+":canary-word")
	}
	t.Setenv("LOGIN_WRONG", "both:canary-wrong")
	for parameters, wants := range map[string][]finding{
		"login_env=LOGIN_BOTH":               {{"writing", "may write", nil}, {"retention", "autogen keeps", nil}, {"fields", "not there yet", nil}},
		"key_env=LOGIN_BOTH&api=v2&org=any":  {{"writing", "may write", nil}, {"retention", "autogen keeps", nil}},
		"login_env=LOGIN_WRONG":              {{"writing", "check login_env", driver.ErrPermission}, {"fields", "check login_env", driver.ErrPermission}},
		"":                                   {{"writing", "check login_env", driver.ErrPermission}},
		"login_env=LOGIN_READER":             {{"writing", "allow these credentials", driver.ErrPermission}, {"retention", "autogen keeps", nil}},
		"login_env=LOGIN_SENDER":             {{"writing", "may write", nil}, {"fields", "with check=true to read it", driver.ErrPermission}},
		"login_env=LOGIN_SENDER&check=false": {{"writing", "may write", nil}, {"retention", "was not looked at", nil}, {"fields", "was not looked at", nil}},
		"key_env=LOGIN_SENDER&api=v2&org=a&check=false":  {{"writing", "may write", nil}, {"fields", "was not looked at", nil}},
		"login_env=LOGIN_WRONG&measurement=x&check=true": {{"retention", "check login_env", driver.ErrPermission}},
	} {
		found := checked(t, at(server, parameters))
		for _, want := range append(wants, finding{"reach", noVersion, nil}) {
			want.compare(t, parameters, found)
		}
	}
}

// What InfluxDB 2 and 3, and servers of others, answer.
func TestACheckKnowsAnswersOfOtherServers(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	for name, c := range map[string]struct {
		parameters string
		paths      map[string]http.HandlerFunc
		want       []finding
	}{
		"InfluxDB 1": {"", map[string]http.HandlerFunc{
			"/ping": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Influxdb-Version", "1.8.10")
				w.WriteHeader(http.StatusNoContent)
			},
			"/write": answer(200, ""),
			"/query": answer(200, `{"results":[{"series":[{"columns":["name","duration","shardGroupDuration","replicaN","default"],"values":[["some","1h0m0s","1h0m0s",1,false]]}]}]}`),
		}, []finding{{"reach", "InfluxDB 1.8.10", nil}, {"writing", "may write", nil}, {"retention", "no default retention policy", driver.ErrNotFound}}},
		"a writing that is refused": {"", map[string]http.HandlerFunc{
			"/ping": answer(200, ""), "/write": answer(400, `{"error":"precision?"}`), "/query": answer(500, ""),
		}, []finding{{"writing", "precision?", driver.ErrInvalid}, {"fields", "HTTP 500", driver.ErrUnavailable}}},
		"InfluxDB 2": {"&api=v2&org=o&check=false", map[string]http.HandlerFunc{
			"/health":       answer(200, `{"name":"influxdb","message":"ready for queries and writes","status":"pass","version":"v2.7.1"}`),
			"/api/v2/write": answer(400, `{"code":"invalid","message":"writing requires points"}`),
			"/query":        answer(404, `{"code":"not found","message":"no dbrp mapping found"}`),
		}, []finding{{"reach", "InfluxDB 2.7.1", nil}, {"writing", "may write", nil}, {"fields", "was not looked at", nil}}},
		"InfluxDB 2, which is asked for versions": {"&api=v2&org=o", map[string]http.HandlerFunc{
			"/health":       answer(503, `{"name":"influxdb","message":"starting","status":"fail"}`),
			"/api/v2/write": answer(404, `{"code":"not found","message":"bucket \"rows\" not found"}`),
			"/query":        answer(404, `{"code":"not found","message":"no dbrp mapping found"}`),
		}, []finding{{"reach", "starting", driver.ErrUnavailable}}},
		"a bucket that is not there": {"&api=v2&org=o", map[string]http.HandlerFunc{
			"/health":       answer(200, `{}`),
			"/api/v2/write": answer(404, `{"code":"not found","message":"bucket \"rows\" not found"}`),
			"/query":        answer(404, `{"code":"not found","message":"no dbrp mapping found"}`),
		}, []finding{{"reach", "does not tell its version", nil}, {"writing", "bucket", driver.ErrNotFound}, {"fields", "no dbrp mapping", driver.ErrNotFound}}},
		"a server of others": {"", map[string]http.HandlerFunc{
			"/ping": answer(204, ""), "/write": answer(204, ""), "/query": answer(200, "hello"),
		}, []finding{{"reach", "does not tell its version", nil}, {"writing", "may write", nil}, {"retention", "no answer about a database", driver.ErrCorrupt}}},
		"endless": {"", map[string]http.HandlerFunc{
			"/ping": answer(204, ""), "/write": answer(204, ""), "/query": answer(200, `{"results":[`+strings.Repeat(" ", askedLimit)),
		}, []finding{{"fields", "longer than", driver.ErrCorrupt}}},
		"none at all": {"", map[string]http.HandlerFunc{
			"/ping": answer(404, "<html>"), "/write": answer(404, "<html>"), "/query": answer(404, "<html>"),
		}, []finding{{"reach", "check the address", driver.ErrNotFound}, {"writing", "check the address", driver.ErrNotFound}}},
	} {
		url := answers(t, func(w http.ResponseWriter, r *http.Request) { c.paths[r.URL.Path](w, r) })
		found := checked(t, url+c.parameters)
		for _, want := range c.want {
			want.compare(t, name, found)
		}
	}
}
