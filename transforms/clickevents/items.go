package clickevents

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// appendMember writes "name":"text".
func appendMember(dst []byte, name string, text []byte) []byte {
	dst = append(append(append(dst, '"'), name...), `":`...)
	quoted, err := jsontext.AppendQuote(dst, text)
	if err != nil { // the text was valid when it was read, and masking keeps it so
		return append(dst, `"REDACTED"`...)
	}
	return quoted
}

// ItemOf is an item in the column items.
type ItemOf struct {
	ID       string `json:"id"`
	Price    *int64 `json:"price"` // minor units; nil for none
	Quantity int64  `json:"quantity"`
}

// ParseItems reads a value of the column items, which AppendItems wrote.
func ParseItems(column []byte, into []ItemOf) ([]ItemOf, error) {
	if items, ok := scanItems(column, into[:0]); ok {
		return items, nil
	}
	into = into[:0]
	if err := json.Unmarshal(column, &into); err != nil {
		return nil, fmt.Errorf("reading the items of an event: %w", err)
	}
	return into, nil
}

// Worth is price times quantity, 0 without a price.
func (i *ItemOf) Worth() int64 {
	if i.Price == nil {
		return 0
	}
	return *i.Price * i.Quantity
}
