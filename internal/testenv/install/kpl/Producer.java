import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecord;
import software.amazon.kinesis.producer.UserRecordResult;

/**
 * Puts records with the Kinesis Producer Library, some plain and most aggregated:
 * {@code Producer HOST PORT REGION STREAM TEMPDIR} with HTTPS on that port and one record a line of
 * standard input: partition key in base64, tab, explicit hash key in decimal or nothing, tab, data
 * in base64. It ends with 1 when a record was not put or none was aggregated.
 */
public final class Producer {
  /**
   * The library aggregates what it is given at once for one shard, but only when it has asked for
   * the shards of the stream, and it does not say when it has: small pieces show it.
   */
  private static final int PROBE = 10;

  private static final int PIECE = 100;
  private static final long PAUSE_MS = 250;

  public static void main(String[] args) throws Exception {
    List<UserRecord> records = read(args[3]);
    KinesisProducer producer = new KinesisProducer(configuration(args));
    boolean aggregates = false;
    try {
      boolean alone = true; // by turns one record, which stays plain, and a piece
      for (int sent = 0, end; sent < records.size(); sent = end, alone = !alone) {
        end = Math.min(sent + (alone ? 1 : aggregates ? PIECE : PROBE), records.size());
        aggregates |= put(producer, records.subList(sent, end));
        if (!aggregates) {
          Thread.sleep(PAUSE_MS);
        }
      }
    } finally {
      producer.destroy();
    }
    if (!aggregates) {
      throw new IllegalStateException(
          "the library aggregated none of " + records.size() + " records; put more");
    }
    System.exit(0); // the library's threads would keep it alive
  }

  private static KinesisProducerConfiguration configuration(String[] args) {
    int port = Integer.parseInt(args[1]);
    return new KinesisProducerConfiguration()
        .setKinesisEndpoint(args[0])
        .setKinesisPort(port)
        .setStsEndpoint(args[0])
        .setStsPort(port)
        .setVerifyCertificate(false)
        .setRegion(args[2])
        .setTempDirectory(args[4])
        .setCredentialsProvider(EnvironmentVariableCredentialsProvider.create())
        .setMetricsLevel("none")
        .setLogLevel("warning")
        // A slow machine is no reason to give a record up or to put it twice.
        .setRecordTtl(300_000)
        .setRequestTimeout(60_000)
        .setConnectTimeout(60_000);
  }

  private static List<UserRecord> read(String stream) throws Exception {
    List<UserRecord> records = new ArrayList<>();
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] fields = line.split("\t", -1);
      UserRecord record =
          new UserRecord()
              .withStreamName(stream)
              .withPartitionKey(
                  new String(Base64.getDecoder().decode(fields[0]), StandardCharsets.UTF_8))
              .withData(ByteBuffer.wrap(Base64.getDecoder().decode(fields[2])));
      records.add(fields[1].isEmpty() ? record : record.withExplicitHashKey(fields[1]));
    }
    return records;
  }

  /** Puts records and tells whether two of them share a Kinesis record. */
  private static boolean put(KinesisProducer producer, List<UserRecord> records) throws Exception {
    List<Future<UserRecordResult>> results = new ArrayList<>();
    for (UserRecord record : records) {
      results.add(producer.addUserRecord(record));
    }
    producer.flush();
    Set<String> sequenceNumbers = new HashSet<>();
    for (Future<UserRecordResult> result : results) {
      sequenceNumbers.add(result.get().getSequenceNumber());
    }
    return sequenceNumbers.size() < records.size();
  }
}
