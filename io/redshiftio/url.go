package redshiftio

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"millrace/io/calls"
	"millrace/io/driver"
	"millrace/io/rowid"
	"millrace/schemas/ddl"
	"millrace/schemas/table"
)

const (
	defaultRows    = 100_000
	defaultBytes   = 8 << 20
	defaultTimeout = 15 * time.Minute
	defaultPoll    = 100 * time.Millisecond

	scheme           = "redshift"
	viaData, viaWire = "data", "wire"
	wirePort         = "5439"
)

// maxMemory is what a sink may hold, see config.memory.
const maxMemory = 64 << 20

// Parameters are what URLs can say, for the reference and --help.
func Parameters() []driver.Parameter {
	return []driver.Parameter{
		{Name: "stage", Type: "s3://bucket/prefix", Sink: true, Doc: "where rows are staged, in the warehouse's region; objects are removed after their load"},
		{Name: "role", Type: "ARN or default", Default: "default", Sink: true, Doc: "IAM role of the warehouse that reads the stage"},
		{Name: "via", Type: "data or wire", Default: viaData, Sink: true, Doc: "data: the Redshift Data API; wire: PostgreSQL's protocol, with HOST:PORT in place of the workgroup"},
		{Name: "cluster", Type: "boolean", Default: "false", Sink: true, Doc: "the place names a provisioned cluster, no workgroup; for via=data"},
		{Name: "login_arn", Type: "ARN", Sink: true, Doc: "secret of AWS Secrets Manager with user and password, for via=data; without it the AWS credentials log in"},
		{Name: "db_user", Type: "text", Sink: true, Doc: "user of the database to log in as, of a cluster without login_arn; for via=data"},
		{Name: "login_env", Type: "name of a variable", Sink: true, Doc: "environment variable of the workers that holds user:password; for via=wire"},
		{Name: "tls", Type: "boolean", Default: "true; false on loopback", Sink: true, Doc: "encrypt the connection and check who answers; for via=wire"},
		{Name: "ca", Type: "file", Sink: true, Doc: "certificates to trust besides the system's, in PEM, on each worker; for via=wire"},
		{Name: "region", Type: "text", Sink: true, Doc: "region of the warehouse and the stage; without it, that of the AWS configuration"},
		{Name: "sse", Type: "aws:kms or AES256", Sink: true, Doc: "encryption of staged objects"},
		{Name: "kms_key_id", Type: "text", Sink: true, Doc: "key for sse=aws:kms; without it, the bucket's"},
		{Name: "id", Type: "columns, with commas", Default: "the first column if it is an id, else those that order the rows", Sink: true, Doc: "columns whose values tell a row from others"},
		{Name: "rows", Type: "integer", Default: fmt.Sprint(defaultRows), Sink: true, Doc: "rows of one load at most"},
		{Name: "bytes", Type: "size", Default: driver.FormatBytes(defaultBytes), Sink: true, Doc: "size in memory of the rows of one load at most"},
		{Name: "ddl", Type: "create or skip", Default: "create", Sink: true, Doc: "create: make the table, the view and the ledger of loads, and add new columns; skip: they are yours"},
		{Name: "timeout", Type: "duration", Default: defaultTimeout.String(), Sink: true, Doc: "when a load is cancelled and made again"},
		{Name: "poll", Type: "duration", Default: defaultPoll.String(), Sink: true, Doc: "first pause before the Data API is asked for a result; pauses double, up to 20 of it"},
	}
}

// config is what a URL says, checked.
type config struct {
	place    string // for messages
	host     string // workgroup, cluster or host:port
	database string
	table    ddl.Table
	schema   *table.Schema
	id       []int // columns
	version  int   // column; -1 for none

	stage, role             string
	wire                    bool
	cluster                 bool
	loginARN, dbUser        string
	loginEnv                string // empty for none
	user, password          string
	tls                     bool
	ca, region, sse, kmsKey string
	rows, bytes             int
	create                  bool
	timeout, poll           time.Duration
}

// rowOverhead is what a gathered row takes besides its values: its place, its id, and
// that in the index of ids.
const rowOverhead = 200

// memory is what a sink holds at most, beside the batches that the caller makes: of the
// rows of a load the batches that they came in, themselves as they are staged, the
// columns of the file while it is written, and the file.
func (c *config) memory() int64 { return 4*int64(c.bytes) + rowOverhead*int64(c.rows) }

func (c *config) fault(what, cure string) error {
	return &driver.Error{Doing: "write to", Object: c.place, Class: driver.ErrInvalid, Cause: errors.New(what), Cure: cure}
}

var (
	identifier = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)
	roleARN    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}$`)
	secretARN  = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w+=,.@/-]{1,512}$`)
)

const example = "write redshift://WORKGROUP/DATABASE/SCHEMA.TABLE?stage=s3://BUCKET/PREFIX"

func parse(raw string, schema *table.Schema) (*config, error) {
	c, err := read(raw, schema)
	if err != nil {
		return nil, err
	}
	return c, c.takeLogin()
}

// Validate tells what is wrong with a URL for rows of a schema, without asking
// anybody. The login's variable need not be set here: it is the workers'.
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
	c := &config{place: u.String(), schema: schema, host: u.Host, version: -1}
	if u.Scheme != scheme {
		return nil, c.fault("the scheme "+u.Scheme+" is unknown here", example)
	}
	c.stage, c.role = u.Text("stage", ""), u.Text("role", "default")
	c.wire = u.OneOf("via", viaData, viaData, viaWire) == viaWire
	c.cluster, c.loginARN, c.dbUser = u.Bool("cluster", false), u.Text("login_arn", ""), u.Text("db_user", "")
	login := u.Text("login_env", "")
	c.tls, c.ca = u.Bool("tls", !calls.IsLoopback(u.Host)), u.Text("ca", "")
	c.region, c.sse, c.kmsKey = u.Text("region", ""), u.OneOf("sse", "", "aws:kms", "AES256"), u.Text("kms_key_id", "")
	id := u.Text("id", "")
	c.rows, c.bytes = int(u.Int("rows", defaultRows, 1)), int(u.Bytes("bytes", defaultBytes))
	c.create = u.OneOf("ddl", "create", "create", "skip") == "create"
	c.timeout, c.poll = u.Duration("timeout", defaultTimeout), u.Duration("poll", defaultPoll)
	if err := u.Done(); err != nil {
		return nil, err
	}
	if c.id, err = rowid.Columns(id, schema); err != nil {
		return nil, c.fault(err.Error(), "write id=COLUMN or id=COLUMN,COLUMN")
	}
	if column, ok := schema.Versioned(); ok {
		c.version = column
	}
	return c, errors.Join(c.readPlace(strings.TrimPrefix(u.Path, "/")), c.checkStage(), c.checkWay(), c.checkLogin(login), c.checkSizes())
}

// readPlace reads DATABASE/SCHEMA.TABLE.
func (c *config) readPlace(path string) error {
	database, name, ok := strings.Cut(path, "/")
	in, table, both := strings.Cut(name, ".")
	switch {
	case c.host == "":
		return c.fault("the workgroup is missing", example)
	case !ok || database == "" || !both || strings.Contains(name, "/"):
		return c.fault("a place is a database and SCHEMA.TABLE", example)
	case !identifier.MatchString(in) || !identifier.MatchString(table):
		return c.fault("names of schemas and tables are made of a-z, 0-9 and _ here", "write them in lower case, as Redshift stores them")
	case len(in) > 127 || len(table) > 127-len("_current"):
		return c.fault("names have at most 127 bytes in Redshift, and that of the view is longer by 8", "write a shorter one")
	case len(database) > 64 || strings.ContainsFunc(database, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return c.fault("names of databases have 64 bytes at most and no space", "")
	}
	c.database = database
	c.table = ddl.Table{Target: ddl.Redshift, Name: name, Rows: c.schema, Key: c.id}
	_, versions := c.schema.Versioned()
	for _, own := range []string{ddl.RowKey, ddl.Sealed, ddl.Withdrawn} {
		if _, taken := c.schema.Index(own); taken && (own == ddl.RowKey || versions) {
			return c.fault("rows of "+c.schema.ID()+" have a column "+own+", which the sink's tables have themselves", "")
		}
	}
	return nil
}

func (c *config) checkStage() error {
	u, err := url.Parse(c.stage)
	switch {
	case c.stage == "":
		return c.fault("where to stage rows is missing", "add stage=s3://BUCKET/PREFIX")
	case err != nil || u.Scheme != "s3" || u.Host == "" || u.RawQuery != "" || u.User != nil || strings.ContainsAny(c.stage, "'\\"):
		return c.fault("stage is no s3://BUCKET/PREFIX", "")
	case c.role != "default" && !roleARN.MatchString(c.role):
		return c.fault("role is neither default nor the ARN of a role", "write role=arn:aws:iam::ACCOUNT:role/NAME")
	case c.kmsKey != "" && c.sse != "aws:kms":
		return c.fault("kms_key_id has no effect without sse=aws:kms", "add it, or leave kms_key_id out")
	}
	c.stage = strings.TrimSuffix(c.stage, "/")
	return nil
}

func (c *config) checkWay() error {
	switch {
	case c.wire && (c.cluster || c.loginARN != "" || c.dbUser != ""):
		return c.fault("cluster, login_arn and db_user are for via=data", "leave them out")
	case !c.wire && c.ca != "":
		return c.fault("ca is for via=wire", "leave it out")
	case c.ca != "" && !c.tls:
		return c.fault("ca has no effect without TLS", "add tls=true")
	case c.loginARN != "" && !secretARN.MatchString(c.loginARN):
		return c.fault("login_arn is not the ARN of a secret", "write arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME; the secret itself has no place here")
	case c.dbUser != "" && (!c.cluster || c.loginARN != ""):
		return c.fault("db_user is for a cluster without login_arn", "leave it out")
	case !c.wire && strings.ContainsAny(c.host, ":[]"):
		return c.fault("a workgroup has no port", "write the name of the workgroup, or via=wire")
	case c.wire && !strings.Contains(c.host[strings.LastIndexByte(c.host, ']')+1:], ":"):
		c.host += ":" + wirePort
	}
	return nil
}

func (c *config) checkLogin(name string) error {
	switch {
	case !c.wire && name != "":
		return c.fault("login_env is for via=wire", "leave it out; the Data API takes login_arn or the AWS credentials")
	case !c.wire:
		return nil
	case !driver.IsVariable(name):
		return c.fault("login_env is not the name of an environment variable", "write login_env=NAME, and user:password into the variable NAME of the workers")
	case !c.tls && !calls.IsLoopback(c.host):
		return c.fault("a password would go over the network as it stands", "leave tls=false out")
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
	case c.rows > 10_000_000, c.bytes > maxMemory:
		return c.fault("rows or bytes is greater than 10000000 or 64MiB", "lower it")
	case c.memory() > maxMemory:
		return c.fault(fmt.Sprintf("loads of %s and %d rows take %d MiB of memory, and a sink has %d", driver.FormatBytes(int64(c.bytes)), c.rows, c.memory()>>20, maxMemory>>20), "lower bytes or rows")
	case c.timeout < time.Second || c.poll < time.Millisecond:
		return c.fault("timeout or poll is shorter than 1s or 1ms", "raise it")
	}
	return nil
}
