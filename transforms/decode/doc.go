// Package decode turns raw lines of access logs into fields: those of web servers
// by a Parser, those of load balancers, CDNs and whatever else a Spec names by a
// Decoder. docs/formats.md says what becomes of their fields.
//
// The Parser reads the Apache formats common, combined and vhost_combined, which nginx
// and most other servers can write too:
//
//	common          client ident user [time] "request" status bytes
//	combined        common + "referrer" "user agent"
//	vhost_combined  server:port + combined
//
// Every line becomes exactly one event or one [badrow.Reason]. The parser is
// written by hand over bytes: it allocates nothing for a line once its scratch
// has grown, never panics and never looks past the line.
//
// # What is tolerated
//
//   - A line in another of the three formats than the file's: logs change
//     format in mid-file, and tools concatenate them. What the layout of the
//     line says wins; the file's format decides only where both readings are
//     possible.
//   - Fields after the last known one. Many servers append a duration, an
//     upstream or a request id. They are not read, but a quoted one must close.
//   - A double quote inside a word of a quoted field. A quote closes the field
//     only before a space or the end of the line.
//   - User names with spaces, and with brackets: the time is the last bracketed
//     text before the first `] "`.
//   - A byte order mark before the first field.
//
// # What is refused
//
// An unclosed quoted field makes the line [badrow.Truncated] whatever else is
// wrong with it: what is missing is unknown, and what is there cannot be
// judged. A quote that opens a new word inside a quoted field counts as a
// second field, so two lines torn into one are refused and never read as one
// event with the other's text inside. A line that breaks off between two
// fields is Truncated too.
//
// # Text
//
// Servers escape what could break a line: \" and \\, \n \t and the like, \xNN.
// Escapes are undone where that gives printable UTF-8. Every other byte
// (control characters, DEL, C1 controls, invalid UTF-8, whether raw or escaped)
// is written as \xnn in lower case. So each field is valid UTF-8 without control
// characters, and equal bytes give equal text whichever server wrote them.
// Percent-encoding belongs to the URL, not to the log, and stays.
//
// Fields that may carry personal data are [pii.Text]. The others are limited to
// a form that cannot hold any: a method is at most 24 capital letters, hyphens
// and underscores, a protocol is NAME/DIGIT[.DIGIT], a server name consists of
// host name characters. A request line outside that form is kept as Request.
package decode
