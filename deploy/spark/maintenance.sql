-- Maintains one table that kafka-delta writes with table.maintenance: external. Run it every day or hour while the service
-- runs:
--
--   spark-sql --packages io.delta:delta-spark_4.2_2.13:4.4.0 \
--     --conf spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension \
--     --conf spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog \
--     -d table=s3a://lake/events/user_events -f maintenance.sql
--
-- Combines small files of a partition into large ones. The rows do not change, so the service can append at the same time.
OPTIMIZE delta.`${table}`;

-- Deletes files that no version of the last seven days needs. Do not use a shorter time: a running flush or a reader may need
-- these files.
VACUUM delta.`${table}` RETAIN 168 HOURS;
