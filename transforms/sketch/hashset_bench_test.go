package sketch

import "testing"

// BenchmarkHashes puts hashes into a set, and into the map that it stands for.
func BenchmarkHashes(b *testing.B) {
	const spread, n = 0x9e3779b97f4a7c15, 50_000
	b.Run("set", func(b *testing.B) {
		for b.Loop() {
			s := newHashSet(0)
			for i := range uint64(n) {
				s.add(i * spread)
			}
		}
	})
	b.Run("map", func(b *testing.B) {
		for b.Loop() {
			m := map[uint64]struct{}{}
			for i := range uint64(n) {
				m[i*spread] = struct{}{}
			}
		}
	})
}
