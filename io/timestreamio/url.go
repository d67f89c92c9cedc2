package timestreamio

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"millrace/io/calls"
	"millrace/io/driver"
	"millrace/io/timeseries"
	"millrace/schemas/table"
)

const (
	scheme = "timestream"

	defaultBytes   = 1 << 20
	defaultCalls   = 4
	defaultTimeout = 30 * time.Second
)

// Limits of the service, from its page of quotas and from the shapes of its API.
const (
	maxRecords       = 100  // of a call
	maxDimensions    = 128  // of a table
	maxMeasures      = 256  // of a record
	maxDimensionName = 60   // bytes
	maxMeasureName   = 256  // bytes
	maxDimensionSize = 2048 // bytes of the names and values of a record's dimensions
	maxValue         = 2048 // bytes of a measure's value
)

// reserved are columns that Timestream has itself.
var reserved = []string{"time", "measure_name"}

// isReserved tells whether a column cannot have a name: see the naming constraints of
// Timestream, and those of dimensions.
func isReserved(name string) bool {
	return name == empty || slices.Contains(reserved, name) || strings.HasPrefix(name, "measure_value") || strings.HasPrefix(name, "ts_") || strings.Contains(name, ":")
}

// maxMemory is what a sink may hold, see config.memory.
const maxMemory = 64 << 20

// Parameters are what URLs can say, for the reference and --help.
func Parameters() []driver.Parameter {
	return []driver.Parameter{
		{Name: "measure", Type: "text", Default: "the name of the rows' schema, as in traffic", Sink: true, Doc: "measure name of the records"},
		{Name: "region", Type: "text", Sink: true, Doc: "region of the table; without it, that of the AWS configuration"},
		{Name: "endpoint", Type: "text", Sink: true, Doc: "address of the ingestion endpoint, as in https://vpce-....amazonaws.com; endpoints are then not discovered. AWS_ENDPOINT_URL_TIMESTREAM_WRITE says the same"},
		{Name: "rows", Type: "integer", Default: fmt.Sprint(maxRecords), Sink: true, Doc: fmt.Sprintf("rows of one call at most; not above %d", maxRecords)},
		{Name: "bytes", Type: "size", Default: driver.FormatBytes(defaultBytes), Sink: true, Doc: "size of the records of one call at most; a greater one is refused"},
		{Name: "calls", Type: "integer", Default: fmt.Sprint(defaultCalls), Sink: true, Doc: "calls under way at a time, of one sink"},
		{Name: "timeout", Type: "duration", Default: defaultTimeout.String(), Sink: true, Doc: "when a call counts as lost and is made again"},
	}
}

// config is what a URL says, checked.
type config struct {
	place            string // for messages
	database, table  string
	measure          string
	region, endpoint string
	shape            *timeseries.Shape
	dimensions       []int // columns

	rows, bytes, calls int
	timeout            time.Duration
}

// memory is what the sink's calls hold at most, beside batches that the caller made:
// two calls a lane with their records, whose sizes count what holds them, and for each
// lane a call's text, which grows in steps, and an answer.
func (c *config) memory() int64 {
	return int64(c.calls) * (2*int64(c.bytes) + 3*int64(c.bytes) + 2*answerLimit)
}

func (c *config) fault(what, cure string) error {
	return &driver.Error{Doing: "write to", Object: c.place, Class: driver.ErrInvalid, Cause: errors.New(what), Cure: cure}
}

// name is that of a database or a table.
var name = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,256}$`)

// Validate tells what is wrong with a URL for rows of a schema, without asking
// anybody.
func Validate(raw string, schema *table.Schema) error {
	_, err := parse(raw, schema)
	return err
}

func parse(raw string, schema *table.Schema) (*config, error) {
	u, err := driver.ParseURL(raw)
	if err != nil {
		return nil, err
	}
	c := &config{place: u.String(), database: u.Host, table: strings.TrimPrefix(u.Path, "/")}
	if u.Scheme != scheme {
		return nil, c.fault("the scheme "+u.Scheme+" is unknown here", "write timestream://DATABASE/TABLE")
	}
	if !name.MatchString(c.database) || !name.MatchString(c.table) {
		return nil, c.fault("it is not a database and a table, of 3 to 256 letters, digits, _, - and . each", "write timestream://DATABASE/TABLE")
	}
	c.measure = u.Text("measure", schema.Name[strings.LastIndexByte(schema.Name, '.')+1:])
	c.region, c.endpoint = u.Text("region", ""), u.Text("endpoint", "")
	c.rows, c.bytes, c.calls = int(u.Int("rows", maxRecords, 1)), int(u.Bytes("bytes", defaultBytes)), int(u.Int("calls", defaultCalls, 1))
	c.timeout = u.Duration("timeout", defaultTimeout)
	if err := u.Done(); err != nil {
		return nil, err
	}
	if c.shape, err = timeseries.Of(schema); err != nil {
		return nil, c.fault(err.Error(), "send rows of another output, such as traffic")
	}
	c.dimensions = slices.Concat(c.shape.Dimensions, c.shape.IDs)
	return c, errors.Join(c.checkNames(), c.checkEndpoint(), c.checkSizes())
}

func (c *config) checkNames() error {
	columns := c.shape.Schema.Columns
	marks := 1 // empty
	if c.shape.Version >= 0 {
		marks = 3
	}
	switch {
	case c.measure == "" || len(c.measure) > maxMeasureName:
		return c.fault(fmt.Sprintf("the measure name has not 1 to %d bytes", maxMeasureName), "write measure=NAME")
	case len(c.dimensions) > maxDimensions:
		return c.fault(fmt.Sprintf("rows of %s have %d dimensions, and a table has at most %d", c.shape.Schema.ID(), len(c.dimensions), maxDimensions), "")
	case len(c.shape.Measures)+marks > maxMeasures:
		return c.fault(fmt.Sprintf("rows of %s have %d measures, and a record has at most %d", c.shape.Schema.ID(), len(c.shape.Measures)+marks, maxMeasures), "")
	}
	for i, col := range columns {
		most := maxMeasureName
		if slices.Contains(c.dimensions, i) {
			most = maxDimensionName
		}
		if i != c.shape.Time && (len(col.Name) > most || isReserved(col.Name)) {
			return c.fault(fmt.Sprintf("rows of %s have a column %s: a name has at most %d bytes there, and is none of Timestream's own", c.shape.Schema.ID(), col.Name, most), "")
		}
	}
	return nil
}

func (c *config) checkEndpoint() error {
	if c.endpoint == "" {
		return nil
	}
	u, err := url.Parse(c.endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "":
		return c.fault("endpoint is not an address such as https://HOST", "")
	case u.Scheme == "http" && !calls.IsLoopback(u.Host):
		return c.fault("rows would go over the network as they stand", "write endpoint=https://...")
	}
	return nil
}

func (c *config) checkSizes() error {
	switch {
	case c.rows > maxRecords:
		return c.fault(fmt.Sprintf("rows is greater than %d, which Timestream takes in a call", maxRecords), "lower it")
	case c.calls > 64, c.bytes > maxMemory:
		return c.fault("bytes or calls is greater than 64MiB or 64", "lower it")
	case c.memory() > maxMemory:
		return c.fault(fmt.Sprintf("%d calls of %s take %d MiB of memory, and a sink has %d", c.calls, driver.FormatBytes(int64(c.bytes)), c.memory()>>20, maxMemory>>20), "lower calls or bytes")
	}
	return nil
}
