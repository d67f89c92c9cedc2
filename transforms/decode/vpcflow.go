package decode

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"millrace/schemas/badrow"
	"millrace/schemas/pii"
)

// Flow is a row of a VPC flow log, named as in the Elastic Common Schema. Its
// views are valid until the next row; what a row does not have is empty, or -1.
type Flow struct {
	Start, End  int64      // Unix milliseconds: event.start, event.end
	Source      pii.Text   // source.address
	Destination pii.Text   // destination.address
	SourceAddr  netip.Addr // source.ip
	DestAddr    netip.Addr // destination.ip
	SourcePort  int32      // source.port
	DestPort    int32      // destination.port
	Protocol    int32      // network.iana_number
	Packets     int64      // network.packets
	Bytes       int64      // network.bytes
	Action      []byte     // event.action: ACCEPT, REJECT
	Account     []byte     // cloud.account.id
	Interface   []byte     // network interface
	Instance    []byte     // cloud.instance.id
	Direction   []byte     // network.direction: ingress, egress
	Region      []byte     // cloud.region
	Zone        []byte     // availability zone id
	VPC, Subnet []byte
	Flags       int32 // OR of the TCP flags
}

// flowFields is the default format, version 2.
const flowFields = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"

// flowNames are the fields of versions 2 to 5.
var flowNames = strings.Fields(flowFields + " vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type sublocation-id " +
	"pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path")

// FlowDecoder reads VPC flow logs: rows of words, the default format or those
// that a header names. It belongs to one goroutine.
type FlowDecoder struct {
	names   string
	columns []string
}

// NewFlowDecoder makes a decoder of rows with the named fields, separated by
// spaces; those of the default format when empty. Fields that later versions add
// are not read.
func NewFlowDecoder(fields string) (*FlowDecoder, error) {
	if fields == "" {
		fields = flowFields
	}
	d := &FlowDecoder{names: strings.Join(strings.Fields(fields), " "), columns: strings.Fields(fields)}
	for _, need := range []string{"start", "end"} {
		if !slices.Contains(d.columns, need) {
			return nil, fmt.Errorf("reading log format vpcflow: no field %s among %q; give the names of the header line, or none for the default format", need, d.names)
		}
	}
	return d, nil
}

// flowHeader tells whether a line is names of fields.
func flowHeader(line []byte) bool {
	words := strings.Fields(string(line[:min(len(line), 1024)]))
	known := 0
	for _, w := range words {
		if slices.Contains(flowNames, w) {
			known++
		}
	}
	return known >= 3 && known*2 > len(words)
}

// Decode reads a row. skip tells that it is a header or that there was no flow to
// log (NODATA, SKIPDATA).
func (d *FlowDecoder) Decode(line []byte, into *Flow) (skip bool, reason badrow.Reason) {
	line = bytes.TrimRight(line, " ")
	if len(line) == 0 {
		return true, badrow.None
	}
	if line[0] > '9' && flowHeader(line) {
		if string(line) != d.names {
			return false, badrow.Format
		}
		return true, badrow.None
	}
	*into = Flow{Start: -1, End: -1, SourcePort: -1, DestPort: -1, Protocol: -1, Packets: -1, Bytes: -1}
	n, rest, noData := 0, line, false
	for ; len(rest) > 0; n++ {
		word := rest
		if space := bytes.IndexByte(rest, ' '); space >= 0 {
			word, rest = rest[:space], rest[space+1:]
		} else {
			rest = nil
		}
		if n >= len(d.columns) || len(word) == 1 && word[0] == '-' {
			continue
		}
		if reason := into.set(d.columns[n], word, &noData); reason != badrow.None {
			return false, reason
		}
	}
	switch {
	case n == 1:
		return false, badrow.Format
	case n < len(d.columns):
		return false, badrow.Truncated
	case into.Start < 0 || into.End < into.Start:
		return false, badrow.Timestamp
	case into.Start < earliest:
		return false, badrow.TimeBounds
	}
	return noData, badrow.None
}

// set reads one field of a row.
func (f *Flow) set(name string, word []byte, noData *bool) badrow.Reason {
	var n *int64
	var small *int32
	most := int64(65535)
	switch name {
	case "version":
		if _, ok := number(word); !ok || len(word) > 2 {
			return badrow.Format
		}
	case "srcaddr":
		return flowAddr(word, &f.Source, &f.SourceAddr)
	case "dstaddr":
		return flowAddr(word, &f.Destination, &f.DestAddr)
	case "start", "end":
		s, ok := number(word)
		if !ok || s > 1<<40 {
			return badrow.Timestamp
		}
		if name == "start" {
			f.Start = s * secondMS
		} else {
			f.End = s * secondMS
		}
	case "packets":
		n = &f.Packets
	case "bytes":
		n = &f.Bytes
	case "srcport":
		small = &f.SourcePort
	case "dstport":
		small = &f.DestPort
	case "protocol":
		small, most = &f.Protocol, 255
	case "tcp-flags":
		small, most = &f.Flags, 255
	case "action":
		f.Action = word
	case "account-id":
		f.Account = word
	case "interface-id":
		f.Interface = word
	case "instance-id":
		f.Instance = word
	case "flow-direction":
		f.Direction = word
	case "region":
		f.Region = word
	case "az-id":
		f.Zone = word
	case "vpc-id":
		f.VPC = word
	case "subnet-id":
		f.Subnet = word
	case "log-status":
		*noData = string(word) == "NODATA" || string(word) == "SKIPDATA"
	}
	var ok bool
	switch v := int64(0); {
	case n != nil:
		if *n, ok = number(word); !ok {
			return badrow.Number
		}
	case small != nil:
		if v, ok = number(word); !ok || v > most {
			return badrow.Number
		}
		*small = int32(v)
	}
	return badrow.None
}

func flowAddr(word []byte, text *pii.Text, addr *netip.Addr) badrow.Reason {
	a, ok := readAddr(word)
	if !ok {
		return badrow.Format
	}
	*text, *addr = pii.Of(word), a
	return badrow.None
}
