/**
 * Exports the store on Amazon S3 and on servers with its protocol: `kafka-delta/s3`. It loads the client of AWS; `openStore` of
 * `kafka-delta` does so when an S3 URI is opened.
 */
export { S3Store } from '../storage/s3/s3.ts'
export { DynamoLogStore } from '../storage/dynamodb/dynamodb-log.ts'
export { DynamoEntries, type CommitEntries, type CommitEntry } from '../storage/dynamodb/dynamodb-entries.ts'
export type { AwsOptions, S3StoreOptions } from '../storage/s3/s3-options.ts'
export type { DynamoOptions } from '../storage/dynamodb/dynamodb-options.ts'
