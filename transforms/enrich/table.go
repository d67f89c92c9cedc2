package enrich

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Table is reference data that was loaded: a list, a database, codes. It does not
// change; what is newer is another table with another version. Enriched rows
// carry the version they were made with.
//
// A loader outside (files, S3; on the worker, by ETag) reads bytes, makes a table
// of them with one of the Parse functions and gives it to a Holder; rows look up
// in what the Holder has.
type Table interface {
	// Version identifies the content: 16 hexadecimal digits of its SHA-256.
	Version() string
}

// version is the version of content.
func version(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

// Missing says what becomes of events when a table is missing, broken, or fails
// at one of its entries.
type Missing string

// The policies.
const (
	Fail   Missing = "fail"    // the run ends: a wrong answer would be worse than none
	Flag   Missing = "flag"    // the event goes on without, its columns null, and says so
	BadRow Missing = "bad_row" // the event becomes a bad row
)

// ParseMissing reads a policy.
func ParseMissing(s string) (Missing, error) {
	switch m := Missing(s); m {
	case Fail, Flag, BadRow:
		return m, nil
	}
	return "", fmt.Errorf("missing reference data: %q is no policy; write fail, flag or bad_row", s)
}
