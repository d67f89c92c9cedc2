package influxio

import (
	"errors"
	"fmt"
	"net/url"
	"os"
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
	defaultRows    = 5000
	defaultBytes   = 2 << 20
	defaultCalls   = 2
	defaultTimeout = 30 * time.Second

	plainScheme  = "influx"
	secureScheme = "influx+https"

	apiV1, apiV2    = "v1", "v2"
	idsFold, idsTag = "fold", "tag"
)

// maxMemory is what a sink may hold, see config.memory.
const maxMemory = 64 << 20

// Parameters are what URLs can say, for the reference and --help.
func Parameters() []driver.Parameter {
	return []driver.Parameter{
		{Name: "api", Type: "v1 or v2", Default: apiV1, Sink: true, Doc: "how rows are written: v1 (/write, InfluxDB 1) or v2 (/api/v2/write, InfluxDB 1.8 and later)"},
		{Name: "org", Type: "text", Sink: true, Doc: "organisation, for api=v2"},
		{Name: "rp", Type: "text", Default: "the database's", Sink: true, Doc: "retention policy; with api=v2 the bucket is DATABASE/RP"},
		{Name: "measurement", Type: "text", Default: "the name of the rows' schema, as in traffic", Sink: true, Doc: "measurement that points belong to"},
		{Name: "ids", Type: "fold or tag", Default: idsFold, Sink: true, Doc: "fold: columns of many values are fields, and a digest of them is in the nanoseconds and in a tag of 256 values; tag: they are tags, each value a series"},
		{Name: "check", Type: "boolean", Default: "true", Sink: true, Doc: "true: ask for the versions that are there, so that the newest row stays whatever the order; false: what is written last stays. Rows without a version are not asked for"},
		{Name: "rows", Type: "integer", Default: fmt.Sprint(defaultRows), Sink: true, Doc: "rows of one call at most"},
		{Name: "bytes", Type: "size", Default: driver.FormatBytes(defaultBytes), Sink: true, Doc: "size of one call at most, before compression; a greater row is refused"},
		{Name: "calls", Type: "integer", Default: fmt.Sprint(defaultCalls), Sink: true, Doc: "calls under way at a time, of one sink"},
		{Name: "compress", Type: "none or gzip", Default: "none", Sink: true, Doc: "compression of calls"},
		{Name: "login_env", Type: "name of a variable", Sink: true, Doc: "environment variable of the workers that holds user:password"},
		{Name: "key_env", Type: "name of a variable", Sink: true, Doc: "environment variable of the workers that holds an API token"},
		{Name: "ca", Type: "file", Sink: true, Doc: "certificates to trust besides the system's, in PEM, on each worker; for influx+https"},
		{Name: "timeout", Type: "duration", Default: defaultTimeout.String(), Sink: true, Doc: "when a call counts as lost and is made again"},
	}
}

// config is what a URL says, checked.
type config struct {
	place       string // for messages
	database    string
	policy      string // the retention policy; empty for the database's
	org         string // with api=v2
	base        string // http://host:port
	write       string // path of a writing
	query       string // of a query for versions, without q=
	from        string // what such a query reads from, quoted
	measurement string
	shape       *timeseries.Shape
	tags        []int // columns
	folded      []int // columns whose digest is in the point's identity
	fields      []int // columns
	check       bool

	rows, bytes, calls            int
	gzip                          bool
	loginEnv, keyEnv              string // at most one of them
	user, password, authorization string
	ca                            string
	timeout                       time.Duration
}

const (
	itemSize  = 128 // of an item and its place in the index, at most
	pointSize = 64  // of what is kept of a stored point, at most
)

// checkLimit is how many bytes an answer about versions has at most.
func (c *config) checkLimit() int64 { return 256<<10 + int64(c.rows)*128 }

// memory is what the sink's calls hold at most, beside batches that the caller made:
// two calls a lane, each with its text, which grows in steps, its items and what it is
// compressed to; and for each lane an answer and what it tells of.
func (c *config) memory() int64 {
	call := int64(c.bytes)*5/4 + int64(c.rows)*itemSize
	if c.gzip {
		call += int64(c.bytes) + 1<<20 // and the compressor's window
	}
	answer := int64(answerLimit)
	if c.check {
		answer += c.checkLimit() * (2 + pointSize/16) // a point is at least 16 bytes of an answer
	}
	return int64(c.calls) * (2*call + answer)
}

func (c *config) fault(what, cure string) error {
	return &driver.Error{Doing: "write to", Object: c.place, Class: driver.ErrInvalid, Cause: errors.New(what), Cure: cure}
}

func parse(raw string, schema *table.Schema) (*config, error) {
	c, err := read(raw, schema)
	if err != nil {
		return nil, err
	}
	return c, c.takeLogin()
}

// Validate tells what is wrong with a URL for rows of a schema, without asking
// anybody. The variable of a login or a token need not be set here: it is the
// workers'.
func Validate(raw string, schema *table.Schema) error {
	_, err := read(raw, schema)
	return err
}

// read is parse without the login, which is the workers'.
func read(raw string, schema *table.Schema) (*config, error) {
	u, err := driver.ParseURL(raw)
	if err != nil {
		return nil, err
	}
	c := &config{place: u.String()}
	scheme := map[string]string{plainScheme: "http", secureScheme: "https"}[u.Scheme]
	if scheme == "" {
		return nil, c.fault("the scheme "+u.Scheme+" is unknown here", "write influx://HOST:PORT/DATABASE or influx+https://HOST:PORT/DATABASE")
	}
	database := strings.TrimPrefix(u.Path, "/")
	if u.Host == "" || database == "" || strings.Contains(database, "/") {
		return nil, c.fault("it is not a host and a database", "write "+u.Scheme+"://HOST:PORT/DATABASE; a retention policy is rp=NAME")
	}
	c.base = scheme + "://" + withPort(u.Host)
	c.database = database
	api := u.OneOf("api", apiV1, apiV1, apiV2)
	c.org, c.policy = u.Text("org", ""), u.Text("rp", "")
	c.measurement = u.Text("measurement", schema.Name[strings.LastIndexByte(schema.Name, '.')+1:])
	ids, login, key := u.OneOf("ids", idsFold, idsFold, idsTag), u.Text("login_env", ""), u.Text("key_env", "")
	c.check = u.Bool("check", true)
	c.rows, c.bytes, c.calls = int(u.Int("rows", defaultRows, 1)), int(u.Bytes("bytes", defaultBytes)), int(u.Int("calls", defaultCalls, 1))
	c.gzip = u.OneOf("compress", "none", "none", "gzip") == "gzip"
	c.ca, c.timeout = u.Text("ca", ""), u.Duration("timeout", defaultTimeout)
	if err := u.Done(); err != nil {
		return nil, err
	}
	if c.shape, err = timeseries.Of(schema); err != nil {
		return nil, c.fault(err.Error(), "send rows of another output, such as traffic")
	}
	c.check = c.check && c.shape.Version >= 0
	return c, errors.Join(c.setColumns(ids), c.setPaths(api), c.checkLogin(login, key, u.Host), c.checkSizes(), c.checkWay(scheme))
}

// withPort adds the usual port to a host without one.
func withPort(host string) string {
	if strings.LastIndexByte(host, ':') > strings.LastIndexByte(host, ']') {
		return host
	}
	return host + ":8086"
}

// part is the tag of a folded digest, nulls the field that names columns without value.
const part, nulls = "part", "nulls"

func (c *config) setColumns(ids string) error {
	s := c.shape
	c.tags, c.fields = slices.Clone(s.Dimensions), slices.Clone(s.Measures)
	if ids == idsTag {
		c.tags = append(c.tags, s.IDs...)
	} else {
		c.folded = s.IDs
		c.fields = append(c.fields, s.IDs...)
	}
	for i, col := range s.Schema.Columns {
		switch name := col.Name; {
		case name == part && len(c.folded) > 0, name == nulls && s.Version >= 0, i != s.Time && (name == "time" || strings.HasPrefix(name, "_")), strings.ContainsAny(name, "\n\\\""):
			return c.fault("rows of "+s.Schema.ID()+" have a column "+name+", a name that points cannot have", "")
		}
	}
	return nil
}

// plainName is a measurement that needs no escapes anywhere.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)

func (c *config) setPaths(api string) error {
	for what, name := range map[string]string{"measurement": c.measurement, "database": c.database, "retention policy": c.policy} {
		if name != "" && !plainName.MatchString(name) || what == "measurement" && name == "" {
			return c.fault("the "+what+" has a name of other characters than letters, digits, _, - and .", "")
		}
	}
	q := url.Values{"precision": {c.precision()}}
	switch {
	case api == apiV2 && c.org == "":
		return c.fault("the organisation is missing", "write api=v2&org=NAME")
	case api == apiV1 && c.org != "":
		return c.fault("org has no effect without api=v2", "add it, or leave org out")
	case api == apiV2:
		bucket := c.database
		if c.policy != "" {
			bucket += "/" + c.policy
		}
		q.Set("org", c.org)
		q.Set("bucket", bucket)
		c.write = "/api/v2/write?" + q.Encode()
	default:
		q.Set("db", c.database)
		if c.policy != "" {
			q.Set("rp", c.policy)
		}
		c.write = "/write?" + q.Encode()
	}
	c.query = "/query?" + url.Values{"db": {c.database}, "epoch": {"ns"}}.Encode()
	c.from = `"` + c.measurement + `"`
	if c.policy != "" {
		c.from = `"` + c.policy + `".` + c.from
	}
	return nil
}

// v2 tells whether rows are written as InfluxDB 2 wants it; only then there is an
// organisation.
func (c *config) v2() bool { return c.org != "" }

// precision is that of the points' times.
func (c *config) precision() string {
	if len(c.folded) > 0 {
		return "ns"
	}
	return "ms"
}

func (c *config) checkLogin(login, key, host string) error {
	switch {
	case login == "" && key == "":
		return nil
	case login != "" && key != "":
		return c.fault("login_env and key_env exclude each other", "leave one of them out")
	case !driver.IsVariable(login + key):
		return c.fault("login_env or key_env is not the name of an environment variable", "write the name of a variable of the workers, which holds user:password or a token")
	case strings.HasPrefix(c.base, "http:") && !calls.IsLoopback(host):
		return c.fault("a credential would go over the network as it stands", "use influx+https://")
	}
	c.loginEnv, c.keyEnv = login, key
	return nil
}

// takeLogin reads a login or a token from the environment.
func (c *config) takeLogin() error {
	value := os.Getenv(c.loginEnv + c.keyEnv)
	switch {
	case c.loginEnv+c.keyEnv == "":
		return nil
	case c.keyEnv != "":
		if value == "" || strings.ContainsAny(value, "\r\n") {
			return c.fault("the environment variable "+c.keyEnv+" does not hold a token", "set it where the workers run")
		}
		c.authorization = "Token " + value
		return nil
	}
	var err error
	c.user, c.password, err = driver.Login(c.place, c.loginEnv)
	return err
}

func (c *config) checkSizes() error {
	switch {
	case c.rows > 100_000, c.calls > 64, c.bytes > maxMemory:
		return c.fault("rows, bytes or calls is greater than 100000, 64MiB or 64", "lower it")
	case c.memory() > maxMemory:
		return c.fault(fmt.Sprintf("%d calls of %s and %d rows take %d MiB of memory, and a sink has %d", c.calls, driver.FormatBytes(int64(c.bytes)), c.rows, c.memory()>>20, maxMemory>>20), "lower calls, bytes or rows")
	}
	return nil
}

func (c *config) checkWay(scheme string) error {
	if c.ca != "" && scheme != "https" {
		return c.fault("ca has no effect without TLS", "use influx+https://")
	}
	return nil
}
