package kinesisio

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// What an answer may be. A server that claims or sends more is none of Kinesis, and
// must not decide how much memory a worker takes.
const (
	// maxAnswer bounds the bytes of any answer: the largest has 10 MiB of data, a third
	// more in base64, and 10,000 sequence numbers and partition keys.
	maxAnswer = 64 << 20
	// maxAnswerRecords is the most that a call may ask for.
	maxAnswerRecords = 10_000
)

var (
	errAnswerLong = errors.New("the answer is longer than any of the service's")
	errAnswerMany = errors.New("the answer has more records than a call can ask for")
)

// quickAnswers reads the answers to calls for records, of megabytes of base64 in
// JSON, without copying their data twice: the SDK's own reading costs three times
// as much. It takes the form that the service writes; any other answer, and every
// other call, is the SDK's.
type quickAnswers struct{ smithyhttp.ClientProtocol }

// answerBuffer is a context's key of an *[]byte that holds an answer. Its records
// are views of it, so it may be used again when they are done with.
type answerBuffer struct{}

func (q quickAnswers) DeserializeResponse(ctx context.Context, schema *smithy.OperationSchema, registry *smithy.TypeRegistry, resp *smithyhttp.Response, out smithy.Deserializable) error {
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxAnswer}
	buffer, given := ctx.Value(answerBuffer{}).(*[]byte)
	records, asked := out.(*kinesis.GetRecordsOutput)
	if !given || !asked || resp.StatusCode != http.StatusOK {
		return q.ClientProtocol.DeserializeResponse(ctx, schema, registry, resp, out)
	}
	text, err := readInto(*buffer, resp.Body, resp.ContentLength)
	if err != nil {
		return &smithy.DeserializationError{Err: err}
	}
	*buffer = text
	p := answerParser{in: text}
	if p.records(records); !p.failed && p.decode(records.Records) {
		return nil
	}
	*records = kinesis.GetRecordsOutput{}
	if p.many {
		return &smithy.DeserializationError{Err: errAnswerMany}
	}
	if p.decoded { // in place, so the answer is no more
		return &smithy.DeserializationError{Err: base64.CorruptInputError(0)}
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
	return q.ClientProtocol.DeserializeResponse(ctx, schema, registry, resp, out)
}

// boundedBody gives so many bytes of an answer, and an error where it has more.
type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return n - 1, errAnswerLong
	}
	return n, err
}

// readInto reads all of r into a buffer, a larger one if need be. Size is how long
// the server says that it is, and is believed up to maxAnswer.
func readInto(buffer []byte, r io.Reader, size int64) ([]byte, error) {
	buffer = buffer[:0]
	if size >= int64(cap(buffer)) && size <= maxAnswer {
		buffer = make([]byte, 0, size+size/4+512)
	}
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := r.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if err == io.EOF {
			return buffer, nil
		}
		if err != nil {
			return buffer, err
		}
	}
}

// answerParser reads JSON as far as an answer needs it: it fails where a string
// that matters has an escape.
type answerParser struct {
	in      []byte
	at      int
	failed  bool
	many    bool // it has more than maxAnswerRecords
	decoded bool
}

// records reads an answer; the data of records is still base64.
func (p *answerParser) records(out *kinesis.GetRecordsOutput) {
	p.object(func(key []byte) {
		switch string(key) {
		case "Records":
			p.array(func() {
				if p.many = p.many || len(out.Records) == maxAnswerRecords; p.many {
					p.failed = true
					return
				}
				out.Records = append(out.Records, p.record())
			})
		case "NextShardIterator":
			out.NextShardIterator = p.text()
		case "MillisBehindLatest":
			n, err := strconv.ParseInt(string(p.scalar()), 10, 64)
			p.failed = p.failed || err != nil
			out.MillisBehindLatest = &n
		default:
			p.skip()
		}
	})
	p.space()
	p.failed = p.failed || p.at != len(p.in)
}

func (p *answerParser) record() (r types.Record) {
	p.object(func(key []byte) {
		switch string(key) {
		case "Data":
			r.Data = p.plain()
		case "SequenceNumber":
			r.SequenceNumber = p.text()
		case "ApproximateArrivalTimestamp":
			seconds, err := strconv.ParseFloat(string(p.scalar()), 64)
			p.failed = p.failed || err != nil || !(0 <= seconds && seconds < 1<<32)
			at := time.UnixMilli(int64(seconds * 1000)) // as the SDK does
			r.ApproximateArrivalTimestamp = &at
		default: // nobody asks for the partition key
			p.skip()
		}
	})
	return r
}

// decode turns the data of records into what it stands for, in place.
func (p *answerParser) decode(records []types.Record) bool {
	for i := range records {
		n, err := base64.StdEncoding.Decode(records[i].Data, records[i].Data)
		p.decoded = true
		if err != nil {
			return false
		}
		records[i].Data = records[i].Data[:n:n]
	}
	return true
}

func (p *answerParser) space() {
	for p.at < len(p.in) && (p.in[p.at] == ' ' || p.in[p.at] == '\n' || p.in[p.at] == '\t' || p.in[p.at] == '\r') {
		p.at++
	}
}

// take takes a byte, if it is the next one.
func (p *answerParser) take(c byte) bool {
	p.space()
	if p.failed || p.at >= len(p.in) || p.in[p.at] != c {
		return false
	}
	p.at++
	return true
}

func (p *answerParser) need(c byte) {
	if !p.take(c) {
		p.failed = true
	}
}

// object reads an object; member reads a value.
func (p *answerParser) object(member func(key []byte)) {
	p.need('{')
	if p.take('}') {
		return
	}
	for !p.failed {
		key := p.plain()
		p.need(':')
		if p.failed {
			return
		}
		member(key)
		if p.take('}') {
			return
		}
		p.need(',')
	}
}

func (p *answerParser) array(element func()) {
	p.need('[')
	if p.take(']') {
		return
	}
	for !p.failed {
		element()
		if p.take(']') {
			return
		}
		p.need(',')
	}
}

// plain reads a string without escapes, as a view.
func (p *answerParser) plain() []byte {
	p.need('"')
	if p.failed {
		return nil
	}
	n := bytes.IndexByte(p.in[p.at:], '"')
	if n < 0 || bytes.IndexByte(p.in[p.at:p.at+n], '\\') >= 0 {
		p.failed = true
		return nil
	}
	s := p.in[p.at : p.at+n]
	p.at += n + 1
	return s
}

// text reads a string without escapes, or null.
func (p *answerParser) text() *string {
	p.space()
	if bytes.HasPrefix(p.in[p.at:], []byte("null")) {
		p.at += len("null")
		return nil
	}
	s := string(p.plain())
	return &s
}

// scalar reads a number or a word.
func (p *answerParser) scalar() []byte {
	p.space()
	from := p.at
	for p.at < len(p.in) && bytes.IndexByte([]byte(" \n\t\r,]}"), p.in[p.at]) < 0 {
		p.at++
	}
	return p.in[from:p.at]
}

// skip passes over any value.
func (p *answerParser) skip() {
	p.space()
	depth := 0
	for p.at < len(p.in) && !p.failed {
		switch c := p.in[p.at]; c {
		case '"':
			p.quoted()
		case '{', '[':
			depth++
			p.at++
		case '}', ']':
			depth--
			p.at++
		case ' ', '\n', '\t', '\r', ',', ':':
			p.at++
		default:
			p.scalar()
		}
		if depth <= 0 {
			return
		}
	}
	p.failed = true
}

// quoted passes over a string.
func (p *answerParser) quoted() {
	for p.at++; p.at < len(p.in); p.at++ {
		switch p.in[p.at] {
		case '\\':
			p.at++
		case '"':
			p.at++
			return
		}
	}
	p.failed = true
}
