import org.codelibs.opensearch.runner.OpenSearchRunner;
import org.opensearch.core.common.transport.TransportAddress;
import org.opensearch.http.HttpServerTransport;

/**
 * One OpenSearch node, reached from this machine alone: {@code Node FOLDER}. It says READY and its
 * address on standard output once it serves, and ends with its standard input, taking the folder
 * with it.
 */
public final class Node {
  public static void main(String[] args) throws Exception {
    OpenSearchRunner runner = new OpenSearchRunner();
    Thread end =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {}
                runner.close();
                runner.clean();
              } catch (Exception e) {
                e.printStackTrace();
              } finally {
                Runtime.getRuntime().halt(0);
              }
            });
    end.setDaemon(true);
    end.start();
    runner
        .onBuild(
            (number, settings) -> {
              settings.put("network.host", "127.0.0.1");
              settings.put("http.port", "0");
              settings.put("transport.port", "0");
              settings.put("discovery.type", "single-node");
              // A disk that is nearly full is no reason to refuse the few rows of a test.
              settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
            })
        .build(
            OpenSearchRunner.newConfigs()
                .numOfNode(1)
                .basePath(args[0])
                .clusterName("millrace")
                .disableESLogger());
    runner.ensureYellow();
    TransportAddress address =
        runner
            .node()
            .injector()
            .getInstance(HttpServerTransport.class)
            .boundAddress()
            .publishAddress();
    System.out.println("READY " + address.getAddress() + ":" + address.getPort());
    Thread.currentThread().join();
  }
}
