/** Brokers of the run, comma-separated, as `npm test` sets them. */
export const BROKERS_VARIABLE = 'KAFKA_DELTA_TEST_BROKERS'
/** The S3 server of the run, an `S3Address` as JSON, as `npm test` sets it. */
export const S3_VARIABLE = 'KAFKA_DELTA_TEST_S3'
/** Port of the Spark of the run, as `npm run test:interop` sets it. */
export const SPARK_VARIABLE = 'KAFKA_DELTA_TEST_SPARK'
/** The DynamoDB server of the run, a `DynamoAddress` as JSON, as `npm test` sets it. */
export const DYNAMO_VARIABLE = 'KAFKA_DELTA_TEST_DYNAMODB'
/** The Blob server of the run, an `AzureAddress` as JSON, as `npm test` sets it. */
export const AZURE_VARIABLE = 'KAFKA_DELTA_TEST_AZURE'
/** The Cloud Storage server of the run, a `GcsAddress` as JSON, as `npm test` sets it. */
export const GCS_VARIABLE = 'KAFKA_DELTA_TEST_GCS'
