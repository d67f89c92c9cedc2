package influxio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"millrace/io/calls"
	"millrace/io/driver"
)

// message is what an answer says is wrong: error of InfluxDB 1 and 3, message of
// InfluxDB 2; texts that are neither give a piece of themselves.
func message(answer []byte) string {
	var told struct{ Error, Message string }
	if json.Unmarshal(answer, &told) == nil {
		if told.Message != "" {
			return told.Message
		}
		if told.Error != "" {
			return told.Error
		}
	}
	return string(bytes.TrimSpace(answer))
}

var droppedRows = regexp.MustCompile(` dropped=(\d{1,6})$`)

// dropped is how many rows of a call an answer says were not stored, 0 when it does
// not say.
func dropped(message string) int {
	found := droppedRows.FindStringSubmatch(message)
	if found == nil {
		return 0
	}
	n, _ := strconv.Atoi(found[1]) // some digits
	return n
}

// refusals are InfluxDB's words for what it does not take.
var refusals = []string{
	"field type conflict", "points beyond retention policy", "max-values-per-tag limit exceeded", "max-series-per-database limit exceeded",
	"max key length exceeded", "unable to parse", "time outside range", "invalid field name", "invalid tag key",
}

// code is a refusal in the server's words.
func code(status int, message string) string {
	for _, words := range refusals {
		if strings.Contains(message, words) {
			return words
		}
	}
	return fmt.Sprint("HTTP ", status)
}

// refuses tells whether a status is about rows, not about the call.
func refuses(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusUnprocessableEntity || status == http.StatusRequestEntityTooLarge
}

// answerError is the error of an answer.
func (c *config) answerError(status int, message string) error {
	text := fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))
	if message != "" {
		text = fmt.Sprintf("HTTP %d: %s", status, calls.Short([]byte(message)))
	}
	e := &driver.Error{Doing: "write to", Object: c.place, Cause: errors.New(text)}
	switch {
	case status == http.StatusUnauthorized:
		e.Class, e.Cure = driver.ErrPermission, "check login_env or key_env"
	case status == http.StatusForbidden:
		e.Class, e.Cure = driver.ErrPermission, "allow these credentials to write the database, and with check=true to read it"
	case strings.Contains(message, "database not found"), strings.Contains(message, "retention policy not found"):
		e.Class, e.Cure = driver.ErrNotFound, "make the database (CREATE DATABASE) and its retention policy, or the bucket"
	case status == http.StatusNotFound:
		e.Class, e.Cure = driver.ErrNotFound, "check the address, api=, org= and the bucket"
	case status == http.StatusTooManyRequests:
		e.Class, e.Cure = driver.ErrThrottled, "give the server more room, or lower calls and rows"
	case status >= 500:
		e.Class, e.Cure = driver.ErrUnavailable, "see what the server says of its state"
	case status >= 300 && status < 400:
		e.Class, e.Cure = driver.ErrInvalid, "the server leads elsewhere; write the address it leads to"
	case status < 300:
		e.Class, e.Cure = driver.ErrCorrupt, "check what answers at "+c.base
	default:
		e.Class = driver.ErrInvalid
	}
	return e
}

// corrupt is the error of an answer that is none.
func (c *config) corrupt(err error) error {
	return &driver.Error{
		Doing: "write to", Object: c.place, Class: driver.ErrCorrupt, Cause: err,
		Cure: "check what answers at " + c.base,
	}
}
