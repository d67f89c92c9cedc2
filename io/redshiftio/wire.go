package redshiftio

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"millrace/io/driver"
)

// wire reaches Redshift over PostgreSQL's protocol, with one connection that is opened
// when it is needed. Statements go as texts: Redshift has its own mind about prepared
// ones.
type wire struct {
	config *config
	open   *pgconn.Config
	conn   *pgconn.PgConn // nil for none
}

const connectTimeout = 30 * time.Second

func newWire(c *config) (*wire, error) {
	host, port, err := net.SplitHostPort(c.host)
	number, err2 := strconv.ParseUint(port, 10, 16)
	if err != nil || err2 != nil {
		return nil, c.fault("the host is no HOST:PORT", "write redshift://HOST:5439/DATABASE/SCHEMA.TABLE?via=wire")
	}
	// What PG* variables and files of passwords say is not asked: the URL says it all.
	open, err := pgconn.ParseConfig("postgres://placeholder@placeholder/placeholder?sslmode=disable&passfile=&servicefile=")
	if err != nil {
		return nil, c.fault("preparing the connection failed", "")
	}
	open.Host, open.Port, open.Database, open.User, open.Password = host, uint16(number), c.database, c.user, c.password
	open.Fallbacks, open.RuntimeParams, open.ConnectTimeout = nil, map[string]string{"application_name": "millrace"}, min(connectTimeout, c.timeout)
	open.TLSConfig = nil
	if c.tls {
		open.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
		if c.ca != "" {
			if open.TLSConfig.RootCAs, err = trust(c); err != nil {
				return nil, err
			}
		}
	}
	return &wire{config: c, open: open}, nil
}

func trust(c *config) (*x509.CertPool, error) {
	pem, err := os.ReadFile(c.ca)
	if err != nil {
		return nil, c.fault(fmt.Sprintf("reading the certificates of ca: %v", err), "put the file where the workers run")
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, c.fault("there is no certificate in "+c.ca, "write it in PEM")
	}
	return pool, nil
}

func (w *wire) close() {
	if w.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second) // the sink's may have ended
		defer cancel()
		_ = w.conn.Close(ctx)
		w.conn = nil
	}
}

// connect sees to a connection.
func (w *wire) connect(ctx context.Context) error {
	if w.conn != nil && !w.conn.IsClosed() {
		return nil
	}
	conn, err := pgconn.ConnectConfig(ctx, w.open)
	if err != nil {
		return w.fault(ctx, err)
	}
	w.conn = conn
	return nil
}

// run runs the statements between BEGIN and COMMIT. Where the answer to COMMIT gets lost
// nobody knows whether it was carried out; a load that comes again finds itself in its
// ledger then.
func (w *wire) run(ctx context.Context, _ string, statements []string) (counts []int64, err error) {
	if err := w.connect(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, w.config.timeout, errTimeout)
	defer cancel()
	all := append(append([]string{"BEGIN"}, statements...), "COMMIT")
	for i, sql := range all {
		results, err := w.conn.Exec(ctx, sql).ReadAll()
		if err != nil {
			err = w.fault(ctx, err)
			w.rollback(ctx)
			return nil, err
		}
		if i > 0 && i < len(all)-1 {
			counts = append(counts, results[len(results)-1].CommandTag.RowsAffected())
		}
	}
	return counts, nil
}

var errTimeout = errors.New("the load took longer than timeout")

// rollback ends a transaction that failed, or the connection.
func (w *wire) rollback(ctx context.Context) {
	if !w.conn.IsClosed() {
		if _, err := w.conn.Exec(ctx, "ROLLBACK").ReadAll(); err == nil {
			return
		}
	}
	w.close()
}

func (w *wire) query(ctx context.Context, sql string) (rows [][]string, err error) {
	if err := w.connect(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, w.config.timeout, errTimeout)
	defer cancel()
	results, err := w.conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, w.fault(ctx, err)
	}
	for _, values := range results[len(results)-1].Rows {
		var row []string
		for _, value := range values {
			row = append(row, string(value))
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// fault is the error of a statement or of the way to the warehouse. What pgx says of a
// connection names user and host, so that does not go into it.
func (w *wire) fault(ctx context.Context, err error) error {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return w.config.failed(said.Code, said.Severity+": "+said.Message)
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errTimeout) {
		return cause
	}
	e := &driver.Error{
		Doing: "reach", Object: w.config.place, Class: driver.ErrUnavailable, Cause: errors.New(wayText(err)),
		Cure: "check the address, and whether the warehouse can be reached from here",
	}
	var untrusted *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &untrusted):
		e.Class, e.Cure = driver.ErrPermission, "name the certificates to trust with ca=FILE, and the host by the name that its certificate has"
	case errors.As(err, &plain), strings.Contains(err.Error(), "server refused TLS connection"):
		e.Class, e.Cure = driver.ErrInvalid, "the server speaks no TLS there"
	}
	return e
}

// wayText is what the network said.
func wayText(err error) string {
	var op *net.OpError
	switch {
	case errors.As(err, &op):
		return short(op.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return short(err.Error())
}
