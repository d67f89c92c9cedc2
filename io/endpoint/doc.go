// Package endpoint turns URLs into sources and sinks and puts them on Beam. It
// is the only Beam code of io: the drivers are plain Go.
//
// Read is one splittable DoFn for every source; Write is one sink for every
// output. Places are URLs, in one literal table; an unknown parameter is an
// error and a credential is refused.
package endpoint
