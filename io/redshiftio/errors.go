package redshiftio

import (
	"errors"
	"regexp"
	"strings"

	"millrace/io/driver"
)

// blame says what a statement failed by, and so what is to be done.
type blame uint8

const (
	blameStatement blame = iota // it can never go well: an error
	blameTime                   // it may go well another time
	blameRow                    // a row does not fit
	blameExists                 // what it makes is there already
	blameMissing                // what it names is not there
	blameRights
	blameReadOnly // the database takes no writes
)

// sqlFault is a statement that Redshift did not carry out. Its transaction changed
// nothing.
type sqlFault struct {
	code string // SQLSTATE; empty over the Data API, which tells none
	text string
}

func (f *sqlFault) Error() string {
	if f.code == "" {
		return f.text
	}
	return f.text + " (SQLSTATE " + f.code + ")"
}

// Texts tell what codes do not: the Data API has none, and Redshift says XX000 of much.
// The first that matches counts.
var texts = []struct {
	blame blame
	text  *regexp.Regexp
}{
	{blameRights, regexp.MustCompile(`(?i)permission denied|not authorized|access ?denied|must be owner|password authentication failed|Unable to assume`)},
	{blameReadOnly, regexp.MustCompile(`(?i)read-only transaction|transaction is read-only|database is read-only`)},
	{blameTime, regexp.MustCompile(`(?i)serializable isolation violation|\b1023\b|could not serialize|deadlock|conflict with concurrent|canceling statement|cancel+ed|aborted|` +
		`restart|shutting down|starting up|too many connections|out of memory|disk full|insufficient (resources|memory)|lock timeout|timed? ?out|\bconn(ection)? (reset|refused|closed|lost|error|failure|terminated)|I/O error|unexpected EOF|broken pipe|` +
		`SlowDown|reduce your request rate|InternalError|ServiceUnavailable|Service Unavailable|RequestTimeout|HTTP (500|502|503)|could not (connect|establish connection)|` +
		`NoSuchKey|specified key does not exist|404 \(?Not Found|does not have the file`)},
	{blameExists, regexp.MustCompile(`(?i)already exists|duplicate key value violates unique constraint "pg_`)},
	{blameMissing, regexp.MustCompile(`(?i)does not exist|NoSuchBucket`)},
	{blameStatement, regexp.MustCompile(`(?i)incompatible Parquet schema|syntax error|number of columns`)},
	{blameRow, regexp.MustCompile(`(?i)value too long|violates|null value in column|Cannot insert a NULL value|out of range|overflow|invalid (input|byte sequence)|` +
		`String contains invalid|load_error|stl_load_errors|Spectrum Scan Error|error converting`)},
}

// blame finds it by the code where that is plain, else by the text.
func (f *sqlFault) blame() blame {
	if len(f.code) == 5 && f.code != "XX000" {
		switch class := f.code[:2]; {
		case f.code == "23505" && strings.Contains(f.text, `"pg_`), f.code == "42P07", f.code == "42701", f.code == "42710":
			return blameExists
		case class == "22", class == "23":
			return blameRow
		case class == "40", class == "53", class == "55", class == "57", class == "58", class == "08":
			return blameTime
		case class == "28", f.code == "42501":
			return blameRights
		case f.code == "25006":
			return blameReadOnly
		case class == "3D", class == "3F", f.code == "42P01", f.code == "42703":
			return blameMissing
		}
		return blameStatement
	}
	for _, t := range texts {
		if t.text.MatchString(f.text) {
			return t.blame
		}
	}
	return blameStatement
}

// failed is the error of a statement that failed.
func (c *config) failed(code, text string) error {
	f := &sqlFault{code: code, text: short(text)}
	e := &driver.Error{Doing: "load into", Object: c.place, Cause: f}
	switch f.blame() {
	case blameTime:
		e.Class = driver.ErrConflict // insist leaves it to those who know how to begin anew
		e.Cure = "see what else works on the table, and STL_TR_CONFLICT"
	case blameRights:
		e.Class, e.Cure = driver.ErrPermission, "allow the user to write the table, and the role to read the stage; see docs/sinks/redshift.md"
	case blameReadOnly:
		e.Class, e.Cure = driver.ErrReadOnly, "name a database that takes writes: no datashare, replica or one that is set to read-only"
	case blameMissing:
		e.Class, e.Cure = driver.ErrNotFound, "make the schema and, with ddl=skip, the tables; see millrace ddl"
	case blameRow, blameExists, blameStatement:
		e.Class = driver.ErrInvalid
	}
	return e
}

// passes tells whether a call can go well if it is just made again.
func passes(err error) bool {
	return errors.Is(err, driver.ErrThrottled) || errors.Is(err, driver.ErrUnavailable)
}

// short bounds a text of the service that goes into an error.
func short(text string) string {
	const most = 400
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = text[:most] + "..."
	}
	return strings.ToValidUTF8(text, "\ufffd")
}
