// Package mask makes text safe to keep: it replaces e-mail addresses and numbers of
// cards, accounts, telephones and persons by keyed tokens and secrets by the word
// REDACTED, truncates addresses and derives visitor ids. It is plain Go: no Beam, no clock, no I/O.
//
// What it guarantees for the text it writes:
//
//   - Nothing it can find is left: masked text, masked again, stays as it is.
//   - What is no finding stays byte for byte; valid UTF-8 stays valid.
//   - Equal values give equal tokens under one key, on every machine and in
//     every run. A token already in the text is never taken apart.
//
// It finds what has a shape: addresses, numbers with check digits or beside a word that
// says what they are, credentials with a known form, values of parameters with a
// secret's name, each also percent-encoded in whole or in part and several times over. It does not find
// names or postal addresses; those are for the fields that hold them, by the
// methods of a Policy.
package mask

// redacted replaces a secret.
const redacted = "REDACTED"

// Where says which field a text comes from; it decides where the value of a
// parameter ends and whether a plus may be a space.
type Where uint8

// The fields of a request.
const (
	FreeText  Where = iota // anything else, for example an unreadable request line
	Path                   // path of a URL, without query
	Query                  // query of a URL, without the question mark
	Referrer               // whole URL
	UserAgent              // user agent
)

// Finding is a stretch of text that masking replaces: Start and End are byte
// offsets in the text as it came, encoded or not.
type Finding struct {
	Type       Type
	Start, End int
}
