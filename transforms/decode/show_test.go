package decode_test

import (
	"millrace/schemas/badrow"
	"millrace/schemas/pii"
	"millrace/transforms/decode"
)

// event is an AccessLog in plain values that outlive the parser's next line.
type event struct {
	VHost, Client, Addr, User string
	Time                      int64
	Method, Target, Protocol  string
	Request                   string
	Status                    int32
	Bytes                     int64
	Referrer, UserAgent       string
}

func show(log *decode.AccessLog) event {
	text := func(t pii.Text) string { return string(pii.Reveal(t)) }
	e := event{
		VHost:     string(log.VHost),
		Client:    text(log.Client),
		User:      text(log.User),
		Time:      log.Time,
		Method:    string(log.Method),
		Target:    text(log.Target),
		Protocol:  string(log.Protocol),
		Request:   text(log.Request),
		Status:    log.Status,
		Bytes:     log.Bytes,
		Referrer:  text(log.Referrer),
		UserAgent: text(log.UserAgent),
	}
	if log.Addr.IsValid() {
		e.Addr = log.Addr.String()
	}
	return e
}

// texts are the fields of e that must be valid UTF-8 without control characters.
func (e event) texts() []string {
	return []string{
		e.VHost, e.Client, e.User, e.Method, e.Target, e.Protocol, e.Request, e.Referrer, e.UserAgent,
	}
}

// parse reads one line with a fresh parser over a used AccessLog, so that a
// field the parser forgets to set shows.
func parse(line string, f decode.Format) (event, badrow.Reason) {
	var (
		p   decode.Parser
		log decode.AccessLog
	)
	used := `x:1 ::9 - u [01/Jan/2001:01:01:01 +0101] "M /t P/1" 999 9 "r" "a"`
	if reason := p.Parse([]byte(used), decode.VhostCombined, &log); reason != badrow.None {
		panic(reason)
	}
	log.Request = pii.Of([]byte("left over"))
	reason := p.Parse([]byte(line), f, &log)
	if reason != badrow.None {
		return event{}, reason
	}
	return show(&log), reason
}
