package influxio

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"millrace/io/driver"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

func TestTheParametersOfASinkAreThoseItReads(t *testing.T) {
	var names []string
	for _, p := range Parameters() {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	_, err := parse("influx://h/d?zzz=1", weblog.TrafficRows)
	if want := "(known: " + strings.Join(names, ", ") + ")"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

func TestURLsThatCannotBe(t *testing.T) {
	t.Setenv("LOGIN", "user:secret-word")
	t.Setenv("HALF", "secret-word")
	t.Setenv("NONE", "")
	for url, part := range map[string]string{
		"http://h/d":                                      "scheme http",
		"influx:///d":                                     "host and a database",
		"influx://h":                                      "host and a database",
		"influx://h/a/b":                                  "rp=NAME",
		"influx://h/a b":                                  "database has a name",
		"influx://h/d?measurement=":                       "measurement has a name",
		"influx://h/d?measurement=a%22b":                  "measurement has a name",
		"influx://h/d?rp=a;b":                             "cannot be read",
		"influx://h/d?api=v3":                             "one of v1, v2",
		"influx://h/d?api=v2":                             "organisation is missing",
		"influx://h/d?org=o":                              "without api=v2",
		"influx://h/d?ids=drop":                           "one of fold, tag",
		"influx://h/d?check=maybe":                        "true or false",
		"influx://h/d?rows=0":                             "at least 1",
		"influx://h/d?calls=20":                           "lower calls",
		"influx://h/d?bytes=1GiB":                         "64MiB",
		"influx://h/d?ca=x.pem":                           "without TLS",
		"influx://h/d?login_env=LOGIN":                    "as it stands",
		"influx+https://h/d?login_env=a:b":                "not the name",
		"influx+https://h/d?login_env=HALF":               "does not hold user:password",
		"influx+https://h/d?key_env=NONE":                 "does not hold a token",
		"influx+https://h/d?login_env=LOGIN&key_env=HALF": "exclude",
		"influx://user:secret-word@h/d":                   "credential",
		"influx://h/d?token=secret-word":                  "credential",
		"influx+https://h/d?ca=/no/such/file":             "",
	} {
		s, err := Open(t.Context(), url, weblog.TrafficRows, driver.SinkOptions{})
		if !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "secret-word") || s != nil {
			t.Errorf("%s: %v, want %q", url, err, part)
		}
	}
	if _, err := parse("influx://h/d", weblog.Events); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "are no time series: column position") {
		t.Errorf("rows that are no time series: %v", err)
	}
}

func TestColumnsThatPointsCannotHaveAreRefused(t *testing.T) {
	type withPart struct {
		At   table.Millis `col:"at,sort1,day" doc:"a time"`
		ID   table.ID     `col:"id,sort2" doc:"an id"`
		Part int32        `col:"part" doc:"a number"`
	}
	type withTime struct {
		At   table.Millis `col:"at,sort1,day" doc:"a time"`
		Time int32        `col:"time" doc:"a number"`
	}
	for _, schema := range []*table.Schema{table.MustOf[withPart]("influxio.with_part", 1), table.MustOf[withTime]("influxio.with_time", 1)} {
		if _, err := parse("influx://h/d", schema); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "a name that points cannot have") {
			t.Errorf("%s: %v", schema.ID(), err)
		}
	}
	if _, err := parse("influx://h/d?ids=tag", table.MustOf[withPart]("influxio.with_part", 1)); err != nil {
		t.Error(err)
	}
}

func TestWhatURLsMean(t *testing.T) {
	t.Setenv("LOGIN", "user:pass:word")
	for url, want := range map[string]config{
		"influx://h/d":                                    {base: "http://h:8086", write: "/write?db=d&precision=ms", query: "/query?db=d&epoch=ns", from: `"traffic"`},
		"influx://[::1]/d?rp=week&measurement=m":          {base: "http://[::1]:8086", write: "/write?db=d&precision=ms&rp=week", query: "/query?db=d&epoch=ns", from: `"week"."m"`},
		"influx+https://h:1/d?api=v2&org=o&key_env=LOGIN": {base: "https://h:1", write: "/api/v2/write?bucket=d&org=o&precision=ms", query: "/query?db=d&epoch=ns", from: `"traffic"`, authorization: "Token user:pass:word"},
		"influx://localhost/d?api=v2&org=o&rp=week&login_env=LOGIN": {
			base: "http://localhost:8086", write: "/api/v2/write?bucket=d%2Fweek&org=o&precision=ms", query: "/query?db=d&epoch=ns", from: `"week"."traffic"`, user: "user", password: "pass:word",
		},
	} {
		c, err := parse(url, weblog.TrafficRows)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if c.base != want.base || c.write != want.write || c.query != want.query || c.from != want.from || c.authorization != want.authorization || c.user != want.user || c.password != want.password || c.memory() > maxMemory {
			t.Errorf("%s is %+v", url, c)
		}
	}
}
