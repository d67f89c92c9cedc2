package jobs

import (
	"fmt"

	"millrace/transforms/authlog"
	"millrace/transforms/clickevents"
	"millrace/transforms/decode"
	"millrace/transforms/device"
)

// eventTime reads the event time of a record that arrived at a time.
type eventTime = func(record []byte, arrival int64) (ms int64, ok bool)

// whenever is of a format whose records have all of their time in them.
func whenever(read func(record []byte) (ms int64, ok bool)) eventTime {
	return func(record []byte, _ int64) (int64, bool) { return read(record) }
}

// weblogFormats are what weblogs reads.
var weblogFormats = []Format{
	{"common", "Apache's common log"},
	{"combined", "the same with referrer and user agent; nginx's default"},
	{"vhost_combined", "combined behind the name of the virtual host"},
	{"cloudfront", "standard logs of Amazon CloudFront, by their #Fields line; of rows without one: cloudfront FIELD FIELD ..."},
	{"alb", "access logs of Application and Classic Load Balancers"},
	{"nginx", "any log_format of nginx: nginx@/etc/nginx/nginx.conf, nginx@FILE#NAME, or nginx and its text; never detected"},
	{"json", "one JSON object a line by a mapping file: json@mapping.yaml; members it does not name are not read; never detected"},
	{"apigateway", "JSON access logs of Amazon API Gateway, as its documentation has them"},
	{"vpcflow", "flows of a VPC, versions 2 to 5, as events without method and path; only where asked for"},
}

func readFormat(text string, read func(file string) ([]byte, error)) (string, error) {
	spec, err := decode.Given(text, read)
	return spec.String(), err
}

func inspect(head []byte, given string) (Inspected, error) {
	spec := decode.Spec{}
	if given != "" {
		var err error
		if spec, err = decode.ParseSpec(given); err != nil {
			return Inspected{}, err
		}
	}
	i, err := decode.Inspect(head, spec)
	return Inspected{Format: i.Spec.String(), Near: i.Near, Note: i.Note}, err
}

// clickFormats are what clickstream reads.
var clickFormats = []Format{{clickevents.Format, "one JSON object a line, an event of a shop"}}

func readClickFormat(text string, _ func(file string) ([]byte, error)) (string, error) {
	if text != clickevents.Format {
		return "", fmt.Errorf("reading format %q: want %s, which is all that there is", text, clickevents.Format)
	}
	return text, nil
}

func inspectClicks(head []byte, given string) (Inspected, error) {
	format, near := clickevents.Detect(head)
	if given != "" {
		format = given
	}
	return Inspected{Format: format, Near: near}, nil
}

// deviceFormats are what devices reads.
var deviceFormats = []Format{
	{"json", "one JSON object a line: event_time, device_id, code, value and more; other names and constants as json time=@timestamp device=sensor.id code:=temperature"},
	{"csv", "a table with a header line of the same names; others as csv time=timestamp device:=room1 code:=temperature unit:=[degF] zone:=+00:00"},
	{"fhir", "bulk export of FHIR Observations (NDJSON), those with one quantity or whole number"},
}

func readDeviceFormat(text string, _ func(file string) ([]byte, error)) (string, error) {
	s, err := device.ParseSpec(text)
	return s.String(), err
}

func inspectDevices(head []byte, given string) (i Inspected, err error) {
	var spec device.Spec
	if given != "" {
		if spec, err = device.ParseSpec(given); err != nil {
			return Inspected{}, err
		}
	}
	spec, near, note, err := device.Inspect(head, spec)
	return Inspected{Format: spec.String(), Near: near, Note: note}, err
}

func deviceEventTime(format string) func(record []byte) (ms int64, ok bool) {
	none := func([]byte) (int64, bool) { return 0, false }
	spec, err := device.ParseSpec(format)
	if err != nil {
		return none
	}
	d, err := spec.Open()
	if err != nil {
		return none
	}
	return d.EventTime
}

// authFormats are what authlogs reads.
var authFormats = []Format{
	{authlog.Format, "lines of syslog, with a year or without; of files whose lines have none: syslog until=2026-03-31, a day on which the log has ended, and zone=+01:00 where the clock is not UTC's"},
}

func readAuthFormat(text string, _ func(file string) ([]byte, error)) (string, error) {
	s, err := authlog.ParseSpec(text)
	return s.String(), err
}

func inspectAuth(head []byte, given string) (Inspected, error) {
	spec, err := authlog.ParseSpec(given)
	if err != nil {
		return Inspected{}, err
	}
	near, note, err := authlog.Inspect(head, spec)
	return Inspected{Format: spec.String(), Near: near, Note: note}, err
}

func authEventTime(format string) eventTime {
	spec, err := authlog.ParseSpec(format)
	if err != nil {
		return func([]byte, int64) (int64, bool) { return 0, false }
	}
	return spec.Open().EventTime
}
