-- Keeps one table that kafka-delta writes with table.maintenance: external. Run it by day or hour, beside the service:
--
--   spark-sql --packages io.delta:delta-spark_4.2_2.13:4.4.0 \
--     --conf spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension \
--     --conf spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog \
--     -d table=s3a://lake/events/user_events -f maintenance.sql
--
-- Small files of a partition become large ones. Rows stay as they are, so appends of the service go on beside it.
OPTIMIZE delta.`${table}`;

-- Files that no version of the last seven days needs. Not less: a flush on its way, or a reader, may need them.
VACUUM delta.`${table}` RETAIN 168 HOURS;
