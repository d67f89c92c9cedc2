// Package kinesisio reads and writes Kinesis data streams.
//
// The source (OpenStream) polls the shards of a stream and gives their records
// as blocks with origin, arrival time, lateness and roll. It guarantees:
//
//   - Every record is given exactly once to whoever reads on from the cursor that
//     he kept with it: through splits and merges, throttling, broken connections
//     and restarts. Positions lie in cursors alone, nowhere else.
//   - The order in a shard is kept. A reader begins a shard after those of its
//     parents that it reads itself.
//   - What is late and what belongs to a roll follows from the records of a shard
//     in their order, however they are cut into calls. Two things depend on the
//     clock besides, and once decided they stand in the cursor: when an idle shard
//     no longer holds the watermark, and where a shard begins whose time the
//     reader has passed.
//   - Records that the stream dropped before they were read are told of
//     (record.Close.Lost), never passed over.
//
// Records in the format of the Kinesis Producer Library are taken apart.
//
// The producer (NewProducer) and the sink for rows (Open) put records. They
// guarantee:
//
//   - Every record accepted is stored at least once when Flush or Close return
//     without error: what the service throttles, fails or does not answer is put
//     again, record by record, until it is acknowledged or the caller gives up.
//   - A record can be stored twice, when the answer to a call was lost: Kinesis
//     recognises no repetition.
//   - Records of a key keep their order, failures included, unless given up.
//   - What the service can never accept is refused with its reason, and the others
//     go on. Memory is bounded: Put waits.
//   - Aggregated records hold what belongs to their shard. One that comes to
//     another shard, split or merged meanwhile, is put again, since readers drop
//     it.
package kinesisio
