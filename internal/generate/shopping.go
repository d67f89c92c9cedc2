package generate

import "strconv"

// startPerson lets one of the people come, or come back: those with low numbers
// often.
func (f *Farm) startPerson() {
	r := &f.rng
	who := r.logUniform(64, f.cfg.Visitors)
	v := visit{
		kind: person, who: int32(who), left: 1,
		source: uint8(r.n(len(sources))), cached: r.n(3) != 0,
	}
	if !r.oneIn(5) || isStaff(who) { // the others leave at once
		v.left += int32(1 + r.exp()*5>>16)
	}
	switch x := r.n(100); {
	case isStaff(who):
		v.page, v.source = f.newPage(team), 0
	case x < 15:
		v.campaign = uint8(1 + r.n(len(campaigns)))
		v.page = f.newPage(product)
	case x < 50:
		v.page = f.newPage(home)
	case x < 80:
		v.page = f.newPage(product)
	case x < 90:
		v.page = f.newPage(category)
	default:
		v.page = f.newPage(blog)
	}
	v.prev = page{kind: external}
	plan := 3 * int(v.left)
	if !v.cached {
		plan += 4
	}
	f.enter(v, plan)
}

// stepPerson loads a page, or what it needs.
func (f *Farm) stepPerson(v *visit) (wait int) {
	r := &f.rng
	if v.assets > 0 {
		f.loadAssets(v)
		if v.left == 0 {
			return over
		}
		v.prev, v.page = v.page, f.follow(v.page.kind)
		return f.think()
	}
	if !v.posted && f.post(v) {
		v.posted = true
		return 0
	}
	v.posted = false
	f.personPage(v)
	v.left--
	v.assets = uint8(1 + r.n(3))
	if !v.cached {
		v.assets = uint8(r.between(4, len(assets)))
	}
	return r.n(2)
}

// think is the time between two pages: half a minute, sometimes a phone call,
// rarely so long that the session is over.
func (f *Farm) think() int {
	switch x := f.rng.n(100); {
	case x == 0 && f.rng.oneIn(4): // as long as the gap of a session, to the second
		return f.rng.between(gapSeconds-1, gapSeconds+1)
	case x == 0:
		return f.rng.between(1700, 3600)
	case x < 4:
		return f.rng.between(300, 1700)
	}
	return f.rng.wait(30, 600)
}

// post sends the form that leads to the page, if one does.
func (f *Farm) post(v *visit) bool {
	q := f.personRequest(v)
	q.method, q.status, q.size = "POST", 302, 0
	switch {
	case v.page.kind == cart && v.prev.kind == product:
		q.target = append(q.target[:0], "/cart/add?sku="...)
		q.target = strconv.AppendUint(q.target, uint64(v.prev.id), 10)
		q.status = 303
	case v.page.kind == order:
		q.target = append(q.target[:0], "/checkout"...)
	case v.page.kind == account && v.prev.kind == login:
		q.target = append(q.target[:0], "/login"...)
		if f.rng.oneIn(12) { // a mistyped password, and at once the right one
			q.status, q.size = 401, 1932
			f.target = q.target
			f.send(&q)
			q.status, q.size = 302, 0
		}
	default:
		return false
	}
	f.target = q.target
	f.send(&q)
	return true
}

// personRequest begins a request of a visit: who, where and with what referrer.
func (f *Farm) personRequest(v *visit) request {
	q := request{who: v.who, server: f.elsewhere(v), method: "GET", target: f.target[:0], proto: "HTTP/1.1", page: true}
	if mix(uint64(v.who))&3 == 0 {
		q.proto = "HTTP/2.0"
	}
	switch {
	case v.prev.kind != external:
		f.ref = v.prev.appendTo(append(f.ref[:0], site...))
	case v.campaign > 0:
		f.ref = append(f.ref[:0], campaigns[v.campaign-1].referrer...)
	default:
		f.ref = append(f.ref[:0], sources[v.source]...)
	}
	q.referrer = f.ref
	return q
}

// personPage requests the page of a visit. A value of personal data that is due
// travels with it.
func (f *Farm) personPage(v *visit) {
	if f.canaries.due(f.written) && v.page.kind != team {
		f.plant(int(v.who))
		return
	}
	q := f.personRequest(v)
	q.target = v.page.appendTo(q.target)
	if v.campaign > 0 && v.prev.kind == external {
		q.target = append(append(q.target, '?'), campaigns[v.campaign-1].query...)
	}
	f.target = q.target
	q.size = v.page.size()
	x := f.rng.n(1000)
	q.status = f.failing(&q.size)
	switch {
	case q.status != 0:
	case x < 2:
		q.status, q.size = 500+2*x, 611
	case x < 14:
		q.status, q.size = 404, 4123
	case x < 18:
		q.status, q.size = 301, 178
	case x < 60:
		q.status, q.size = 304, -1
	case x < 62: // the live chat
		q.target, q.status, q.size, q.page = append(q.target[:0], "/chat"...), 101, -1, false
		q.proto = "HTTP/1.1"
	case x < 65:
		q.method, q.size = "HEAD", -1
		q.status = 200
	default:
		q.status = 200
	}
	f.send(&q)
}

// failing is the status of a request that an incident spoils, else 0.
func (f *Farm) failing(size *int64) int {
	if i := f.truth.current; i == nil || f.rng.n(100) >= i.FailPercent {
		return 0
	}
	*size = 497
	return [...]int{503, 503, 502, 504, 500}[f.rng.n(5)]
}

// loadAssets requests the files of the page, all in this second.
func (f *Farm) loadAssets(v *visit) {
	q := request{who: v.who, server: f.elsewhere(v), method: "GET", proto: "HTTP/1.1"}
	if mix(uint64(v.who))&3 == 0 {
		q.proto = "HTTP/2.0"
	}
	f.ref = v.page.appendTo(append(f.ref[:0], site...))
	q.referrer = f.ref
	for i := range int(v.assets) {
		q.target = f.target[:0]
		if i == 0 && v.page.kind == product {
			q.target = append(q.target, "/img/product/"...)
			q.target = strconv.AppendUint(q.target, uint64(v.page.id), 10)
			q.target = append(q.target, "-large.jpg"...)
			q.size = 20_000 + int64(mix(uint64(v.page.id))%180_000)
		} else {
			a := &assets[i%len(assets)]
			q.target, q.size = append(q.target, a.path...), a.size
		}
		f.target = q.target
		q.status = 200
		if s := f.failing(&q.size); s != 0 && f.rng.oneIn(2) {
			q.status = s
		} else if v.cached && f.rng.n(3) > 0 {
			q.status, q.size = 304, -1
		}
		if !f.open() {
			break
		}
		f.send(&q)
	}
	v.assets = 0
	v.cached = true
}
