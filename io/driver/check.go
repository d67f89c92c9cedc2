package driver

import "context"

// Check is one thing that was looked at before a run.
type Check struct {
	What  string // "reach", "login", "mapping"; a word or two
	Found string // what was found, when it is well
	Err   error  // what is wrong, with its cure; nil when it is well
}

// Checker is a sink that can find out whether rows would be taken, without writing
// any. It asks what it can ask with the rights it needs for writing, waits for
// nothing, and looks at all there is to look at even when something is wrong.
type Checker interface {
	Check(ctx context.Context) []Check
}
