package attribution_test

import (
	"fmt"

	"millrace/schemas/pii"
	"millrace/transforms/attribution"
	"millrace/transforms/mask"
)

func Example() {
	a, err := attribution.New(attribution.Default(), []string{"example.org"})
	if err != nil {
		panic(err)
	}
	masker := mask.New("k1", [32]byte{}, mask.Options{})
	for _, r := range []attribution.Request{
		{Query: []byte("utm_source=newsletter&utm_medium=email&utm_campaign=spring%20sale")},
		{Query: []byte("gclid=Cj0KCQ"), Referrer: []byte("https://www.google.com/")},
		{Referrer: []byte("https://www.google.co.uk/")},
		{Referrer: []byte("https://example.org/cart")},
	} {
		t := a.Touch(r)
		masked := func(t pii.Text) string { return string(masker.AppendMasked(nil, t, mask.FreeText)) }
		fmt.Printf("%s: %q %q %q, %q\n", t.Kind, masked(t.Source), masked(t.Medium), masked(t.Campaign), t.Channel)
	}
	// Output:
	// tagged: "newsletter" "email" "spring sale", "Email"
	// clicked: "google" "cpc" "", "Paid Search"
	// referred: "google" "organic" "", "Organic Search"
	// internal: "" "" "", ""
}
