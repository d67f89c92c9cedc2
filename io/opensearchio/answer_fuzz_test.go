package opensearchio

import (
	"strings"
	"testing"

	"millrace/internal/mutate"

	"github.com/google/go-cmp/cmp"
)

// FuzzBulkAnswer: whatever a server answers, there is an outcome for each row, with
// a status, or an error; the quick way reads what the general one reads.
func FuzzBulkAnswer(tf *testing.F) {
	f := mutate.Of(tf)
	for _, answer := range []string{
		`{"errors":false,"items":[{"index":{"status":201}},{"index":{"status":200}}]}`,
		`{"errors":false,"items":[{"create":{"status":201}},{"index":{"status":200}}]}`,
		`{"errors":true,"items":[{"index":{"status":201}},{"index":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"[x]: version conflict"}}}]}`,
		`{"took":3,"items":[{"create":{"status":429,"error":{"type":"t","reason":null}}},{"create":{"status":400,"error":{}}}],"errors":true}`,
		`{"errors":false,"items":[{"index":{"status":201}},{"index":{"status":2`, `{"items":[{},{}]}`, `{"items":{}}`, `[]`, ``, `{"items":[],"items":[]}`, `null`,
		`{"errors":false,"items":[{"index":{"status":201}},{"index":{"status":200}}]}x`,
		`{"errors":true,"items":[{"index":{"status":1e2}},{"index":{"status":99999999999999999999}}]}`,
		`{"a":` + strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100) + `}`,
	} {
		f.Add([]byte(answer), uint16(2))
	}
	f.Fuzz(func(t *testing.T, answer []byte, rows uint16) {
		got, err := decodeBulk(nil, answer, int(rows))
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if len(got) != int(rows) {
			t.Fatalf("%d outcomes of %d rows", len(got), rows)
		}
		for _, o := range got {
			if o.Status < 200 || o.Status > 599 {
				t.Errorf("status %d", o.Status)
			}
		}
		slow, err := decodeAny(nil, answer, int(rows))
		if d := cmp.Diff(slow, got); err != nil || d != "" {
			t.Errorf("%v (-general +quick):\n%s", err, d)
		}
	})
}
