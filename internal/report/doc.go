// Package report draws a lake of the weblogs job as one HTML page that needs
// nothing else: no network, no second file, no font.
//
// [Collect] reads the Parquet outputs of a lake into [Data], plain values that
// can be compared and stored; [Write] turns equal Data into equal bytes.
// Between the two the caller may set what the lake's files do not say:
// Data.Run and Data.Ledger, from the manifest of the run.
//
// # Figures
//
// Every number on the page is a query on the lake: counts and sums are exact,
// and shares are quotients of them. Where memory must be bounded, the number
// says so: medians come from a histogram with 1% wide bins, and a list that met
// more distinct keys than it may hold carries the greatest possible error.
// Each output is read as it stands, one row per key, as the current files of a
// batch lake hold them.
//
// # Hostile text
//
// Paths, queries, referrers and names of bots are written by whoever sends
// requests. They reach the page through html/template or as JSON inside an inert
// script element, never as markup, and the page's own content security policy
// allows exactly its own two scripts, by hash, and no connection at all.
//
// # Sections
//
// A section is one Go file, one block in templates and one entry in the list in
// sections.go; a section with a chart has one function in assets/js.
package report
