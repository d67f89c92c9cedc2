// Package flink submits pipelines to Apache Flink through Beam's job server, with
// the options that this program's live shape needs: the stock runner of the Go
// SDK can pass none of them. It is also what a worker runs that Flink starts.
//
// The packages below it know no Beam, but for workerpool, which starts workers
// where Flink cannot: dist finds the pinned pieces, cluster keeps a local cluster,
// jobserver runs Beam's job server, rest asks Flink.
package flink
