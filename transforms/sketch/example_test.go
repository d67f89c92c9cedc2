package sketch_test

import (
	"fmt"
	"maps"

	"millrace/transforms/sketch"
)

func ExampleQuantiles() {
	var morning, evening sketch.Quantiles
	for ms := range uint64(1_000) {
		morning.Add(ms)
		evening.Add(10 * ms)
	}
	morning.Merge(&evening)
	fmt.Printf("%d values, median %.0f ms, 99 %% within %.0f ms, at most %d ms\n",
		morning.Count(), morning.Quantile(0.5), morning.Quantile(0.99), morning.Most())
	// Output: 2000 values, median 907 ms, 99 % within 9801 ms, at most 9990 ms
}

func ExampleCounts() {
	var pages sketch.Counts
	for _, path := range []string{"/", "/cart", "/", "/about", "/cart", "/"} {
		pages.Add([]byte(path), 1)
	}
	fmt.Println(pages.Largest(2))
	// Output: [{/ 3} {/cart 2}]
}

func ExampleHeavy() {
	h := sketch.NewHeavy(1) // with ten counters
	for i := range 1_000 {
		h.Add(fmt.Appendf(nil, "/search?q=%d", i), 1)
		h.Add([]byte("/"), 1)
	}
	top := h.Top()[0]
	fmt.Println(top.Key, "came", top.Count-top.Error, "to", top.Count, "times; another at most", h.Bound(), "times")
	// Output: / came 1000 to 1000 times; another at most 111 times
}

func ExampleHLL() {
	var h sketch.HLL
	for i := range 100_000 {
		h.Add(sketch.Hash(fmt.Appendf(nil, "visitor %d", i)))
	}
	fmt.Println(h.Count())
	// Output: 100721
}

func ExampleDistinct() {
	mobile, desktop := sketch.NewDistinct(1000), sketch.NewDistinct(1000)
	for i := range 700 {
		mobile.Add(sketch.Hash(fmt.Appendf(nil, "visitor %d", i)))
		desktop.Add(sketch.Hash(fmt.Appendf(nil, "visitor %d", 300+i)))
	}
	if err := mobile.Merge(desktop); err != nil {
		panic(err)
	}
	fmt.Println(mobile.Count(), mobile.Exact())
	mobile.Add(sketch.Hash([]byte("one more than are counted one by one")))
	fmt.Println(mobile.Exact())
	// Output:
	// 1000 true
	// false
}

func ExampleLargest() {
	views := map[string]int64{"/": 9, "/b": 4, "/a": 4, "/c": 1}
	fmt.Println(sketch.Largest(maps.All(views), 3))
	// Output: [{/ 9} {/a 4} {/b 4}]
}
