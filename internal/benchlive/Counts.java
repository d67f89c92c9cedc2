import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/** Counts requests and bytes by minute and status class with Flink SQL: Counts HOST PORT PARALLELISM FOLDER. */
public class Counts {
  public static void main(String[] args) throws Exception {
    Configuration c = new Configuration();
    c.setString("execution.target", "remote");
    c.setString("rest.address", args[0]);
    c.setString("rest.port", args[1]);
    c.setString("parallelism.default", args[2]);
    c.setString("pipeline.name", "flink-sql");
    c.setString("execution.checkpointing.interval", "10 s");
    TableEnvironment t = TableEnvironment.create(EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(c).build());
    // One regular expression for each column: SQL has no way to take all from one.
    String head = "'^(\\S+) \\S+ \\S+ \\[([^\\]]+)\\] \"([^\"]*)\" (\\d{3}) (\\d+|-)'";
    // A line without a time gets an early one, and is dropped as late: Flink fails at null.
    t.executeSql("CREATE TABLE logs (line STRING,"
        + " ts AS COALESCE(TO_TIMESTAMP(REGEXP_EXTRACT(line, " + head + ", 2), 'dd/MMM/yyyy:HH:mm:ss Z'), TIMESTAMP '2000-01-01 00:00:00'),"
        + " WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE)"
        + " WITH ('connector' = 'filesystem', 'path' = '" + args[3] + "', 'format' = 'raw')");
    t.executeSql("CREATE TEMPORARY VIEW parsed AS SELECT ts, SUBSTRING(REGEXP_EXTRACT(line, " + head + ", 4), 1, 1) AS class_of,"
        + " TRY_CAST(REGEXP_EXTRACT(line, " + head + ", 5) AS BIGINT) AS size_of FROM logs");
    t.executeSql("CREATE TABLE minutes (minute_start TIMESTAMP(3), class_of STRING, requests BIGINT, size_sum BIGINT) WITH ('connector' = 'blackhole')");
    t.executeSql("INSERT INTO minutes SELECT window_start, class_of, COUNT(*), SUM(size_of)"
        + " FROM TABLE(TUMBLE(TABLE parsed, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, class_of").await();
  }
}
