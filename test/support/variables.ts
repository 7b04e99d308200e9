/** Brokers of the run, comma-separated, as `npm test` sets them. */
export const BROKERS_VARIABLE = 'KAFKA_DELTA_TEST_BROKERS'
/** The S3 server of the run, an `S3Address` as JSON, as `npm test` sets it. */
export const S3_VARIABLE = 'KAFKA_DELTA_TEST_S3'
