// Package opensearch stands for a client that benchmarks compare with.
package opensearch
