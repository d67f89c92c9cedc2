package table

import "slices"

// MaskClass says what was done to the text of a column so that it may be stored.
// Every text column declares one; a schema without is refused.
type MaskClass string

// The mask classes; Doc explains each.
const (
	MaskNone      MaskClass = "none"
	MaskToken     MaskClass = "token"
	MaskTruncated MaskClass = "truncated"
	MaskScanned   MaskClass = "scanned"
	MaskSkeleton  MaskClass = "skeleton"
	MaskHash      MaskClass = "hash"
	MaskSealed    MaskClass = "sealed"
	MaskPlain     MaskClass = "plain"
)

var (
	maskClasses = []MaskClass{MaskNone, MaskToken, MaskTruncated, MaskScanned, MaskSkeleton, MaskHash, MaskSealed, MaskPlain}
	maskDocs    = map[MaskClass]string{
		MaskNone:      "vocabulary of ours or of a standard: cannot hold personal data",
		MaskToken:     "keyed token",
		MaskTruncated: "network part of an address",
		MaskScanned:   "free text with findings replaced",
		MaskSkeleton:  "character classes only",
		MaskHash:      "digest of content or of an origin",
		MaskSealed:    "encrypted",
		MaskPlain:     "stored as it came, by explicit request only",
	}
)

// MaskClasses lists the mask classes.
func MaskClasses() []MaskClass { return slices.Clone(maskClasses) }

// Doc explains the class in a few words.
func (m MaskClass) Doc() string { return maskDocs[m] }
