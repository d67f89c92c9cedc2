package decode

import (
	"millrace/schemas/badrow"
	"millrace/schemas/pii"
)

// flowLog reads VPC flow logs as events without a request: the time is when the
// flow began, the client where it came from. Where it went is left out: of an
// answer that is the client, and an event has one.
type flowLog struct {
	flows  *FlowDecoder
	flow   Flow
	detail Detail
}

func newFlowLog(fields string) (*flowLog, error) {
	flows, err := NewFlowDecoder(fields)
	if err != nil {
		return nil, err
	}
	return &flowLog{flows: flows}, nil
}

// Decode implements Decoder. Rows that tell of no flow (NODATA, SKIPDATA) are no
// records.
func (l *flowLog) Decode(line []byte, into *AccessLog) (bool, badrow.Reason) {
	f := &l.flow
	skip, reason := l.flows.Decode(line, f)
	if skip || reason != badrow.None {
		return skip, reason
	}
	*into = AccessLog{Client: f.Source, Addr: f.SourceAddr, Time: f.Start, Protocol: flowProtocol(f.Protocol), Bytes: f.Bytes}
	l.detail = Detail{Took: (f.End - f.Start) * 1000, Received: -1, Result: word(f.Action), Place: word(f.Interface)}
	return false, badrow.None
}

// word is a word of a row that must be text; a row can hold anything.
func word(b []byte) pii.Text {
	if !isPlain(b) {
		return pii.Text{}
	}
	return pii.Of(b)
}

func flowProtocol(number int32) []byte {
	switch number {
	case 1:
		return []byte("ICMP")
	case 6:
		return []byte("TCP")
	case 17:
		return []byte("UDP")
	case 58:
		return []byte("ICMPv6")
	}
	return nil
}

// EventTime implements Decoder.
func (l *flowLog) EventTime(line []byte) (int64, bool) {
	skip, reason := l.flows.Decode(line, &l.flow)
	return l.flow.Start, !skip && reason == badrow.None
}

// Detail implements Decoder.
func (l *flowLog) Detail() *Detail { return &l.detail }
