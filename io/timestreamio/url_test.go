package timestreamio

import (
	"errors"
	"reflect"
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
	_, err := parse("timestream://web/rows?zzz=1", weblog.TrafficRows)
	if want := "(known: " + strings.Join(names, ", ") + ")"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

func TestURLsThatCannotBe(t *testing.T) {
	for url, part := range map[string]string{
		"http://web/rows":                                           "scheme http",
		"timestream:///rows":                                        "database and a table",
		"timestream://web":                                          "database and a table",
		"timestream://web/a/b":                                      "database and a table",
		"timestream://we/rows":                                      "3 to 256",
		"timestream://web/rows?rows=101":                            "greater than 100",
		"timestream://web/rows?rows=0":                              "at least 1",
		"timestream://web/rows?calls=40":                            "lower calls",
		"timestream://web/rows?bytes=1GiB":                          "64MiB",
		"timestream://web/rows?measure=":                            "measure name",
		"timestream://web/rows?endpoint=here":                       "not an address such as",
		"timestream://web/rows?endpoint=http://example.org":         "as they stand",
		"timestream://web/rows?secret=secret-word":                  "credential",
		"timestream://user:secret-word@web/rows":                    "credential",
		"timestream://web/rows?measure=" + strings.Repeat("m", 257): "256 bytes",
	} {
		_, err := parse(url, weblog.TrafficRows)
		if !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: %v, want %q", url, err, part)
		}
	}
	if _, err := parse("timestream://web/rows", weblog.Events); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "are no time series: column position") {
		t.Errorf("rows that are no time series: %v", err)
	}
}

func TestNamesThatTimestreamHasItselfAreRefused(t *testing.T) {
	type row struct {
		At    table.Millis `col:"at,sort1,day" doc:"a time"`
		Value int64        `col:"measure_value_of" doc:"a number"`
	}
	schema, err := table.Of(reflect.TypeFor[row](), "any", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parse("timestream://web/rows", schema); err == nil || !strings.Contains(err.Error(), "measure_value_of") {
		t.Errorf("the error is %v", err)
	}
}

func TestDefaultsFitTheMemoryOfASink(t *testing.T) {
	c, err := parse("timestream://web/traffic", weblog.TrafficRows)
	if err != nil || c.memory() > maxMemory || c.measure != "traffic" || c.rows != 100 {
		t.Errorf("%+v, %v", c, err)
	}
}
