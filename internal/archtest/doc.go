// Package archtest holds the tests that look at the repository as a whole: that
// the import rules of .golangci.yml bite, and that sources, documents and fuzz
// corpora keep the habits CONTRIBUTING.md names. It has no product code.
package archtest
