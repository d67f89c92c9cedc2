// Package redshiftio writes rows into a table of Amazon Redshift: staged as Parquet on
// S3, loaded by COPY, merged by their identity. It guarantees:
//
//   - Every row written is stored, or told of as refused, when Flush or Close return
//     without error.
//   - A row is in the table once, by its identity (see the parameter id), although
//     Redshift enforces no keys: rows are deduplicated before they are staged, and
//     merged with what is there.
//   - Where rows have a column version, that of the greatest version stays in whatever
//     order they come; of one version a sealed row counts more than a provisional one.
//     Where they have none, the first row of an identity stays.
//   - A withdrawn row stays, marked so, since what is deleted has no version: the view
//     TABLE_current leaves it out.
//   - A load is one transaction. It notes its id, made of its content, in TABLE_loads,
//     so a load that comes again changes nothing, and takes the lock of that table
//     first, so loads of one table follow each other.
//   - A row that does not fit is refused and holds up no others, see limits.go and
//     Sink.load.
//   - While Redshift or S3 are away, calls wait until their context ends. Memory is
//     bounded, see config.memory.
//
// Redshift is reached by its Data API, or over PostgreSQL's protocol (via=wire).
package redshiftio
