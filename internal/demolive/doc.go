// Command demolive shows the weblogs job live: a simulated server farm plays into
// a Kinesis stream, Flink runs the job over it, and the batch job then reads the
// raw archive that the live run has kept. Both must have written the same rows.
//
// Everything runs on this machine and is reached from it alone. All processes belong
// to one group, which ends with this program, in whatever way it ends.
package main
