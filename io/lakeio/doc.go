// Package lakeio reads logs from, and writes a lake to, a file system or S3.
//
// What it guarantees. A source gives every line once, with its origin, in blocks
// that depend on the content alone. A sink writes files whose names and bytes
// follow from the rows: repeating a run overwrites and never adds. Files appear
// whole or not at all, those of a run together; an interrupted commit is finished
// or undone by the next run. One run writes to a lake at a time.
//
// Its limits. Days are UTC. Readers that must see a rewritten day all at once use
// _current; a glob can see old and new files side by side while a commit is under
// way. Sorting needs local disk of about the size of the rows.
package lakeio
