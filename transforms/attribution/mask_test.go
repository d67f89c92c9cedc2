package attribution_test

import (
	"bytes"
	"testing"

	"millrace/schemas/pii"
	"millrace/transforms/attribution"
	"millrace/transforms/mask"
)

// What people write into links holds what people must not be known by.
func TestAfterMaskingNoFindingIsLeft(t *testing.T) {
	a := attributor(t)
	m := mask.New("k1", [32]byte{1}, mask.Options{})
	found := 0
	for _, query := range []string{
		"utm_source=ann@example.com&utm_medium=email",
		"utm_source=a&utm_medium=email&utm_campaign=to+ann%40example.com",
		"utm_source=a&utm_content=ann%252540example.com&utm_medium=4111+1111+1111+1111",
		"utm_source=a&utm_term=token%3Dabcdef0123456789",
		"utm_source=a&utm_id=AKIAIOSFODNN7EXAMPLE",
		"utm_source=a&utm_campaign=x%00ann%40example%2ecom%ff",
	} {
		// The query is masked before, too, where it is stored.
		for _, q := range [][]byte{[]byte(query), m.AppendMasked(nil, pii.Of([]byte(query)), mask.Query)} {
			got := a.Touch(attribution.Request{Query: q})
			for _, raw := range []pii.Text{got.Source, got.Medium, got.Campaign, got.ID, got.Term, got.Content} {
				found += len(m.Find(raw, mask.FreeText))
				out := m.AppendMasked(nil, raw, mask.FreeText)
				if rest := m.Find(pii.Of(out), mask.FreeText); len(rest) > 0 || bytes.Contains(out, []byte("ann@")) {
					t.Errorf("%s: %q has findings", query, out)
				}
			}
		}
	}
	if found == 0 {
		t.Error("nothing was to be masked")
	}
}
