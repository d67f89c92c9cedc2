// Package maskkey is the one piece of plumbing that wrappers may use.
package maskkey
