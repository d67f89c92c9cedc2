// Package manifest defines the record of one run that a lake keeps:
// LAKE/_runs/<run id>.json.
package manifest

import (
	"time"

	"millrace/schemas/ledger"
)

// Manifest says what a run read, with which program and settings, and what it
// wrote.
type Manifest struct {
	Run     string `json:"run"`
	Job     string `json:"job"`
	State   State  `json:"state"`
	Version string `json:"version"` // of the program
	// ConfigHash covers everything in the configuration that decides the rows.
	ConfigHash string            `json:"config_hash"`
	Settings   map[string]string `json:"settings"`
	KeyID      string            `json:"key_id"` // of the masking key
	MaskPolicy *MaskPolicy       `json:"mask_policy,omitempty"`
	Source     string            `json:"source"`
	From       string            `json:"from,omitempty"`
	To         string            `json:"to,omitempty"`
	Started    time.Time         `json:"started"`
	Seconds    float64           `json:"seconds"`
	Inputs     []Input           `json:"inputs"`
	Outputs    map[string]Output `json:"outputs"`
	// Sinks are the places where outputs went besides the lake, by their names. Those
	// of a live run count what the lake lists as refused, and not what was sent.
	Sinks  map[string]Sink `json:"sinks,omitempty"`
	Ledger Ledger          `json:"ledger"`
	Days   []string        `json:"days"`
	Files  []File          `json:"files"`
}

// MaskPolicy is by what fields were masked, where not in the job's own way. Its rules are
// among the settings.
type MaskPolicy struct {
	Name       string `json:"name"`                   // of its file
	Version    string `json:"version"`                // 16 hexadecimal digits of the SHA-256 of its rules
	VaultKeyID string `json:"vault_key_id,omitempty"` // with reversible tokens
}

// State is how a run ended.
type State string

// The ways a run that has a manifest ended; one that failed has none.
const (
	Done       State = "done"
	Unbalanced State = "unbalanced" // the ledger did not balance: nothing was committed
)

// Input is one file that was read.
type Input struct {
	Name      string `json:"name"`
	Source    string `json:"source"` // content identity
	Format    string `json:"format"`
	Bytes     int64  `json:"bytes"` // as stored
	Duplicate bool   `json:"duplicate,omitempty"`
	Digest    string `json:"digest,omitempty"` // of the stored bytes: XXH64, or the ETag of an object
}

// Output counts what one output got.
type Output struct {
	Rows  int64 `json:"rows"`
	Bytes int64 `json:"bytes"`
	Files int   `json:"files"`
}

// Sink counts the rows of one output that went to a sink.
type Sink struct {
	Output  string `json:"output"`
	URL     string `json:"url"`
	Sent    int64  `json:"sent,omitempty"`
	Refused int64  `json:"refused"` // of these; they are in the output refused
}

// File is one file of the lake.
type File struct {
	Key    string `json:"key"`
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Ledger is the run's ledger with its verdict.
type Ledger struct {
	ledger.Ledger
	Balanced bool `json:"balanced"`
}
