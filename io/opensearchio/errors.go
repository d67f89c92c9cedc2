package opensearchio

import (
	"errors"
	"fmt"
	"net/http"

	"millrace/io/driver"
)

// answerError is the error of an answer to a call as a whole, or of one row's
// where status and kind are those of the row.
func (c *config) answerError(status int, kind, reason string) error {
	text := fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))
	if kind != "" {
		text = fmt.Sprintf("HTTP %d %s", status, kind)
	}
	if reason != "" {
		text += ": " + reason
	}
	e := &driver.Error{Doing: "write to", Object: c.place, Cause: errors.New(text)}
	switch {
	case kind == "cluster_block_exception" && status == http.StatusForbidden:
		e.Class, e.Cure = driver.ErrReadOnly, "lift the block of the index (index.blocks.*); OpenSearch sets one itself when disks are full"
	case status == http.StatusUnauthorized:
		e.Class, e.Cure = driver.ErrPermission, "check login_env, or sigv4 and the AWS credentials"
	case status == http.StatusForbidden:
		e.Class, e.Cure = driver.ErrPermission, "allow these credentials to write the index, and to put its template or write template=skip"
	case kind == "index_not_found_exception":
		e.Class, e.Cure = driver.ErrNotFound, "make the index, or let OpenSearch make it (action.auto_create_index)"
	case status == http.StatusTooManyRequests:
		e.Class, e.Cure = driver.ErrThrottled, "give OpenSearch more room, or lower calls and bytes"
	case status >= 500:
		e.Class, e.Cure = driver.ErrUnavailable, "see what OpenSearch says of its state"
	case status == http.StatusRequestEntityTooLarge:
		e.Class = driver.ErrInvalid
	case status == http.StatusNotFound:
		e.Class, e.Cure = driver.ErrNotFound, "check the address: this is not what OpenSearch answers"
	case status >= 300 && status < 400:
		e.Class, e.Cure = driver.ErrInvalid, "the server leads elsewhere; write the address it leads to"
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
