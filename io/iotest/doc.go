// Package iotest holds the suites that every driver runs, against files and
// against real servers alike: what all sources and what all sinks guarantee is
// written, and tested, once. A driver's test makes a harness and calls
// RunSourceTests, RunStreamTests or RunSinkTests; a guarantee that a kind of source cannot have (a stream has no
// copies) is left out by leaving the harness's function nil, one of a sink by not
// claiming the ability.
package iotest
