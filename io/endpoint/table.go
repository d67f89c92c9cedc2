package endpoint

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"millrace/io/bootstrap"
	"millrace/io/driver"
	"millrace/io/influxio"
	"millrace/io/kinesisio"
	"millrace/io/lakeio"
	"millrace/io/opensearchio"
	"millrace/io/redshiftio"
	"millrace/io/timestreamio"
	"millrace/schemas/table"
)

// Kind is what can be reached under a URL scheme.
type Kind struct {
	Doc     string
	Example string
	// Parameters are what its URLs can say beyond the place.
	Parameters []driver.Parameter
	// open opens the kind as a source; nil when it is none.
	open openSource
	// follow opens it as a stream; nil when it is none.
	follow followStream
	// send opens it for the rows of an output; nil when none can go there.
	send openSink
	// valid tells what is wrong with a URL to send to, without asking anybody.
	valid func(url string, schema *table.Schema) error
}

type followStream func(ctx context.Context, url string, opt driver.StreamOptions) (driver.Stream, error)

type openSink func(ctx context.Context, url string, schema *table.Schema, opt driver.SinkOptions) (driver.Sink, error)

type openSource func(ctx context.Context, url string, detect driver.Inspect) (driver.Source, error)

// Kinds is every kind of endpoint, by URL scheme, in one place: nothing
// registers itself. A place without a scheme is a path.
var Kinds = map[string]Kind{
	"file": {Doc: "files of this machine: a file, folder or glob of logs or of a lake's raw archive as a source, a folder as a lake; a plain path means the same", Example: "file:///var/log/apache2/access*.log*", Parameters: lakeio.Parameters("file"), open: openLake},
	"kinesis": {
		Doc:        "a stream of Amazon Kinesis or a compatible server, by name or ARN: as a source its records, live or up to an end; as an output rows as JSON",
		Example:    "kinesis://access-logs?start=trim_horizon&until=tip",
		Parameters: kinesisio.Parameters(),
		follow: func(ctx context.Context, url string, opt driver.StreamOptions) (driver.Stream, error) {
			return kinesisio.OpenStream(ctx, url, opt)
		},
		send: sink(kinesisio.Open), valid: kinesisio.ValidateSink,
	},
	"opensearch": {
		Doc:        "an index of OpenSearch, one for each day, or a data stream, for the rows of an output; see docs/sinks/opensearch.md",
		Example:    "opensearch://localhost:9200/weblogs-{day}",
		Parameters: opensearchio.Parameters(), send: sink(opensearchio.Open), valid: opensearchio.Validate,
	},
	"opensearch+https": {
		Doc:        "the same over TLS, as a managed domain wants it",
		Example:    "opensearch+https://search-logs-abc.eu-west-1.es.amazonaws.com/weblogs-{day}?sigv4=true&compress=gzip",
		Parameters: opensearchio.Parameters(), send: sink(opensearchio.Open), valid: opensearchio.Validate,
	},
	"influx": {
		Doc:        "a database of InfluxDB, of Amazon Timestream for InfluxDB or of what else takes line protocol, for the rows of an output that is a time series; see docs/sinks/influx.md",
		Example:    "influx://localhost:8086/web",
		Parameters: influxio.Parameters(), send: sink(influxio.Open), valid: influxio.Validate,
	},
	"influx+https": {
		Doc:        "the same over TLS",
		Example:    "influx+https://abc123-xyz.timestream-influxdb.eu-west-1.on.aws:8086/web?api=v2&org=acme&key_env=INFLUX_TOKEN",
		Parameters: influxio.Parameters(), send: sink(influxio.Open), valid: influxio.Validate,
	},
	"redshift": {
		Doc:        "a table of Amazon Redshift, for the rows of an output, by way of S3; see docs/sinks/redshift.md",
		Example:    "redshift://team/analytics/web.sessions?stage=s3://lake/stage&role=arn:aws:iam::123456789012:role/redshift-reads-stage",
		Parameters: redshiftio.Parameters(), send: sink(redshiftio.Open), valid: redshiftio.Validate,
	},
	"s3": {Doc: "objects of Amazon S3 or a compatible server: an object, prefix or glob of logs or of a lake's raw archive as a source, a prefix as a lake", Example: "s3://logs/web/2026/", Parameters: lakeio.Parameters("s3"), open: openLake},
	"timestream": {
		Doc:        "a table of Amazon Timestream for LiveAnalytics, for the rows of an output that is a time series; see docs/sinks/timestream.md",
		Example:    "timestream://web/traffic?region=eu-west-1",
		Parameters: timestreamio.Parameters(), send: sink(timestreamio.Open), valid: timestreamio.Validate,
	},
}

// sink makes an openSink of a driver's.
func sink[S driver.Sink](open func(context.Context, string, *table.Schema, driver.SinkOptions) (S, error)) openSink {
	return func(ctx context.Context, url string, schema *table.Schema, opt driver.SinkOptions) (driver.Sink, error) {
		s, err := open(ctx, url, schema, opt)
		if err != nil {
			return nil, err // not the nil of S
		}
		return s, nil
	}
}

func openLake(ctx context.Context, url string, detect driver.Inspect) (driver.Source, error) {
	return lakeio.OpenSource(ctx, url, detect)
}

// scheme is that of a URL; a place without one is a path.
func scheme(url string) string {
	scheme, _, ok := strings.Cut(url, "://")
	if !ok {
		return "file"
	}
	return scheme
}

// IsStream tells whether a source is one that records keep coming from.
func IsStream(url string) bool { return Kinds[scheme(url)].follow != nil }

// OpenStream opens the stream a URL names.
func OpenStream(ctx context.Context, url string, opt driver.StreamOptions) (driver.Stream, error) {
	k := Kinds[scheme(url)]
	if k.follow == nil {
		return nil, fmt.Errorf("%w source %s: it is no stream", driver.ErrInvalid, url)
	}
	return k.follow(ctx, url, opt)
}

// OpenBootstrap opens a stream that an archive precedes, up to a time; the stream
// alone when there is no archive.
func OpenBootstrap(ctx context.Context, archive string, until time.Time, url string, opt driver.StreamOptions) (driver.Stream, error) {
	live, err := OpenStream(ctx, url, opt)
	if err != nil || archive == "" {
		return live, err
	}
	source, err := OpenSource(ctx, archive, nil)
	if err != nil {
		return nil, err
	}
	return &bootstrap.Stream{Archive: source, Live: live, Until: until}, nil
}

// eventTimes make the functions that read the event time of a job's records, by
// format. A worker, which is told the job's name only, finds them here.
var eventTimes = map[string]func(format string) func(record []byte, arrival int64) (ms int64, ok bool){}

// KnowEventTime makes the function known under a job's name. It is for package
// initialisation.
func KnowEventTime(job string, f func(format string) func(record []byte, arrival int64) (ms int64, ok bool)) {
	eventTimes[job] = f
}

// Sinks lists the schemes of URLs that outputs can go to.
func Sinks() (schemes []string) {
	for _, scheme := range slices.Sorted(maps.Keys(Kinds)) {
		if Kinds[scheme].send != nil {
			schemes = append(schemes, scheme)
		}
	}
	return schemes
}

// sources lists the schemes of URLs that are read from.
func sources() (schemes []string) {
	for _, scheme := range slices.Sorted(maps.Keys(Kinds)) {
		if k := Kinds[scheme]; k.open != nil || k.follow != nil {
			schemes = append(schemes, scheme)
		}
	}
	return schemes
}

// IsSink tells whether an output can go to a URL.
func IsSink(url string) bool { return strings.Contains(url, "://") && Kinds[scheme(url)].send != nil }

// ValidateSink tells what is wrong with the URL of a sink for rows of a schema. It
// asks nobody, and needs nothing that only workers have.
func ValidateSink(url string, schema *table.Schema) error {
	if !IsSink(url) {
		return fmt.Errorf("%w sink %s: outputs can go to %s", driver.ErrInvalid, url, strings.Join(Sinks(), ", "))
	}
	return Kinds[scheme(url)].valid(url, schema)
}

// CheckSink finds out whether a sink would take rows of a schema, and writes none.
func CheckSink(ctx context.Context, url string, schema *table.Schema) []driver.Check {
	sink, err := OpenSink(ctx, url, schema, driver.SinkOptions{})
	if err != nil {
		return []driver.Check{{What: "open", Err: err}}
	}
	checks := []driver.Check{}
	if c, ok := sink.(driver.Checker); ok {
		checks = c.Check(ctx)
	}
	if err := sink.Close(ctx); err != nil {
		checks = append(checks, driver.Check{What: "close", Err: err})
	}
	return checks
}

// OpenSink opens the sink a URL names for rows of a schema.
func OpenSink(ctx context.Context, url string, schema *table.Schema, opt driver.SinkOptions) (driver.Sink, error) {
	if !IsSink(url) {
		return nil, fmt.Errorf("%w sink %s: outputs can go to %s", driver.ErrInvalid, url, strings.Join(Sinks(), ", "))
	}
	return Kinds[scheme(url)].send(ctx, url, schema, opt)
}

// OpenSource opens the source a URL names. detect tells the decoder for a file
// by its first bytes; it is needed to plan, not to read.
func OpenSource(ctx context.Context, url string, detect driver.Inspect) (driver.Source, error) {
	scheme := scheme(url)
	k, ok := Kinds[scheme]
	if !ok || k.open == nil {
		return nil, fmt.Errorf("%w source %s: unknown scheme %s; there are %s", driver.ErrInvalid, url, scheme, strings.Join(sources(), ", "))
	}
	return k.open(ctx, url, detect)
}
