// Package e2e tests the program as its users meet it: the built binary, run as a
// process of its own on real and generated logs, judged by its exit code, by what
// it prints and by what other readers find in the lake.
//
// It imports nothing of the pipeline, so that it stays quick to build and cannot
// agree with the program by sharing its code.
package e2e
