import java.nio.file.Path;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;

/** One node of Elasticsearch on loopback, without a login: {@code Node HOME PORT}. */
public class Node {
    public static void main(String[] arguments) throws Exception {
        LogConfigurator.configureESLogging();
        Path home = Path.of(arguments[0]);
        Settings settings = Settings.builder()
            .put("path.home", home)
            .put("path.data", home.resolve("data"))
            .put("path.logs", home.resolve("logs"))
            .put("cluster.name", "tests")
            .put("node.name", "tests")
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", arguments[1])
            .build();
        new org.elasticsearch.node.Node(new Environment(settings, home.resolve("config"))).start();
        System.out.println("http://127.0.0.1:" + arguments[1]);
        Thread.sleep(Long.MAX_VALUE);
    }
}
