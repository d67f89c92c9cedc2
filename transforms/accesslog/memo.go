package accesslog

import (
	"bytes"

	"millrace/schemas/pii"
	"millrace/schemas/weblog"
	"millrace/transforms/decode"
	"millrace/transforms/mask"
	"millrace/transforms/rollup"
	"millrace/transforms/security"
)

// maxMemo bounds each cache; a full one starts anew, as rare texts crowd it.
const maxMemo = 1 << 17

// text is a masked text with its code in the present batch.
type text struct {
	masked []byte
	batch  uint32 // number of the batch that code belongs to
	code   uint32
}

// agent is what a user agent tells.
type agent struct {
	text
	bot  string // name; empty for people
	note bool   // whether it is a bot
	tool bool   // made to attack
	told
	number uint32 // tells it from others
}

// page is what a path tells.
type page struct {
	text
	asset bool // static: never a page view
	gives security.Target
	known bool // whether gives is
	seen  rollup.PageSeen
}

func memoOf[T any](m map[string]*T, key []byte, fill func() *T) *T {
	if v, ok := m[string(key)]; ok {
		return v
	}
	if len(m) >= maxMemo {
		clear(m)
	}
	v := fill()
	m[string(key)] = v
	return v
}

func (w *Worker) agent(l *decode.AccessLog) *agent {
	if !l.HasAgent {
		return &w.unsaid
	}
	ua := l.UserAgent
	return memoOf(w.agents, pii.Reveal(ua), func() *agent {
		name, reason, bot := w.bots.Why(pii.Reveal(ua))
		a := &agent{text: text{masked: w.text(weblog.EventUserAgent, ua, mask.UserAgent)}, bot: name, note: bot, tool: w.isTool(ua)}
		w.tell(a, reason)
		w.numbers++
		a.number = w.numbers
		return a
	})
}

func (w *Worker) referrer(ref pii.Text) *referrer {
	return memoOf(w.referrers, pii.Reveal(ref), func() *referrer {
		return &referrer{text: text{masked: w.text(weblog.EventReferrer, ref, mask.Referrer)}}
	})
}

func (w *Worker) page(path []byte) *page {
	return memoOf(w.pages, path, func() *page {
		return &page{text: text{masked: w.text(weblog.EventPath, pii.Of(path), mask.Path)}, asset: isAsset(path)}
	})
}

func (w *Worker) masked(t pii.Text, where mask.Where) []byte {
	return w.masker.AppendMasked(nil, t, where)
}

// assets are the endings of static files.
var assets = [][]byte{
	[]byte("css"), []byte("js"), []byte("mjs"), []byte("map"), []byte("png"), []byte("jpg"), []byte("jpeg"), []byte("gif"), []byte("svg"),
	[]byte("ico"), []byte("webp"), []byte("avif"), []byte("bmp"), []byte("woff"), []byte("woff2"), []byte("ttf"), []byte("eot"), []byte("otf"),
	[]byte("mp4"), []byte("webm"), []byte("mp3"),
}

// isAsset tells whether a path names a static file, by its ending, or one that
// only programs ask for.
func isAsset(path []byte) bool {
	name := path[bytes.LastIndexByte(path, '/')+1:]
	if string(name) == "robots.txt" {
		return true
	}
	dot := bytes.LastIndexByte(name, '.')
	if dot < 0 {
		return false
	}
	ending := bytes.ToLower(name[dot+1:])
	for _, a := range assets {
		if bytes.Equal(ending, a) {
			return true
		}
	}
	return false
}
