// Package opensearchio writes rows into OpenSearch, by its bulk interface.
//
// A row is a document whose _id follows from the row, so that a row that comes
// again takes its own place. The sink guarantees:
//
//   - Every row written is stored, or told of as refused, when Flush or Close
//     return without error.
//   - Where rows have a column version, that of the greatest version stays in
//     whatever order they come: the version goes along as OpenSearch's external
//     one. A sealed row counts more than a provisional one of its version.
//   - A withdrawn row stays as a document with withdrawn=true, since a deleted
//     document forgets its version; the alias leaves it out.
//   - A row that is refused does not hold up the others of its call. What is
//     throttled or fails passes is sent again, row by row.
//   - While OpenSearch is away, calls wait until their context ends. Memory is
//     bounded, see Config.memory.
//
// With mode=append, rows go into a data stream: a row that comes again is
// recognised until the stream rolls over.
package opensearchio
