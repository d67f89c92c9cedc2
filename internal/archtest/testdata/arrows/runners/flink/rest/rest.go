// Package rest asks Flink.
package rest
