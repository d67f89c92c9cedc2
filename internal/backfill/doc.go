// Package backfill tests what no single package can show: that the archive of
// what was read live gives the rows of the live run again.
package backfill
