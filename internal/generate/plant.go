package generate

// setting is how a type of value shows in a log: as it reads where it stands
// alone, and the paths and query that carry it.
type setting struct {
	before, after string // around the value, part of what is encoded
	path          string // what comes before it in a path; none when empty
	queries       []string
	agent         string // what comes before it in a user agent
}

var settings = map[string]setting{
	"email":             {"", "", "/unsubscribe/", []string{"/newsletter?email=", "/account/verify?step=2&mail="}, "contact/"},
	"card_number":       {"", "", "/pay/", []string{"/checkout?card=", "/pay?amount=4200&pan="}, "terminal/"},
	"jwt":               {"", "", "/session/", []string{"/callback?id_token=", "/api/me?jwt="}, "Bearer "},
	"aws_access_key_id": {"", "", "/uploads/", []string{"/files?AWSAccessKeyId=", "/upload?key_id="}, "aws-key/"},
	"token": {"/cb?access_token=", "&x=1", "", []string{
		"/callback?access_token=", "/api/orders?token=", "/api/v2?api_key=", "/reset?password=", "/i?session=", "/f?sig=",
	}, "Bearer "},
	"iban":         {"", "", "/accounts/", []string{"/pay?iban=", "/transfer?amount=12&to="}, "account "},
	"us_ssn":       {"", "", "/people/", []string{"/apply?ssn=", "/search?q="}, "ssn "},
	"phone":        {"", "", "/call/", []string{"/signup?tel=", "/search?near=here&q="}, "tel:"},
	"ip_in_text":   {"", "", "/hosts/", []string{"/login?ip=", "/lookup?type=a&client="}, "from "},
	"url_password": {"https://svc:", "@files.example.net/x", "/fetch/", []string{"/fetch?from=", "/redirect?to="}, "+"},
}

// plant lets person who send the next value due.
func (f *Farm) plant(who int) {
	kind, i := f.canaries.planted%len(canaryTypes), f.canaries.planted/len(canaryTypes)
	f.canaries.planted++
	name, value := canaryTypes[kind].name, f.canaries.value(kind, i)
	q := request{planted: value, who: int32(who), server: uint16(f.rng.n(f.cfg.Servers)), method: "GET", target: f.target[:0], proto: "HTTP/1.1", status: 200, size: 5120, page: true}
	switch name {
	case "user":
		q.user = value
		q.target = append(q.target, "/team/reports/7"...)
	case "client_address":
		q.addr = value
		q.target = append(q.target, "/product/1"...)
	default:
		f.place(&q, name, value, i)
	}
	f.target = q.target
	f.send(&q)
}

// place puts the i-th value of a type somewhere: each place in turn, each
// encoding in turn.
func (f *Farm) place(q *request, name, value string, i int) {
	s := settings[name]
	times := [...]int{0, 1, 0, 1, 2}[i/4%5]
	whole := s.before + value + s.after
	query := s.queries[i/4%len(s.queries)]
	where := i % 4
	if f.cfg.Format == Common && where > 1 { // no referrer and no agent to stand in
		where -= 2
	}
	if f.cfg.Format == ALB && where == 2 { // no referrer
		where = 1
	}
	if where == 0 && s.path == "" {
		where = 1
	}
	switch where {
	case 0:
		q.target = append(q.target, s.path...)
		q.target = appendEncoded(q.target, whole, times)
	case 1:
		q.target = appendQuery(q.target, query, value, whole, s.before, times)
	case 2:
		q.target = append(q.target, "/product/1"...)
		f.ref = appendQuery(append(f.ref[:0], "https://partner.example.net"...), query, value, whole, s.before, times)
		q.referrer = f.ref
	case 3:
		q.target = append(q.target, "/product/1"...)
		q.agent = browsers[i/4%len(browsers)] + " " + s.agent
		if name == "token" {
			q.agent += value
		} else {
			q.agent += whole
		}
	}
}

// appendQuery writes the value as the parameter of a query. A token that is
// encoded goes inside the address of the next page, with the name that makes it
// one.
func appendQuery(dst []byte, query, value, whole, before string, times int) []byte {
	switch {
	case before == "" || before[0] == '/' && times == 0:
		dst = append(dst, query...)
		return appendEncoded(dst, value, times)
	case before[0] == '/':
		query = "/go?next="
	}
	dst = append(dst, query...)
	return appendEncoded(dst, whole, times)
}
