package anomaly

const (
	newsFor = 100  // points that one episode may take
	worse   = 1.15 // times as strange is news again
)

// news tells which of many strange points in a row are worth telling.
type news struct {
	told  float64
	since uint32 // points since then
}

func (n *news) of(strangeness float64) float64 {
	if n.since++; n.since > newsFor {
		n.told, n.since = 0, newsFor+1
	}
	if strangeness <= float64(n.told*worse) {
		return 0
	}
	n.told, n.since = strangeness, 0
	return strangeness
}
