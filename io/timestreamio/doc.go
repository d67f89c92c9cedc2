// Package timestreamio writes rows as records of Amazon Timestream for LiveAnalytics,
// by WriteRecords.
//
// A record is what its dimensions, its measure name and its time say, and so follows
// from the row, which takes its own place when it comes again. The sink guarantees:
//
//   - Every row written is stored, or told of as refused, when Flush or Close
//     return without error.
//   - Where rows have a column version, that of the greatest version stays in
//     whatever order they come, since it goes along as the record's Version; a sealed
//     row counts more than a provisional one of its version.
//   - A withdrawn row stays as a record with withdrawn=true: Timestream deletes none.
//   - A row that is refused does not hold up the others of its call. One that is older
//     than the memory store goes to the magnetic store where the table has that on,
//     and is refused where not.
//   - While Timestream is away or throttles, calls wait until their context ends.
//     Memory is bounded, see config.memory.
package timestreamio
