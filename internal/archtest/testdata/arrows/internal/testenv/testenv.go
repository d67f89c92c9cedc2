// Package testenv serves tests.
package testenv
