package clickevents

import (
	"net/netip"

	"millrace/schemas/clickstream"
	"millrace/schemas/pii"
	"millrace/transforms/mask"
)

// Fields are the columns of events that a policy can set. Sessions, funnels, products
// and the rest are made of masked events, so that they follow.
func Fields() mask.Fields {
	return mask.Fields{
		"client_ip": mask.Class(mask.IP), "user_id": mask.User, "transaction_id": mask.User,
		"os": mask.Text, "browser": mask.Text, "language": mask.Text, "page_host": mask.Text, "page_path": mask.Text, "page_query": mask.Text,
		"referrer": mask.Text, "search_term": mask.Text, "list": mask.Text, "coupon": mask.Text, "items": mask.Text,
		"platform": mask.None, "device": mask.None,
	}
}

// treated puts what a policy makes of a field, null when nothing of it may stay.
func (r *Rows) treated(col int, p mask.Treatment, value string) {
	r.scratch = r.masker.AppendTreated(r.scratch[:0], p, pii.Of([]byte(value)))
	if len(r.scratch) == 0 {
		r.events.PutNull(col)
		return
	}
	r.events.PutText(col, r.scratch)
}

// addr puts the network of an address, or what a policy makes of it.
func (r *Rows) addr(a netip.Addr) {
	switch p := r.policy[clickstream.EventClientIP]; {
	case !a.IsValid():
		r.events.PutNull(clickstream.EventClientIP)
	case p.Set():
		r.treated(clickstream.EventClientIP, p, a.Unmap().WithZone("").String())
	default:
		r.events.PutString(clickstream.EventClientIP, mask.TruncateAddr(a).String())
	}
}
