package redshift

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
)

// session carries messages between a client and PostgreSQL, and looks at the
// statements among them.
type session struct {
	w              *Warehouse
	client, server net.Conn

	mu      sync.Mutex
	losing  bool      // the answer to the statement under way gets lost
	copying bool      // a COPY of ours is under way
	copies  chan byte // what the server says to it first
}

func (s *session) carry() {
	var answering sync.WaitGroup
	answering.Go(func() {
		s.answers()
		s.client.Close() // ends the loop below
	})
	for {
		kind, body, err := readMessage(s.client)
		if err == nil {
			err = s.ask(kind, body)
		}
		if err != nil {
			break
		}
	}
	s.server.Close()
	answering.Wait()
}

// ask hands a message of the client on.
func (s *session) ask(kind byte, body []byte) error {
	if kind != 'Q' { // of what is prepared, nothing is changed
		return writeMessage(s.server, kind, body)
	}
	sql, _, _ := strings.Cut(string(body), "\x00")
	switch err := s.w.broken(sql); {
	case errors.Is(err, ErrAnswerLost):
		s.mu.Lock()
		s.losing = true
		s.mu.Unlock()
	case err != nil:
		return s.fail(err)
	}
	changed, c, err := rewrite(sql)
	switch {
	case err != nil:
		return s.fail(&StatementError{Code: "42601", Text: err.Error()})
	case c != nil:
		return s.copy(c)
	}
	return writeMessage(s.server, 'Q', append([]byte(changed), 0))
}

// StatementError is a fault that has a code.
type StatementError struct{ Code, Text string }

func (e *StatementError) Error() string { return e.Text }

// fail has PostgreSQL say an error of ours, so that a transaction is broken by it, too.
func (s *session) fail(err error) error {
	if errors.Is(err, ErrHangUp) {
		return err
	}
	code := "XX000"
	var coded *StatementError
	if errors.As(err, &coded) {
		code = coded.Code
	}
	quote := func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
	sql := "DO $millrace$ BEGIN RAISE EXCEPTION USING ERRCODE = " + quote(code) + ", MESSAGE = " + quote(err.Error()) + "; END $millrace$"
	return writeMessage(s.server, 'Q', append([]byte(sql), 0))
}

// Faults of statements that break the connection off: before the statement is carried
// out, or after that.
var (
	ErrHangUp     = errors.New("hung up")
	ErrAnswerLost = errors.New("the answer got lost")
)

// copy runs a COPY: the rows come from S3, and PostgreSQL is told that the client
// sends them.
func (s *session) copy(c *copying) error {
	rows, err := s.w.rows(c)
	if err != nil {
		return s.fail(err)
	}
	defer os.Remove(rows.Name())
	defer rows.Close()
	s.setCopying(true)
	if err := writeMessage(s.server, 'Q', append([]byte("COPY "+c.table+" FROM STDIN (FORMAT csv)"), 0)); err != nil {
		return err
	}
	switch first, ok := <-s.copies; {
	case !ok:
		return io.ErrUnexpectedEOF
	case first != 'G':
		return nil // an error, which the client has been told
	}
	part := make([]byte, 64<<10)
	for {
		n, err := rows.Read(part)
		if n > 0 {
			if err := writeMessage(s.server, 'd', part[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return writeMessage(s.server, 'c', nil)
		}
	}
}

func (s *session) setCopying(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.copying = on
}

func (s *session) loses() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.losing
}

// takeCopying tells whether a message is the first to a COPY of ours.
func (s *session) takeCopying(kind byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.copying || kind != 'G' && kind != 'E' {
		return false
	}
	s.copying = false
	return true
}

// answers hands on what PostgreSQL says, until it ends.
func (s *session) answers() {
	defer close(s.copies)
	for {
		kind, body, err := readMessage(s.server)
		if err != nil {
			return
		}
		if s.loses() {
			if kind == 'Z' { // it is done
				return
			}
			continue
		}
		first := s.takeCopying(kind)
		if !first || kind != 'G' {
			if kind == 'E' {
				body = trimmed(body)
			}
			if err := writeMessage(s.client, kind, body); err != nil {
				return
			}
		}
		if first {
			s.copies <- kind
		}
	}
}

// trimmed leaves out where in our own statement an error came up.
func trimmed(body []byte) []byte {
	var e pgproto3.ErrorResponse
	if e.Decode(body) != nil || !strings.Contains(e.Where, "inline_code_block") {
		return body
	}
	e.Where, e.File, e.Routine = "", "", ""
	encoded, err := e.Encode(nil)
	if err != nil {
		return body
	}
	return encoded[5:]
}

// readMessage reads a message with its type.
func readMessage(r io.Reader) (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n < 4 || n > 1<<30 {
		return 0, nil, errors.New("no message of PostgreSQL")
	}
	body = make([]byte, n-4)
	_, err = io.ReadFull(r, body)
	return head[0], body, err
}

func writeMessage(w io.Writer, kind byte, body []byte) error {
	var b bytes.Buffer
	b.WriteByte(kind)
	_ = binary.Write(&b, binary.BigEndian, uint32(len(body)+4))
	b.Write(body)
	_, err := w.Write(b.Bytes())
	return err
}
