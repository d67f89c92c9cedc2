package decode

import (
	"bytes"

	"millrace/schemas/pii"
)

// maxMethod bounds a method; the longest registered one has 17 letters.
const maxMethod = 24

// readRequest splits the request line, as logged, into method, target and
// protocol, or keeps it whole when it is not METHOD TARGET [PROTOCOL]: a TLS
// hello, another protocol, rubbish. "-" and nothing (the client never sent a
// request) leave all four empty.
func (p *Parser) readRequest(b []byte, into *AccessLog) {
	method, target, protocol, ok := splitRequest(b)
	if !ok {
		into.Method, into.Target, into.Protocol = nil, pii.Text{}, nil
		into.Request = p.text(b)
		return
	}
	into.Method, into.Protocol, into.Request = method, protocol, pii.Text{}
	if p.plain {
		into.Target = pii.Of(target)
	} else {
		into.Target = pii.Of(p.scratch.text(target))
	}
}

func splitRequest(b []byte) (method, target, protocol []byte, ok bool) {
	n := 0
	for n < len(b) && n <= maxMethod && methodByte[b[n]] {
		n++
	}
	if n == 0 || n > maxMethod || b[0] == '-' || b[0] == '_' || n >= len(b) || b[n] != ' ' {
		return nil, nil, nil, false
	}
	method, target = b[:n], b[n+1:]
	if last := len(target) - len(" HTTP/1.1"); last > 0 &&
		string(target[last:last+len(" HTTP/")]) == " HTTP/" && isVersion(target[last+len(" HTTP/"):]) {
		target, protocol = target[:last], target[last+1:]
	} else if last := bytes.LastIndexByte(target, ' '); last > 0 && isProtocol(target[last+1:]) {
		target, protocol = target[:last], target[last+1:]
	} else if !isSimpleTarget(target) {
		return nil, nil, nil, false
	}
	if target[0] == ' ' || target[len(target)-1] == ' ' {
		target = bytes.Trim(target, " ")
	}
	return method, target, protocol, len(target) > 0
}

// isSimpleTarget accepts the target of a request without protocol (HTTP/0.9):
// one word that is a path or an absolute URL. Two words of prose are no request.
func isSimpleTarget(b []byte) bool {
	return len(b) > 0 && bytes.IndexByte(b, ' ') < 0 &&
		(b[0] == '/' || bytes.HasPrefix(b, []byte("http://")) || bytes.HasPrefix(b, []byte("https://")))
}

// isProtocol accepts NAME/DIGIT[.DIGIT]: HTTP/2, RTSP/1.0.
func isProtocol(b []byte) bool {
	slash := bytes.IndexByte(b, '/')
	if slash < 1 || slash > 10 {
		return false
	}
	for _, c := range b[:slash] {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return isVersion(b[slash+1:])
}

func isVersion(b []byte) bool {
	switch len(b) {
	case 1:
		return b[0]-'0' <= 9
	case 3:
		return b[0]-'0' <= 9 && b[1] == '.' && b[2]-'0' <= 9
	}
	return false
}

var methodByte = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZ-_")
