// Package dedup finds events that came more than once.
//
// # By origin
//
// A record read twice has one origin (source and position) and so one event id.
// No state is kept for that, since what is read says it already:
//
//   - Live, io/endpoint reads a stream with a restriction that is the reader's
//     cursor, and positions lie in the runner's checkpoints alone: a restart goes on with the
//     cursor, and io/kinesisio gives every record exactly once to whoever does. What
//     a bundle gave that is done again is taken back by the runner, and files and
//     rows written meanwhile have names and ids from the data: they are written over.
//   - In a batch, the splits that io/lakeio plans divide the bytes of each content, and their
//     restriction divides the blocks. A copy of a log has its content's identity; its
//     blocks are marked (record.Block.Duplicate), as is the second of equal origins in
//     an archive. Who takes blocks counts their records as duplicates and drops them.
//   - Two runs that read one range of a stream leave overlapping rolls, which
//     ledger.Chain finds.
//
// What a producer stored twice, because it repeated a call whose answer was lost, has
// two origins. Only an id that the producer gave can tell.
//
// # By the producer's id
//
// An event is a duplicate if an event with the same id that is less in [Order] (event
// time, then which came first) lies less than the horizon before it; a pause of
// exactly the horizon makes a new event. So one event stands for
// each chain of events of an id that follow each other within the horizon: the
// least. The rule asks nothing about the order in which events are read: a batch and
// a stream keep the same ones, and a backfill of a day needs exactly the horizon
// of look-back. (Counting the horizon from the last event that was kept would need
// all there ever was.) The price is a bad producer's: an id repeated for ever is one event.
//
// # Live
//
// Events come out of order, so the first of an id to come need not be the least.
// [Deduper.Add] gives the verdict of the moment, and [Deduper.Kept] the final one,
// once the watermark has passed the event's time: everything less has come by then.
//
//   - Rows that are sealed (windows, sessions, files) wait for the watermark in any
//     case. They ask Kept then, and nothing is withdrawn.
//   - Rows that are written at once, to a sink of upserts, go by Add: First writes
//     the row; Replaces writes it, and a row of the same producer's id that was written
//     before is to be withdrawn; Joins withdraws that row and writes none. Copies of one
//     call have equal event times and come in the order of their arrival, so both are rare.
//
// What was marked late where it was read goes to [Deduper.Late], and not to Add: it
// must not displace what may have been sealed. It is a Duplicate of what is known within
// the horizon, on either side, and otherwise Beyond: what there was may have been
// forgotten. Such an event is kept, as late ones are; nothing is dropped for want
// of knowledge. A backfill judges it as any other.
//
// # State
//
// A Deduper serves one shard of ids. Its encoded form is mergeable in any order
// and partition: the ids of a bundle go into a Deduper of its own, whose bytes are kept beside
// those there are (a bag), and [Deduper.Merge] puts them together when the
// shard is asked. [Deduper.Advance] forgets what no event in time can need: an id goes a
// horizon after it was last seen, so state is bounded by the ids of one horizon.
//
// An id takes 24 bytes in a table that is filled to between a half and seven
// eighths, and about 20 bytes encoded; an id that was repeated, about 80 more in
// memory. BenchmarkMemory, with 10,000,000 ids of which 1 in 100 came twice: 348 MB in
// memory, 202 MB encoded. Who keeps slices of the ids of a horizon apart can tell by the
// [Filter] of each which he needs: 5 bytes an id.
//
// # Rows
//
// [Columns] tell where rows of a schema have what they are judged by, and a [Judge]
// decides about the rows of one shard: it serves the wrapper, transforms.Dedup, in batch and live.
//
// Ids are compared by the first 84 bits of SHA-256. Among n ids of one horizon the
// odds that an event is ever dropped for another's id are n^2/2^85: 3 in 10^12 for 10^7
// ids, 3 in 10^8 for 10^9. Nobody can make an id that collides with a given one.
//
// # Ledger
//
// A duplicate is ledger.Ledger.Duplicate, and in = events + bad + duplicate + skipped has to
// hold for its roll. It is counted where it is decided: who hands a record on to
// have it judged leaves it out of the roll's part, In included, and who judges it writes
// a part of that roll with In and either Events or Duplicate. A roll is whole when all its
// records are in, so it waits for the verdict. A correction that followed (one event
// less, one duplicate more) could come after the roll was committed.
package dedup
