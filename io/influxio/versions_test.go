package influxio

import (
	"encoding/json"
	"strings"
	"testing"

	"millrace/internal/mutate"
	"millrace/schemas/weblog"
)

// FuzzVersions: whatever a server answers, there are points of as many values as were
// asked for, with a rank that a version can have, or a short error; they are those that
// encoding/json finds.
func FuzzVersions(tf *testing.F) {
	f := mutate.Of(tf)
	for _, answer := range []string{
		`{"results":[{"statement_id":0,"series":[{"name":"sessions","tags":{"part":"3d"},"columns":["time","version","sealed","visitor_id"],"values":[[5495327,7,true,"v"],[-5,null,null,null]]}]},{"statement_id":1}]}`,
		`{"results":[{"series":[{"name":"sessions","values":[[1 , 2 , false , "a,]\"b\\"]]}]}]}`, `{"results":[{"error":"database not found: x"}]}`, `{"error":"bad"}`, `{"results":[]}`,
		`{"results":[{"series":[{"values":[[1,2,true,["x"]]]}]}]}`, `{"results":[{"series":[{"values":[[1.5,2,true,"x"]]}]}]}`, `{"results":[{"series":[{"values":[[1,9223372036854775807,true,"x"]]}]}]}`,
		`{"results":[{"series":[{"values":[null,{},"x",[]]}]}]}`, `[`, ``, `null`, `{"results":[{"series":[{"values":[[1,2,true,"x",5]]}]}]}`, `{"results":` + strings.Repeat("[", 100) + `}`,
	} {
		f.Add([]byte(answer))
	}
	c := offline(f, "", weblog.Sessions).config
	f.Fuzz(func(t *testing.T, answer []byte) {
		v, err := decodeVersions(answer, c)
		if err != nil {
			return
		}
		if err := v.fault(c); err != nil && len(err.Error()) > 1000 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		var plain struct {
			Results []struct {
				Series []struct{ Values []json.RawMessage }
			}
		}
		if err := json.Unmarshal(answer, &plain); err != nil {
			t.Fatal(err)
		}
		var all []json.RawMessage
		for _, r := range plain.Results {
			for _, s := range r.Series {
				all = append(all, s.Values...)
			}
		}
		n := 0
		for _, s := range v.series() {
			for _, p := range s.Values {
				var values []json.RawMessage
				if err := json.Unmarshal(all[n], &values); err != nil || len(values) != 4 || len(p.ids) != 1 || p.rank < 0 || string(values[3]) != string(p.ids[0]) {
					t.Errorf("%s is read as %+v; %v", all[n], p, err)
				}
				n++
				text, err := p.id(0, c.shape.Schema.Columns[weblog.SessionVisitorID].Kind)
				var want *string
				if plainErr := json.Unmarshal(values[3], &want); (err == nil) != (plainErr == nil) || err == nil && (want == nil) != (text == nil) {
					t.Errorf("%s is the id %q; %v", values[3], text, err)
				}
			}
		}
	})
}
