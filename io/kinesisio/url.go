package kinesisio

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"millrace/io/driver"
)

// place is a stream. Accepted forms:
//
//	kinesis://NAME?region=eu-west-1
//	kinesis://arn:aws:kinesis:REGION:ACCOUNT:stream/NAME
//
// with parameters behind a question mark. A name means the account of the
// credentials and, without the parameter region, the region of the AWS
// configuration; only an ARN can name a stream of another account.
type place struct {
	*driver.URL
	name   string
	arn    string // empty when the place is given by name
	region string // of the URL; empty when it names none
}

// parsePlace reads a place and its parameter region.
func parsePlace(raw string) (place, error) {
	rest, ok := strings.CutPrefix(raw, "kinesis://")
	if ok && strings.HasPrefix(rest, "arn:") {
		return parseARN(rest)
	}
	u, err := driver.ParseURL(raw)
	if err != nil {
		return place{}, err
	}
	switch {
	case u.Scheme != "kinesis":
		return place{}, badPlace(u.String(), "the scheme "+u.Scheme+" is unknown here", "write kinesis://NAME")
	case u.Host == "":
		return place{}, badPlace(u.String(), "the name of the stream is missing", "write kinesis://NAME")
	case strings.Trim(u.Path, "/") != "":
		return place{}, badPlace(u.String(), "a stream has no path", "write kinesis://"+u.Host)
	case !isStreamName(u.Host):
		return place{}, badPlace(u.String(), "the name is not one of a stream", "use 1 to 128 letters, digits, dots, hyphens and underscores")
	}
	return place{URL: u, name: u.Host, region: u.Text("region", "")}, nil
}

// maxARN is more bytes than an ARN and parameters have.
const maxARN = 16 << 10

// parseARN reads a place given by ARN, whose colons no URL may have there.
func parseARN(rest string) (place, error) {
	if len(rest) > maxARN {
		return place{}, badPlace("kinesis://arn:...", fmt.Sprintf("it has %d bytes, and an ARN with its parameters has %d at most", len(rest), maxARN), "see what was given in its place")
	}
	text, params, _ := strings.Cut(rest, "?")
	cure := "write kinesis://arn:aws:kinesis:REGION:ACCOUNT:stream/NAME"
	a, err := arn.Parse(text)
	if err != nil {
		return place{}, badPlace("kinesis://arn:...", "the ARN has too few parts", cure)
	}
	name, ok := strings.CutPrefix(a.Resource, "stream/")
	if !ok || a.Service != "kinesis" || !isStreamName(name) || a.Region == "" {
		return place{}, badPlace("kinesis://"+text, "this is not the ARN of a Kinesis stream", cure)
	}
	u, err := driver.ParseURL("kinesis://" + name + "?" + params)
	if err != nil {
		return place{}, err
	}
	p := place{URL: u, name: name, arn: text, region: u.Text("region", a.Region)}
	if p.region != a.Region {
		return place{}, badPlace("kinesis://"+text, "the ARN and region="+p.region+" contradict each other", "leave region out")
	}
	return p, nil
}

// String names the stream as the URL did, without parameters.
func (p place) String() string {
	if p.arn != "" {
		return "kinesis://" + p.arn
	}
	return "kinesis://" + p.name
}

// target is the place as the calls of the API take it: by name or by ARN.
func (p place) target() (streamName, streamARN *string) {
	if p.arn != "" {
		return nil, aws.String(p.arn)
	}
	return aws.String(p.name), nil
}

func isStreamName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if digit := '0' <= c && c <= '9'; !letter && !digit && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return 1 <= len(s) && len(s) <= 128
}

func badPlace(object, what, cure string) error {
	return &driver.Error{Doing: "read the place", Object: object, Class: driver.ErrInvalid, Cause: errors.New(what), Cure: cure}
}
