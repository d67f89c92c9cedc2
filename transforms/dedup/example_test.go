package dedup_test

import (
	"fmt"
	"time"

	"millrace/transforms/dedup"
)

func Example() {
	type event struct {
		producerID    string
		time, arrival int64
	}
	events := []event{{"a", 10_000, 10_700}, {"b", 11_000, 11_200}, {"a", 10_000, 12_900}}

	// In each bundle: ids and times, to the shard of the id.
	bundle, err := dedup.New(time.Hour)
	if err != nil {
		panic(err)
	}
	for _, e := range events {
		bundle.Add(dedup.IDOf([]byte(e.producerID)), dedup.Order{Time: e.time, Tie: dedup.TieOf(e.arrival, [16]byte{})})
	}
	// In each shard, when the watermark has passed the events: who stays?
	shard, err := dedup.New(time.Hour)
	if err != nil {
		panic(err)
	}
	if err := shard.Merge(bundle.AppendEncoded(nil)); err != nil {
		panic(err)
	}
	for _, e := range events {
		fmt.Println(e.producerID, e.arrival, shard.Kept(dedup.IDOf([]byte(e.producerID)), dedup.Order{Time: e.time, Tie: dedup.TieOf(e.arrival, [16]byte{})}))
	}
	// Output:
	// a 10700 true
	// b 11200 true
	// a 12900 false
}
