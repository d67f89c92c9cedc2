// Submits a streaming SQL job to a cluster: counts of random numbers per second
// of event time. The first argument is the cluster's folder of configuration, the
// second "runs" or "fails", the third a savepoint to begin with. It prints the
// job's id.
//
//	java -cp 'LIB/*' Job.java CONF runs [SAVEPOINT]
//
// No class of its own crosses to the cluster, so it needs no jar.

import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;

public class Job {
	public static void main(String[] args) throws Exception {
		Configuration conf = GlobalConfiguration.loadConfiguration(args[0]);
		if (args.length > 2) {
			conf.setString("execution.savepoint.path", args[2]);
		}
		int port = Integer.parseInt(conf.toMap().get("rest.port"));
		StreamExecutionEnvironment env = StreamExecutionEnvironment.createRemoteEnvironment("127.0.0.1", port, conf);
		env.setParallelism(2);
		StreamTableEnvironment tables = StreamTableEnvironment.create(env);
		tables.getConfig().set("pipeline.name", args[1]);
		tables.executeSql("CREATE TABLE numbers (n INT, t AS CAST(CURRENT_TIMESTAMP AS TIMESTAMP_LTZ(3)),"
				+ " WATERMARK FOR t AS t - INTERVAL '1' SECOND)"
				+ " WITH ('connector' = 'datagen', 'rows-per-second' = '100', 'fields.n.min' = '0', 'fields.n.max' = '9')");
		tables.executeSql("CREATE TABLE nowhere (n INT, s TIMESTAMP(3), c BIGINT) WITH ('connector' = 'blackhole')");
		String n = args[1].equals("fails") ? "CAST('no number' || CAST(n AS STRING) AS INT)" : "n";
		String id = tables.executeSql("INSERT INTO nowhere SELECT " + n + ", window_start, COUNT(*)"
				+ " FROM TABLE(TUMBLE(TABLE numbers, DESCRIPTOR(t), INTERVAL '1' SECOND))"
				+ " GROUP BY n, window_start, window_end").getJobClient().get().getJobID().toString();
		System.out.println(id);
	}
}
