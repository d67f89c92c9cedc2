// Package run keeps every rule.
package run
