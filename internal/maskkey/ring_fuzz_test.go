package maskkey

import (
	"strings"
	"testing"

	"millrace/internal/mutate"
)

// FuzzRing reads any bytes as a ring: what is accepted has keys by ids that tokens can
// have, and as few as are asked of KMS.
func FuzzRing(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(`{"version":1,"dataset":"web","keys":[{"id":"k1","wrapped":"AQID","check":"x"}]}`))
	f.Add([]byte(`{"version":1,"dataset":"web","keys":[` + strings.Repeat(`{"id":"k1","wrapped":"AQ=="},`, 101) + `{}]}`))
	f.Add([]byte(`{"version":1,"dataset":"web","keys":[{"id":"K 1","wrapped":"AQ==","more":{}}]}`))
	f.Add([]byte(strings.Repeat(`{"keys":[`, 100)))
	f.Fuzz(func(t *testing.T, content []byte) {
		ring, err := parseRing(content, "web")
		if err != nil {
			return
		}
		if ring.Version != 1 || ring.Dataset != "web" || len(ring.Keys) == 0 || len(ring.Keys) > maxKeys {
			t.Fatalf("%+v", ring)
		}
		for _, k := range ring.Keys {
			if !validID(k.ID) || len(k.Wrapped) == 0 {
				t.Errorf("%+v", k)
			}
		}
	})
}
