package generate

import "strconv"

// startCrawl lets an honest crawler read a part of the site.
func (f *Farm) startCrawl() {
	pages := f.rng.between(10, 40+int(min(260, f.budget.granted/1000)))
	who := f.cfg.Visitors + f.crawlers + f.rng.n(len(crawlers)*crawlerHosts)
	f.spent.bots += int64(pages)
	f.enter(visit{kind: crawler, who: int32(who), left: int32(pages), prev: page{kind: external}}, pages)
}

// stepCrawl reads robots.txt, then pages, politely.
func (f *Farm) stepCrawl(v *visit) (wait int) {
	if v.prev.kind == external {
		v.prev = page{}
		f.fetch(v, "/robots.txt", false, 129)
	} else {
		f.crawlPage(v)
	}
	if v.left--; v.left == 0 {
		return over
	}
	return f.rng.wait(6, 120)
}

// crawlPage reads a page evenly chosen, as crawlers do that follow every link.
func (f *Farm) crawlPage(v *visit) {
	p := page{kind: product, id: uint32(f.rng.n(products))}
	switch f.rng.n(6) {
	case 0:
		p = f.newPage(category)
	case 1:
		p = page{kind: blog, id: uint32(f.rng.n(articles))}
	}
	f.target = p.appendTo(f.target[:0])
	f.fetch(v, "", true, p.size())
}

// fetch requests path, or f.target, without referrer.
func (f *Farm) fetch(v *visit, path string, isPage bool, size int64) {
	if path != "" {
		f.target = append(f.target[:0], path...)
	}
	q := request{who: v.who, server: f.elsewhere(v), method: "GET", target: f.target, proto: "HTTP/1.1", size: size, page: isPage, bot: true}
	if q.status = f.failing(&q.size); q.status == 0 {
		switch x := f.rng.n(100); {
		case x < 3:
			q.status, q.size = 404, 4123
		case x < 15:
			q.status, q.size = 304, -1
		default:
			q.status = 200
		}
	}
	f.send(&q)
}

// startRegulars opens the visits that last as long as the run. In a log of a few
// lines an hour they would be all there is, so there they stay away.
func (f *Farm) startRegulars() {
	if f.budget.mean < 1.0/80 {
		return
	}
	for i := range f.crawlers {
		f.enter(visit{kind: regular, who: int32(f.cfg.Visitors + i), left: 1}, 0)
	}
}

// firstRound is how long after the start the regulars begin, in seconds. The hour
// after a midnight is avoided: whether a chain that begins there spans the whole
// day depends on what counts as its beginning, and the truth should not.
func (f *Farm) firstRound() int64 {
	const quiet = 3600
	if f.cfg.seconds() < 6*quiet {
		return 0
	}
	midnight := (86400 - f.cfg.Start.Unix()%86400) % 86400
	if midnight == 0 || midnight > 2*quiet {
		return quiet
	}
	return midnight + quiet
}

// stepRegular polls, or reads one more page.
func (f *Farm) stepRegular(v *visit) (wait int) {
	if begin := f.firstRound(); f.second < begin {
		return int(min(begin-f.second, slots-1))
	}
	v.left++
	if int(v.who) == f.cfg.Visitors {
		f.crawlPage(v)
		return f.rng.wait(f.period(20), 1200)
	}
	q := request{who: v.who, server: f.elsewhere(v), method: "HEAD", proto: "HTTP/1.1", status: 200, size: -1, bot: true, page: true}
	f.target = append(f.target[:0], '/')
	if v.left%5 == 0 {
		q.method, q.size = "GET", 2
		f.target = append(f.target, "healthz?n="...)
		f.target = strconv.AppendUint(f.target, uint64(v.left/5), 10)
	}
	q.target = f.target
	if s := f.failing(&q.size); s != 0 {
		q.status = s
	}
	f.send(&q)
	return f.period(60)
}

// period stretches the time between two rounds where traffic is so thin that the
// regulars would be most of it. It stays below a session's gap.
func (f *Farm) period(seconds int) int {
	return int(min(1200, max(float64(seconds), float64(seconds)/2/f.budget.mean)))
}
