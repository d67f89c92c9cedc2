package maskpolicy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"millrace/transforms/mask"
)

// File is a policy as it was read. It can be kept as JSON.
type File struct {
	mask.Policy
	Name  string         // of the file, as it was given
	Lines map[string]int // of keys, and of those below fields and findings: "fields.user"
}

// Reversible tells whether the policy asks for a vault; a nil File does not.
func (f *File) Reversible() bool { return f != nil && len(f.Policy.Reversible) > 0 }

// Rules is the policy as JSON: equal policies are equal texts, whatever their files
// look like.
func (f *File) Rules() (string, error) {
	b, err := json.Marshal(f.Policy) // maps are written in the order of their keys
	return string(b), err
}

// Version names the policy by its rules: 16 hexadecimal digits of SHA-256.
func (f *File) Version() (string, error) {
	rules, err := f.Rules()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(rules))
	return hex.EncodeToString(sum[:8]), nil
}

// CheckJob holds the policy against the fields of a job, and reports every rule that
// means none of them, and every one that would let through what the job promises to
// mask, with file and line.
func (f *File) CheckJob(fields mask.Fields) error {
	var faults []error
	note := func(what string, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("%s:%d: %w", f.Name, f.Lines[what], err))
		}
	}
	note("unknown", mask.CheckRowUnknown(f.Unknown))
	for _, pattern := range slices.Sorted(maps.Keys(f.Fields)) {
		note("fields."+pattern, f.CheckRule(fields, pattern, f.Fields[pattern]))
	}
	for _, t := range slices.Sorted(maps.Keys(f.Findings)) {
		note("findings."+string(t), mask.CheckRowFinding(t, f.Findings[t]))
	}
	note("types", mask.CheckRowTypes(f.Types))
	return errors.Join(faults...)
}
