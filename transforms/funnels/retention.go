package funnels

import "math/bits"

// Retained is the conditions that the events of a user satisfied, bit i for
// condition i: the union of their Steps. Such sets merge by |, in any order.
//
// It answers ClickHouse's retention: condition 0, and which of the others beside
// it. Without condition 0 it is 0.
func Retained(union uint64) uint64 { return union & -(union & 1) }

// Retention counts users by condition: those who satisfied condition 0 and
// condition i. Counts of disjoint users add up.
type Retention []int64

// Add counts a user by the union of the Steps of the user's events. Bits beyond
// the conditions do not count.
func (r Retention) Add(union uint64) {
	for rest := Retained(union); rest != 0; rest &= rest - 1 {
		if i := bits.TrailingZeros64(rest); i < len(r) {
			r[i]++
		}
	}
}
