import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.delta.storage.LocalLogStore;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.delta.DeltaLog;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;

/**
 * Spark SQL over a socket of the loopback address, so that one JVM answers all tests: a line in is a JSON object with
 * `sql`, a line out is `{"rows": [...]}`, each row a JSON text, or `{"error": "..."}`. Every connection has a session of its own,
 * as to settings. With `fresh` nothing that was cached of any table is used. Argument: a folder for what Spark writes.
 */
public final class SparkSql {
  private static final ObjectMapper JSON = new ObjectMapper();

  private SparkSql() {}

  public static void main(String[] args) throws IOException {
    // Which alone knows the classes of this file; Spark and its threads go on with it.
    Thread.currentThread().setContextClassLoader(SparkSql.class.getClassLoader());
    SparkSession spark = session(args[0]);
    // The first table takes seconds that the first test should not.
    spark.sql("SELECT 1").collectAsList();
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      System.out.println("Spark listens on port " + server.getLocalPort());
      while (true) {
        Socket socket = server.accept();
        Thread thread = new Thread(() -> serve(spark.newSession(), socket));
        thread.setDaemon(true);
        thread.start();
      }
    }
  }

  private static SparkSession session(String folder) {
    return SparkSession.builder()
        .master("local[2]")
        .appName("interop")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.local.dir", folder + "/local")
        .config("spark.sql.warehouse.dir", folder + "/warehouse")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        // Compiling each statement costs more than reading small tables with what is there.
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        .config("spark.sql.adaptive.enabled", "false")
        // VACUUM lists a folder in that many tasks, 10,000 by default: more than a minute of a core for each statement.
        .config("spark.sql.sources.parallelPartitionDiscovery.parallelism", "2")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.delta.logStore.file.impl", ExclusiveLogStore.class.getName())
        .config("spark.databricks.delta.snapshotPartitions", "2")
        .config("spark.databricks.delta.retentionDurationCheck.enabled", "false")
        .getOrCreate();
  }

  private static void serve(SparkSession spark, Socket socket) {
    try (socket;
        BufferedReader in =
            new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(socket.getOutputStream(), false, StandardCharsets.UTF_8)) {
      SparkSession.setActiveSession(spark);
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        out.print(JSON.writeValueAsString(answer(spark, JSON.readTree(line))));
        out.print('\n');
        out.flush();
      }
    } catch (IOException e) {
      System.err.println("connection lost: " + e);
    }
  }

  private static ObjectNode answer(SparkSession spark, JsonNode request) {
    ObjectNode answer = JSON.createObjectNode();
    try {
      if (request.path("fresh").asBoolean()) DeltaLog.clearCache();
      Dataset<Row> found = spark.sql(request.get("sql").asText());
      ArrayNode rows = answer.putArray("rows");
      if (found.columns().length > 0) lines(found).collectAsList().forEach(row -> rows.add(row.getString(0)));
    } catch (Throwable e) {
      // Whatever went wrong is the answer; the next request may do better.
      answer.removeAll();
      answer.put("error", e.toString());
    }
    return answer;
  }

  /** Rows as JSON with nulls, times of six fraction digits in UTC, and floats as the doubles that they equal. */
  private static Dataset<Row> lines(Dataset<Row> found) {
    Map<String, String> options = new HashMap<>();
    options.put("ignoreNullFields", "false");
    options.put("timestampFormat", "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'");
    options.put("timestampNTZFormat", "yyyy-MM-dd'T'HH:mm:ss.SSSSSS");
    Column[] columns =
        Arrays.stream(found.schema().fields()).map(field -> column(found, field)).toArray(Column[]::new);
    return found.select(functions.to_json(functions.struct(columns), options));
  }

  private static Column column(Dataset<Row> found, StructField field) {
    Column column = found.col("`" + field.name().replace("`", "``") + "`");
    if (!field.dataType().equals(DataTypes.FloatType)) return column;
    return column.cast(DataTypes.DoubleType).as(field.name());
  }

  /**
   * Commits on disk that never replace one of another process. Delta's own store looks whether the file is there and then
   * renames over it: a commit that another process made in between would be gone, and its rows with it.
   */
  public static final class ExclusiveLogStore extends LocalLogStore {
    public ExclusiveLogStore(Configuration configuration) {
      super(configuration);
    }

    @Override
    public void write(Path path, Iterator<String> actions, Boolean overwrite, Configuration configuration)
        throws IOException {
      if (overwrite) {
        super.write(path, actions, true, configuration);
        return;
      }
      java.nio.file.Path file = java.nio.file.Path.of(path.toUri().getPath());
      java.nio.file.Path temporary = file.resolveSibling("." + file.getFileName() + "." + UUID.randomUUID() + ".tmp");
      StringBuilder text = new StringBuilder();
      actions.forEachRemaining(action -> text.append(action).append('\n'));
      Files.writeString(temporary, text);
      try {
        // A link is made or is not: unlike a rename it never takes the place of a file.
        Files.createLink(file, temporary);
      } finally {
        Files.delete(temporary);
      }
    }
  }
}
