package report

import "bytes"

var referrersSection = section{
	ID: "referrers", Title: "Referrers", Half: true,
	watch: func(d *Data) watcher {
		return &referrerWatcher{d: d, sites: newTally[struct{}](maxSites), own: newTally[struct{}](maxHosts)}
	},
	data: func(d *Data) any {
		return struct {
			Referrers
			Events int64
		}{d.Referrers, d.Events}
	},
}

// Referrers lists referring sites.
type Referrers struct {
	None     int64       `json:"none"` // requests that name no referrer
	Sites    []SiteCount `json:"sites"`
	MaxError int64       `json:"max_error"` // how much too low a count can be; 0 is exact
}

// SiteCount is a site and the requests that name it as referrer.
type SiteCount struct {
	Site     string `json:"site"`
	Requests int64  `json:"requests"`
	Own      bool   `json:"own"` // a virtual host of this log
}

const (
	topSites = 15
	maxSites = 50_000
	maxHosts = 1_000
	maxHost  = 253 // bytes of a name
)

type referrerWatcher struct {
	d          *Data
	sites, own *tally[struct{}]
	host       string // of the event before: hosts rarely change
	buf        []byte
}

func (w *referrerWatcher) event(e *event) {
	if e.host != nil && string(e.host) != w.host {
		w.host = string(e.host)
		w.own.add(e.host, 1)
	}
	if len(e.referrer) == 0 {
		w.d.Referrers.None++
		return
	}
	w.buf = site(w.buf[:0], e.referrer)
	w.sites.add(w.buf, 1)
}

func (w *referrerWatcher) done() {
	r := &w.d.Referrers
	r.MaxError = w.sites.lost
	own := map[string]bool{}
	for host := range w.own.entries {
		own[string(site(nil, []byte("//"+host)))] = true
	}
	for _, e := range w.sites.top(topSites, byCount) {
		r.Sites = append(r.Sites, SiteCount{e.key, e.count, own[e.key]})
	}
}

// site appends to dst the host of a URL in lower case, without www., port and
// user name; text that is no URL stays as it is, cut to a length that can be shown.
func site(dst, url []byte) []byte {
	_, rest, ok := bytes.Cut(url, []byte("//"))
	if !ok {
		return append(dst, url[:min(len(url), 80)]...)
	}
	start, end, colon := 0, len(rest), -1
authority:
	for i, c := range rest {
		switch c {
		case '/', '?', '#':
			end = i
			break authority
		case '@':
			start, colon = i+1, -1
		case ':':
			colon = i
		case ']':
			colon = -1
		}
	}
	if colon >= 0 {
		end = colon
	}
	for _, c := range bytes.TrimPrefix(rest[start:min(end, start+maxHost)], []byte("www.")) {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}
