import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.streaming.Trigger;

/**
 * Reads a topic of web requests to its end into a Delta table with Structured Streaming, on two cores, and prints what that
 * took as one line of JSON: rows, seconds of wall time and of CPU, without and with the start of Spark, peak memory in bytes.
 * Arguments: brokers, topic, folder for the table, folder for what Spark writes.
 */
public final class SparkStream {
  private static final String SCHEMA =
      "meta struct<producer:struct<timestamp:timestamp>>, method string, session_id string, status int, url string, "
          + "body_bytes_sent long, uuid string";
  private static final int RECORDS_PER_BATCH = 500_000;

  private SparkStream() {}

  public static void main(String[] args) throws Exception {
    Thread.currentThread().setContextClassLoader(SparkStream.class.getClassLoader());
    SparkSession spark = session(args[3]);
    spark.sql("SELECT 1").collectAsList();
    double startCpuS = cpuSeconds();
    long start = System.nanoTime();
    Dataset<Row> source =
        spark
            .readStream()
            .format("kafka")
            .option("kafka.bootstrap.servers", args[0])
            .option("subscribe", args[1])
            .option("startingOffsets", "earliest")
            .option("maxOffsetsPerTrigger", RECORDS_PER_BATCH)
            .load();
    source
        .select(functions.from_json(functions.col("value").cast("string"), SCHEMA, new java.util.HashMap<>()).alias("r"))
        .select("r.*")
        .writeStream()
        .format("delta")
        .option("checkpointLocation", args[3] + "/checkpoint")
        .trigger(Trigger.AvailableNow())
        .start(args[2])
        .awaitTermination();
    double wallS = (System.nanoTime() - start) / 1e9;
    double cpuS = cpuSeconds();
    long rows = spark.read().format("delta").load(args[2]).count();
    System.out.printf(
        Locale.ROOT,
        "{\"records\":%d,\"wallS\":%.3f,\"cpuS\":%.3f,\"startCpuS\":%.3f,\"rssBytesMax\":%d}%n",
        rows, wallS, cpuS - startCpuS, startCpuS, peakBytes());
    spark.stop();
  }

  private static SparkSession session(String folder) {
    return SparkSession.builder()
        .master("local[2]")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.warehouse.dir", folder + "/warehouse")
        .config("spark.local.dir", folder + "/local")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate();
  }

  private static double cpuSeconds() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e9;
  }

  /** The largest resident memory so far, as Linux counts it; 0 elsewhere. */
  private static long peakBytes() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) return 0;
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmHWM"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
        .findFirst()
        .orElse(0);
  }
}
