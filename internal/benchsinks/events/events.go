// Package events makes the rows that sinks are measured with: masked events of a shop,
// alike enough for columns to repeat and different enough for ids not to.
package events

import (
	"encoding/binary"
	"fmt"
	"strings"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// noon is where the events begin, 2025-03-03T12:00:00Z; each is a millisecond later.
const noon = 1_741_003_200_000

// At is the nth event. The first 40 million are of one day.
func At(n int) weblog.Event {
	var id table.ID
	binary.BigEndian.PutUint64(id[:], uint64(n)*0x9e37_79b9_7f4a_7c15) // spreads ids as hashes do
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return weblog.Event{
		EventID: id, EventTime: table.Millis(noon + n), VisitorID: fmt.Sprintf("tok_visitor_k1_%032d", n%1000),
		ClientIP: text("203.0.113.0"), Method: text("GET"), Path: text(fmt.Sprint("/shop/item-", n%200)), Query: text("page=2&sort=price"), Protocol: text("HTTP/1.1"),
		Status: 200, Bytes: pointer(int64(5120 + n%4096)), Referrer: text("https://www.example.org/search?q=shoes"),
		UserAgent: text("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"), Source: strings.Repeat("0a", 16), Position: int64(200 * n), PageView: true,
	}
}

// Batch are n events from a number on.
func Batch(from, n int) *table.Batch {
	b := table.NewBatch(weblog.Events)
	for i := range n {
		b.Append(At(from + i))
	}
	return b
}

func pointer[T any](v T) *T { return &v }

func text(s string) *string { return &s }
