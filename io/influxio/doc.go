// Package influxio writes rows as points of a time series in line protocol, which
// InfluxDB, Amazon Timestream for InfluxDB and others take.
//
// A point is what its measurement, its tags and its time say, and so follows from the
// row, which takes its own place when it comes again. The sink guarantees:
//
//   - Every row written is stored, or told of as refused, when Flush or Close
//     return without error.
//   - Where rows have a column version, that of the greatest version stays in
//     whatever order they come, a sealed row before a provisional one of its
//     version. InfluxDB knows no versions: the sink asks for those that are there
//     before it writes where there can be any. So it holds for writings that come one after the other, and
//     always among the rows of one sink; two sinks that write the same point at the
//     same second can cross. With check=false what is written last stays.
//   - A withdrawn row stays as a point with withdrawn=true and zeros, so that it adds
//     nothing to sums.
//   - A row that is refused does not hold up the others of its call.
//   - While the server is away, calls wait until their context ends. Memory is
//     bounded, see config.memory.
package influxio
