package opensearchio

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"millrace/io/calls"
	"millrace/io/driver"
	"millrace/io/rowid"
	"millrace/schemas/table"
)

const (
	defaultRows     = 2000
	defaultBytes    = 4 << 20
	defaultCalls    = 2
	defaultTimeout  = 30 * time.Second
	defaultAttempts = 30

	plainScheme  = "opensearch"
	secureScheme = "opensearch+https"

	modeUpsert, modeAppend = "upsert", "append"
)

// maxMemory is what a sink may hold, see Config.memory.
const maxMemory = 64 << 20

// Parameters are what URLs can say, for the reference and --help.
func Parameters() []driver.Parameter {
	return []driver.Parameter{
		{Name: "mode", Type: "upsert or append", Default: modeUpsert, Sink: true, Doc: "upsert: rows take the place of earlier ones of their id; append: rows go into a data stream of that name"},
		{Name: "id", Type: "columns, with commas", Default: "the first column if it is an id, else those that order the rows", Sink: true, Doc: "columns whose values tell a row from others; the document's _id is made of them"},
		{Name: "rows", Type: "integer", Default: fmt.Sprint(defaultRows), Sink: true, Doc: "rows of one call at most"},
		{Name: "bytes", Type: "size", Default: driver.FormatBytes(defaultBytes), Sink: true, Doc: "size of one call at most, before compression; a greater row is refused"},
		{Name: "calls", Type: "integer", Default: fmt.Sprint(defaultCalls), Sink: true, Doc: "calls under way at a time, of one sink"},
		{Name: "compress", Type: "none or gzip", Default: "none", Sink: true, Doc: "compression of calls"},
		{Name: "template", Type: "create or skip", Default: "create", Sink: true, Doc: "create: put an index template made from the rows' schema, and add new columns to indexes that are there; skip: indexes are yours"},
		{Name: "alias", Type: "text", Default: "the index without -{day}, or INDEX-current", Sink: true, Doc: "alias that new indexes get, without withdrawn rows"},
		{Name: "login_env", Type: "name of a variable", Sink: true, Doc: "environment variable of the workers that holds user:password"},
		{Name: "sigv4", Type: "boolean", Default: "false", Sink: true, Doc: "sign calls with the AWS credentials, for a managed domain"},
		{Name: "region", Type: "text", Sink: true, Doc: "region of the domain, for sigv4; without it, that of the AWS configuration"},
		{Name: "ca", Type: "file", Sink: true, Doc: "certificates to trust besides the system's, in PEM, on each worker; for opensearch+https"},
		{Name: "timeout", Type: "duration", Default: defaultTimeout.String(), Sink: true, Doc: "when a call counts as lost and is made again"},
		{Name: "attempts", Type: "integer", Default: fmt.Sprint(defaultAttempts), Sink: true, Doc: "times a row is sent that OpenSearch puts off by itself, before it counts as refused; outages do not count"},
	}
}

// config is what a URL says, checked.
type config struct {
	place  string // for messages
	base   string // http://host:port
	index  indexName
	append bool
	schema *table.Schema
	id     []int // columns

	rows, bytes, calls int
	gzip, template     bool
	alias              string // empty for none
	loginEnv           string // empty for none
	user, password     string
	sigv4              bool
	region, ca         string
	timeout            time.Duration
	attempts           int
}

// memory is what the sink's calls hold at most, beside batches that the caller
// made: one bulk more than there are calls, each with its text, at most twice its
// bytes while the last row is added, what that is compressed to, and an answer.
func (c *config) memory() int64 {
	return int64(c.calls+1) * (3*int64(c.bytes) + answerLimit(c.rows))
}

func (c *config) fault(what, cure string) error {
	return &driver.Error{Doing: "write to", Object: c.place, Class: driver.ErrInvalid, Cause: errors.New(what), Cure: cure}
}

// versioned tells whether rows of the schema overwrite each other by version.
func versioned(s *table.Schema) (column int, ok bool) {
	return s.Versioned()
}

func parse(raw string, schema *table.Schema) (*config, error) {
	c, err := read(raw, schema)
	if err != nil {
		return nil, err
	}
	return c, c.takeLogin()
}

// read is parse without the login, which is the workers'.
func read(raw string, schema *table.Schema) (*config, error) {
	u, err := driver.ParseURL(raw)
	if err != nil {
		return nil, err
	}
	c := &config{place: u.String(), schema: schema}
	scheme := map[string]string{plainScheme: "http", secureScheme: "https"}[u.Scheme]
	if scheme == "" {
		return nil, c.fault("the scheme "+u.Scheme+" is unknown here", "write opensearch://HOST:PORT/INDEX or opensearch+https://HOST/INDEX")
	}
	if u.Host == "" {
		return nil, c.fault("the host is missing", "write "+u.Scheme+"://HOST:PORT/INDEX")
	}
	c.base = scheme + "://" + withPort(u.Host, scheme)
	if c.index, err = parseIndex(strings.TrimPrefix(u.Path, "/")); err != nil {
		return nil, c.fault(err.Error(), "write "+u.Scheme+"://"+u.Host+"/INDEX or .../INDEX-{day}")
	}
	c.append = u.OneOf("mode", modeUpsert, modeUpsert, modeAppend) == modeAppend
	id, alias, login := u.Text("id", ""), u.Text("alias", ""), u.Text("login_env", "")
	c.rows, c.bytes, c.calls = int(u.Int("rows", defaultRows, 1)), int(u.Bytes("bytes", defaultBytes)), int(u.Int("calls", defaultCalls, 1))
	c.gzip = u.OneOf("compress", "none", "none", "gzip") == "gzip"
	c.template = u.OneOf("template", "create", "create", "skip") == "create"
	c.sigv4, c.region, c.ca = u.Bool("sigv4", false), u.Text("region", ""), u.Text("ca", "")
	c.timeout, c.attempts = u.Duration("timeout", defaultTimeout), int(u.Int("attempts", defaultAttempts, 1))
	if err := u.Done(); err != nil {
		return nil, err
	}
	if c.id, err = rowid.Columns(id, schema); err != nil {
		return nil, c.fault(err.Error(), "write id=COLUMN or id=COLUMN,COLUMN")
	}
	return c, errors.Join(c.checkAlias(alias), c.checkMode(), c.checkLogin(login, u.Host), c.checkSizes(), c.checkWay(scheme))
}

// withPort adds the usual port to a host without one.
func withPort(host, scheme string) string {
	if strings.LastIndexByte(host, ':') > strings.LastIndexByte(host, ']') || scheme == "https" {
		return host
	}
	return host + ":9200"
}

func (c *config) checkAlias(alias string) error {
	_, versions := versioned(c.schema)
	switch {
	case alias != "" && (c.append || !c.template):
		return c.fault("alias="+alias+" has no effect with mode=append or template=skip", "leave it out")
	case c.append || !c.template:
		return nil
	case alias != "":
		if err := checkName(alias); err != nil {
			return c.fault("the alias "+alias+": "+err.Error(), "")
		}
	case c.index.daily:
		alias = strings.Trim(c.index.before+c.index.after, "-_.")
	case versions:
		alias = c.index.before + "-current"
	}
	if !c.index.daily && alias == c.index.before {
		return c.fault("the alias has the name of the index", "write another alias=NAME")
	}
	c.alias = alias
	return nil
}

func (c *config) checkMode() error {
	_, versions := versioned(c.schema)
	switch {
	case !c.append:
		for _, name := range []string{"sealed", "withdrawn"} {
			if _, taken := c.schema.Index(name); taken && versions {
				return c.fault("rows of "+c.schema.ID()+" have a column "+name+", by which the sink marks documents", "")
			}
		}
		return nil
	case versions:
		return c.fault("rows of "+c.schema.ID()+" overwrite each other, which a data stream cannot do", "leave mode=append out")
	case c.index.daily:
		return c.fault("a data stream cuts its indexes itself", "leave {day} out of its name, or mode=append")
	}
	return nil
}

func (c *config) checkLogin(name, host string) error {
	switch {
	case name == "":
		return nil
	case !driver.IsVariable(name):
		return c.fault("login_env is not the name of an environment variable", "write login_env=NAME, and user:password into the variable NAME of the workers")
	case c.sigv4:
		return c.fault("login_env and sigv4 exclude each other", "leave one of them out")
	case strings.HasPrefix(c.base, "http:") && !calls.IsLoopback(host):
		return c.fault("a password would go over the network as it stands", "use opensearch+https://")
	}
	c.loginEnv = name
	return nil
}

// takeLogin reads user and password from the environment.
func (c *config) takeLogin() error {
	if c.loginEnv == "" {
		return nil
	}
	var err error
	c.user, c.password, err = driver.Login(c.place, c.loginEnv)
	return err
}

func (c *config) checkSizes() error {
	switch {
	case c.rows > 100_000, c.calls > 64, c.bytes > 64<<20:
		return c.fault("rows, bytes or calls is greater than 100000, 64MiB or 64", "lower it")
	case c.memory() > maxMemory:
		return c.fault(fmt.Sprintf("%d calls of %s and %d rows take %d MiB of memory, and a sink has %d", c.calls, driver.FormatBytes(int64(c.bytes)), c.rows, c.memory()>>20, maxMemory>>20), "lower calls, bytes or rows")
	}
	return nil
}

func (c *config) checkWay(scheme string) error {
	switch {
	case c.ca != "" && scheme != "https":
		return c.fault("ca has no effect without TLS", "use opensearch+https://")
	case c.region != "" && !c.sigv4:
		return c.fault("region has no effect without sigv4=true", "add it, or leave region out")
	}
	return nil
}
