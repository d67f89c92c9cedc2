package opensearchio

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/io/iotest"
)

// checked are the findings of a sink, by what was looked at.
func checked(t *testing.T, url string) map[string]driver.Check {
	t.Helper()
	s, err := Open(t.Context(), url, iotest.SinkRows, driver.SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.sender.Abort)
	found := map[string]driver.Check{}
	for _, c := range s.Check(t.Context()) {
		found[c.What] = c
	}
	return found
}

func TestACheckFindsWhatWouldRefuseRows(t *testing.T) {
	node := testenv.OpenSearch(t)
	at := func(index string) string { return "opensearch://" + node.Addr + "/" + index }
	makeIndex := func(name, mappings, settings string) {
		node.Call(t, http.MethodPut, name, map[string]any{"mappings": json.RawMessage(mappings), "settings": json.RawMessage(settings)}, nil)
	}
	makeIndex("check-narrow", `{"properties":{"amount":{"type":"integer"}}}`, `{}`)
	makeIndex("check-strict", `{"dynamic":"strict","properties":{"key":{"type":"keyword"}}}`, `{}`)
	makeIndex("check-blocked", `{}`, `{"index.blocks.write":true}`)
	makeIndex("check-wide", `{"properties":{"amount":{"type":"double"},"key":{"type":"text"}}}`, `{}`)
	for index, want := range map[string]struct{ what, says string }{
		"check-none?id=at,key":                 {"mapping", "no index yet"},
		"check-wide?id=at,key":                 {"mapping", "1 index, and its fields take the rows"},
		"check-narrow?id=at,key":               {"mapping", "the field amount is of type integer, which does not take every long"},
		"check-strict?id=at,key&template=skip": {"mapping", "has no field amount"},
		"check-blocked?id=at,key":              {"blocks", "check-blocked has index.blocks.write"},
		"check-{day}?id=at,key":                {"template", "will be put before the first row"},
	} {
		found := checked(t, at(index))
		c := found[want.what]
		if says := c.Found; c.Err == nil && !strings.Contains(says, want.says) || c.Err != nil && !strings.Contains(c.Err.Error(), want.says) {
			t.Errorf("%s: %s is %+v, want %q", index, want.what, c, want.says)
		}
		if r := found["reach"]; r.Err != nil || !strings.HasPrefix(r.Found, "OpenSearch 2.") {
			t.Errorf("%s: reach is %+v", index, r)
		}
	}
	if found := checked(t, "opensearch://127.0.0.1:1/none?timeout=2s"); len(found) != 1 || !errors.Is(found["reach"].Err, driver.ErrUnavailable) {
		t.Errorf("without a server it finds %+v", found)
	}
	if hits := node.Search(t, "check-*", nil); len(hits) != 0 {
		t.Errorf("a check has left %d documents", len(hits))
	}
}

func TestAURLIsValidatedWithoutTheWorkersLogin(t *testing.T) {
	if err := Validate("opensearch+https://h/i?login_env=ONLY_ON_WORKERS", iotest.SinkRows); err != nil {
		t.Errorf("a login of the workers: %v", err)
	}
	if _, err := parse("opensearch+https://h/i?login_env=ONLY_ON_WORKERS", iotest.SinkRows); err == nil {
		t.Error("a sink is opened without its login")
	}
	for url, want := range map[string]string{
		"opensearch://h/Upper":           "in lower case",
		"opensearch://h/i?row=5":         "did you mean rows?",
		"opensearch://h/i?id=keys":       "did you mean key?",
		"opensearch://far/i?login_env=X": "over the network as it stands",
	} {
		if err := Validate(url, iotest.SinkRows); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

func TestWhatAFieldHolds(t *testing.T) {
	for needed, c := range map[string]struct{ takes, not []string }{
		"long":    {[]string{"long", "double"}, []string{"integer", "keyword", "date"}},
		"integer": {[]string{"integer", "long", "double"}, []string{"short", "boolean"}},
		"ip":      {[]string{"ip", "keyword"}, []string{"long"}},
		"date":    {[]string{"date", "keyword"}, []string{"long", "ip"}},
		"keyword": {[]string{"keyword", "text"}, []string{"ip", "date", "boolean"}},
	} {
		for _, there := range c.takes {
			if !holds(there, needed) {
				t.Errorf("%s does not hold every %s", there, needed)
			}
		}
		for _, there := range c.not {
			if holds(there, needed) {
				t.Errorf("%s holds every %s", there, needed)
			}
		}
	}
}
