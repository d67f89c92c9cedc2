package accesslog

import (
	"bytes"

	"millrace/schemas/pii"
	"millrace/schemas/weblog"
	"millrace/transforms/attribution"
	"millrace/transforms/decode"
	"millrace/transforms/mask"
	"millrace/transforms/sessions"
)

// touch is where a request comes from, as sessions take it: source, medium,
// campaign and channel, masked.
type touch struct {
	texts  []byte // as sessions.AppendTouch writes them; empty: the request says nothing
	direct bool
}

// referrer is what a referrer tells.
type referrer struct {
	text
	touch touch  // of a request without parameters of a campaign
	host  []byte // to which it went
	known bool   // whether touch is
}

// touch says where the request in hand comes from. What a page is made of is
// fetched with it, often without a referrer or by other sites: requests of static
// files say nothing, nor do those that cannot be read. Of a field that a policy masks
// otherwise than by its findings nothing is told here, either.
func (w *Worker) touch(l *decode.AccessLog, path *page, ref *referrer) *touch {
	if path == nil || path.asset {
		return &touch{}
	}
	// Most queries have no parameter of a campaign, and then the referrer decides,
	// of which there are few.
	if _, query, _ := bytes.Cut(pii.Reveal(l.Target), []byte{'?'}); len(query) > 0 && !w.policy[weblog.EventQuery].Set() {
		if t := w.Attribution.Touch(attribution.Request{Query: query}); t.Kind != attribution.Direct {
			return w.tagged(&t)
		}
	}
	if ref == nil || w.policy[weblog.EventReferrer].Set() {
		return &w.direct
	}
	if !ref.known || !bytes.Equal(ref.host, l.VHost) {
		t := w.Attribution.Touch(attribution.Request{Referrer: pii.Reveal(l.Referrer), Host: l.VHost})
		ref.touch, ref.host, ref.known = *w.newTouch(&t), append(ref.host[:0], l.VHost...), true
	}
	return &ref.touch
}

// tagged remembers the touches of campaigns and click ids. Channels follow from the
// texts.
func (w *Worker) tagged(t *attribution.Touch) *touch {
	w.key = w.key[:0]
	for _, text := range []pii.Text{t.Source, t.Medium, t.Campaign} {
		w.key = append(append(w.key, pii.Reveal(text)...), 0) // values have no control characters
	}
	return memoOf(w.campaigns, w.key, func() *touch { return w.newTouch(t) })
}

func (w *Worker) newTouch(t *attribution.Touch) *touch {
	if t.Kind == attribution.Internal {
		return &touch{}
	}
	return &touch{
		texts: sessions.AppendTouch(nil,
			w.masked(t.Source, mask.FreeText), w.masked(t.Medium, mask.FreeText), w.masked(t.Campaign, mask.FreeText), []byte(t.Channel)),
		direct: t.Kind == attribution.Direct,
	}
}
