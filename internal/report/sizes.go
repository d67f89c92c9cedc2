package report

var sizesSection = section{
	ID: "sizes", Title: "Response sizes", Nav: "Sizes",
	watch: func(d *Data) watcher { return &sizeWatcher{s: &d.Sizes, buckets: sizeBuckets()} },
	data:  func(d *Data) any { return d.Sizes },
	chart: func(d *Data) any { return map[string]any{"buckets": d.Sizes.Buckets} },
}

// Sizes describes how many bytes responses have.
type Sizes struct {
	Known    int64        `json:"known"`   // responses whose size was logged
	Unknown  int64        `json:"unknown"` // responses whose size was not
	Bytes    int64        `json:"bytes"`
	Median   int64        `json:"median"` // within 1%
	P95      int64        `json:"p95"`    // within 1%
	Max      int64        `json:"max"`
	Buckets  []SizeBucket `json:"buckets"`
	Heaviest []PathCount  `json:"heaviest"` // paths by bytes sent
}

// SizeBucket counts responses of From (included) to To (excluded, 0 = no end) bytes.
type SizeBucket struct {
	Label     string `json:"label"`
	From      int64  `json:"from"`
	To        int64  `json:"to"`
	Responses int64  `json:"responses"`
}

func sizeBuckets() []SizeBucket {
	const k, m, g = 1000, 1000_000, 1000_000_000
	return []SizeBucket{
		{Label: "empty", To: 1},
		{Label: "< 100 B", From: 1, To: 100},
		{Label: "100 B – 1 kB", From: 100, To: k},
		{Label: "1–10 kB", From: k, To: 10 * k},
		{Label: "10–100 kB", From: 10 * k, To: 100 * k},
		{Label: "100 kB – 1 MB", From: 100 * k, To: m},
		{Label: "1–10 MB", From: m, To: 10 * m},
		{Label: "10–100 MB", From: 10 * m, To: 100 * m},
		{Label: "0.1–1 GB", From: 100 * m, To: g},
		{Label: "≥ 1 GB", From: g},
	}
}

type sizeWatcher struct {
	s       *Sizes
	buckets []SizeBucket
	spread  spread
}

func (w *sizeWatcher) event(e *event) {
	if e.bytes < 0 {
		w.s.Unknown++
		return
	}
	w.s.Known++
	w.s.Bytes += e.bytes
	w.s.Max = max(w.s.Max, e.bytes)
	w.spread.add(e.bytes)
	for i := range w.buckets {
		if b := &w.buckets[i]; b.To == 0 || e.bytes < b.To {
			b.Responses++
			return
		}
	}
}

func (w *sizeWatcher) done() {
	w.s.Median, w.s.P95 = w.spread.quantile(0.5), w.spread.quantile(0.95)
	// Sizes beyond the largest response are of no interest.
	for len(w.buckets) > 0 && w.buckets[len(w.buckets)-1].Responses == 0 {
		w.buckets = w.buckets[:len(w.buckets)-1]
	}
	w.s.Buckets = w.buckets
}
