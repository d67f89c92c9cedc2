package accesslog

import "bytes"

// Campaign is the value of utm_campaign in a query, empty when it has none.
func Campaign(query []byte) []byte {
	const name = "utm_campaign="
	for len(query) > 0 {
		pair, rest, _ := bytes.Cut(query, []byte{'&'})
		if len(pair) > len(name) && string(pair[:len(name)]) == name {
			return pair[len(name):]
		}
		query = rest
	}
	return nil
}
