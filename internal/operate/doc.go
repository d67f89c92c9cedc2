// Package operate looks after jobs on Flink and after a local cluster: what the
// verbs status, stop, resume, cancel, savepoint and cluster of the command line
// do. It speaks to Flink's REST interface and to the lake; it submits nothing and
// knows no pipeline, so it needs no Beam.
package operate
