package decode

import (
	"bytes"
	"fmt"
	"strings"

	"millrace/schemas/badrow"
	"millrace/schemas/pii"
)

// Decoder reads the lines of one kind of web log into events. It belongs to one
// goroutine.
type Decoder interface {
	// Decode reads a line without its end. skip tells that it is no record (a
	// header, a comment); else the reason is badrow.None or why it is no event.
	// Views in the event are valid until the next line.
	Decode(line []byte, into *AccessLog) (skip bool, reason badrow.Reason)
	// EventTime reads only the time, in Unix milliseconds; sources use it for
	// watermarks. Whenever Decode makes an event of the line, ok is true and ms is
	// the event's Time.
	EventTime(line []byte) (ms int64, ok bool)
	// Detail is what the last event had beyond an AccessLog.
	Detail() *Detail
}

// Detail is what some logs say beyond an AccessLog. What a line does not have is
// empty, or -1.
type Detail struct {
	Took       int64    // microseconds from request to the last byte; -1 unknown
	Received   int64    // bytes of the request; -1 unknown
	Forwarded  pii.Text // X-Forwarded-For as logged: one address or several
	Target     int32    // status that what stands behind answered with; 0 unknown
	RequestID  pii.Text // trace id of a load balancer, or what else names the request
	Result     pii.Text // of an edge cache, a load balancer's actions, or what became of a flow
	Place      pii.Text // edge location, name of the load balancer, or network interface
	TLSVersion pii.Text
	TLSCipher  pii.Text
}

// Spec names a decoder and what it must know of a source. As text it is a name,
// and after a space what the name calls for:
//
//	common combined vhost_combined
//	cloudfront [FIELDS]    names of #Fields, if not those of today
//	alb                    application load balancer, classic ones too
//	nginx LOG_FORMAT       as in the server's configuration, in one line
//	json MAPPING           fields and where they are, "event = place" separated by ";"
//	apigateway             json with the mapping of API Gateway's example
//	vpcflow [FIELDS]       network flows, as events without a request
//
// It travels in record.Block.Format, so that every block of a file is read
// alike, wherever the file's header was.
type Spec struct{ Name, Rest string }

// ParseSpec is the inverse of String. It checks no more than the name; see Open.
func ParseSpec(s string) (Spec, error) {
	name, rest, _ := strings.Cut(s, " ")
	spec := Spec{name, rest}
	for _, known := range SpecNames() {
		if name == known {
			return spec, nil
		}
	}
	return Spec{}, fmt.Errorf("reading log format %q: want one of %s", name, strings.Join(SpecNames(), ", "))
}

// SpecNames lists the formats by name.
func SpecNames() []string {
	return []string{"common", "combined", "vhost_combined", "cloudfront", "alb", "nginx", "json", "apigateway", "vpcflow"}
}

// String is the text of a spec. A log_format can begin and end with spaces.
func (s Spec) String() string {
	if s.Rest == "" {
		return s.Name
	}
	return s.Name + " " + s.Rest
}

// Open makes the decoder of a web log.
func (s Spec) Open() (Decoder, error) {
	switch s.Name {
	case "cloudfront":
		return NewCloudFront(s.Rest)
	case "alb":
		return NewALB(), nil
	case "nginx":
		return NewLogFormat(s.Rest)
	case "json":
		m, err := ParseMapping("format json", []byte(strings.ReplaceAll(s.Rest, ";", "\n")))
		if err != nil {
			return nil, err
		}
		return NewJSONLines(m), nil
	case "apigateway":
		return NewJSONLines(APIGateway()), nil
	case "vpcflow":
		return newFlowLog(s.Rest)
	}
	f, err := ParseFormat(s.Name)
	if err != nil {
		return nil, err
	}
	return &apache{format: f, detail: Detail{Took: -1, Received: -1}}, nil
}

// apache is the Decoder of the formats that Parser reads.
type apache struct {
	Parser
	format Format
	detail Detail
}

func (a *apache) Decode(line []byte, into *AccessLog) (bool, badrow.Reason) {
	return false, a.Parse(line, a.format, into)
}

// EventTime implements Decoder.
func (a *apache) EventTime(line []byte) (int64, bool) { return EventTime(line) }

func (a *apache) Detail() *Detail { return &a.detail }

// DetectSpec tells the format of a file from its first bytes: by a header where
// the format has one, else by which decoder reads most of the first lines. It is
// empty when none reads any. Formats that need a configuration (nginx, json) are
// never told by their looks.
func DetectSpec(head []byte) Spec {
	head = whole(head)
	for lines := NewLines(TrimMark(head), 0); ; {
		line, _, ok := lines.Next()
		if !ok {
			break
		}
		if fields, ok := cutFields(line); ok {
			return Spec{"cloudfront", unlessUsual(fields, cloudFrontFields)}
		}
		if bytes.HasPrefix(line, albTrial) {
			return Spec{Name: "alb"}
		}
		if flowHeader(line) {
			return Spec{"vpcflow", unlessUsual(string(bytes.TrimSpace(line)), flowFields)}
		}
		if len(line) > 0 && line[0] != '#' {
			break
		}
	}
	best, most := Spec{}, 0
	if n := votes(head, NewALB()); n > most {
		best, most = Spec{Name: "alb"}, n
	}
	if n := votes(head, NewJSONLines(APIGateway())); n > most {
		best, most = Spec{Name: "apigateway"}, n
	}
	flow, _ := NewFlowDecoder("")
	if n := flowVotes(head, flow); n > most {
		best, most = Spec{Name: "vpcflow"}, n
	}
	if f := Detect(head); f != Unknown {
		if n := votes(head, &apache{format: f}); n > most {
			best, most = Spec{Name: f.String()}, n
		}
	}
	if cf, _ := NewCloudFront(""); votes(head, cf) > most {
		best = Spec{Name: "cloudfront"}
	}
	return best
}

// whole is the part of a file's first bytes that counts: up to 64 KiB, without a
// last line that may be cut unless it is alone.
func whole(head []byte) []byte {
	if len(head) > detectBytes {
		head = head[:detectBytes]
	}
	if end := bytes.LastIndexByte(head, '\n'); end >= 0 {
		head = head[:end+1]
	}
	return head
}

func unlessUsual(fields, usual string) string {
	if fields == usual {
		return ""
	}
	return fields
}

// maxVotes is how many lines are tried for detection.
const maxVotes = 50

func votes(head []byte, d Decoder) (n int) {
	var log AccessLog
	lines := NewLines(head, 0)
	for range maxVotes {
		line, _, ok := lines.Next()
		if !ok {
			break
		}
		if skip, reason := d.Decode(line, &log); !skip && reason == badrow.None {
			n++
		}
	}
	return n
}

func flowVotes(head []byte, d *FlowDecoder) (n int) {
	var f Flow
	lines := NewLines(head, 0)
	for range maxVotes {
		line, _, ok := lines.Next()
		if !ok {
			break
		}
		if _, reason := d.Decode(line, &f); len(line) > 0 && reason == badrow.None {
			n++
		}
	}
	return n
}
