// Package lakeio reads logs from, and writes a lake to, a file system or S3.
//
// What it guarantees. A source gives every line once, with its origin, in blocks
// that depend on the content alone. A sink writes files whose names and bytes
// follow from the rows: repeating a run overwrites and never adds. Files appear
// whole or not at all, those of a run together; an interrupted commit is finished
// or undone by the next run. One batch run writes to a lake at a time.
//
// Live jobs write beside it, several workers at once and each step repeatable: the
// files of a roll of records, or of a window, count from the moment their commit
// record is in _ledger. A backfill replaces what they wrote before, and never what
// they write meanwhile.
//
// Its limits. Days are UTC. Readers that must see a rewritten day all at once use
// _current; a glob can see old and new files side by side while a commit is under
// way. Sorting needs local disk of about the size of the rows.
package lakeio
