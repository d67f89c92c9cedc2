package accesslog

import (
	"net/netip"
	"unsafe"

	"millrace/schemas/pii"
	"millrace/schemas/weblog"
	"millrace/transforms/mask"
	"millrace/transforms/rollup"
	"millrace/transforms/security"
	"millrace/transforms/sessions"
)

// visitor is what client address and user agent tell.
type visitor struct {
	sessions.Visitor      // token and its hash
	id               text // the same token
	network          text // truncated address; nil masked for a host name
	at               *location
	client           *rollup.Client // nil without reference data
	fault            error          // of looking the address up
	source           security.Source
	session          sessions.Seen
	counted          rollup.ClientSeen
	minute           rollup.MinuteSeen
}

// visitors remembers up to maxMemo of them; a full one starts anew. There are many and the
// garbage collector looks at each again and again, so they lie in slabs, their texts end to end,
// and what they are found by holds no pointers.
type visitors struct {
	places map[visitorKey]uint32
	slabs  []*[visitorSlab]visitor
	texts  []byte // the end of it is free
}

const (
	visitorSlab  = 64
	visitorTexts = 32 << 10
	longestText  = 256 // of what is mostly shorter
)

type visitorKey struct {
	addr  [16]byte
	agent uint32
	v4    bool
}

func newVisitors() visitors { return visitors{places: map[visitorKey]uint32{}} }

// add gives the place of one that is not known.
func (m *visitors) add(key visitorKey) *visitor {
	if len(m.places) >= maxMemo {
		*m = newVisitors()
	}
	n := len(m.places)
	if n == len(m.slabs)*visitorSlab {
		m.slabs = append(m.slabs, &[visitorSlab]visitor{})
	}
	m.places[key] = uint32(n)
	return m.at(uint32(n))
}

func (m *visitors) at(n uint32) *visitor { return &m.slabs[n/visitorSlab][n%visitorSlab] }

// text keeps what is appended, nil for nothing.
func (m *visitors) text(appended func(dst []byte) []byte) []byte {
	if cap(m.texts)-len(m.texts) < longestText {
		m.texts = make([]byte, 0, visitorTexts)
	}
	from := len(m.texts)
	if m.texts = appended(m.texts); len(m.texts) == from {
		return nil
	}
	return m.texts[from:len(m.texts):len(m.texts)]
}

func (w *Worker) visitor(client pii.Text, addr netip.Addr, ua pii.Text, a *agent) *visitor {
	if !addr.IsValid() || addr.Zone() != "" {
		return w.fill(&visitor{}, client, addr, ua, a)
	}
	key := visitorKey{addr.As16(), a.number, addr.Is4()}
	if n, ok := w.visitors.places[key]; ok {
		return w.visitors.at(n)
	}
	return w.fill(w.visitors.add(key), client, addr, ua, a)
}

// fill fills in a new one.
func (w *Worker) fill(v *visitor, client pii.Text, addr netip.Addr, ua pii.Text, a *agent) *visitor {
	v.id.masked = w.visitors.text(func(dst []byte) []byte { return w.masker.AppendVisitor(dst, client, ua) })
	v.Visitor = sessions.VisitorOf(unsafe.String(unsafe.SliceData(v.id.masked), len(v.id.masked))) // nobody writes there again
	if addr.IsValid() {
		v.network.masked = w.visitors.text(func(dst []byte) []byte { return w.appendNetwork(dst, addr) })
	}
	v.at = &w.look.nowhere
	if w.References != nil {
		v.at, v.fault = w.location(addr)
		v.client = w.client(a, v.at)
	}
	return v
}

// appendNetwork appends what of a client's address may stay: its network, or as the policy has it.
func (w *Worker) appendNetwork(dst []byte, addr netip.Addr) []byte {
	if p := w.policy[weblog.EventClientIP]; p.Set() {
		return w.masker.AppendTreated(dst, p, pii.Of(addr.Unmap().WithZone("").AppendTo(nil)))
	}
	return mask.TruncateAddr(addr).AppendTo(dst)
}
