// Package sketch counts distinct things, finds quantiles and picks the largest, so
// that the answer depends on what was counted alone: never on the order in which it
// came or on how it was divided. Equal content gives equal bytes. The one exception
// says so in its results.
//
//	                  is                                      error             merges
//	HLL               distinct things (HyperLogLog)           0.81 % (1 sigma)  any order, equal bytes
//	Distinct          the same, exact up to a limit           0, then as HLL    any order, equal bytes
//	Quantiles         quantiles of whole numbers (DDSketch)   1 % of the value  any order, equal bytes
//	Counts, Largest   top of keys                             0                 any order, equal bytes
//	Heavy             top of keys that explode (Space-Saving) told with it      any order, within the error
//
// Of these, package rollup counts visitors by Distinct and HLL, sizes and latency by
// Quantiles, and pages exactly up to a limit and beyond it by Heavy.
//
// Encoded forms begin with a version, and decoders refuse what no encoder writes.
//
// Distinct things are counted by a 64-bit hash, [Hash]. Two different things with the
// same hash count once: among a million the odds that this happens at all are
// 1 in 37 million.
package sketch

import "github.com/cespare/xxhash/v2"

// Hash is xxhash64 with seed 0. It is part of every stored sketch and never
// changes.
func Hash(b []byte) uint64 { return xxhash.Sum64(b) }
