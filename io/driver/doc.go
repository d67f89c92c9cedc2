// Package driver is what every endpoint implements, in plain Go: no Beam, no
// registration, no globals.
//
// A source is bounded work cut into splits. Splits are planned once, travel as
// JSON, and are opened anywhere: on another machine, or again after a crash,
// and then give the same blocks. Nothing here decides delivery; a caller that
// processes every split once has read every record once.
//
// Errors carry a class (ErrNotFound, ErrPermission, ...) to be tested with
// errors.Is, and a text that names the object and what to do about it.
package driver
