package mask_test

import (
	"fmt"

	"millrace/schemas/pii"
	"millrace/transforms/mask"
)

func ExampleMasker_AppendMasked() {
	key := [32]byte{31: 1} // a real key comes from a file or the environment
	m := mask.New("k1", key, mask.Options{})
	for _, query := range []string{
		"page=2&email=alice%40example.com",
		"card=4111+1111+1111+1111&total=42",
		"access_token=abc123&next=%2Fhome",
	} {
		fmt.Printf("%s\n", m.AppendMasked(nil, pii.Of([]byte(query)), mask.Query))
	}
	// Output:
	// page=2&email=tok_email_k1_gxvucnrn4cwnfqiillj4uwcylhnco4tt
	// card=tok_pan_k1_hgjguvicqrcsxsklun5gvn34np5m3ktc&total=42
	// access_token=REDACTED&next=%2Fhome
}
