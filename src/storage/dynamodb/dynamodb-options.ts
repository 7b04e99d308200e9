import type { StoreRequestOptions } from '../requests.ts'
import type { AwsOptions } from '../s3/s3-options.ts'

/** Configures the access to the DynamoDB table; everything has a default. */
export interface DynamoOptions extends AwsOptions, StoreRequestOptions {
  /** Name of the DynamoDB table; default `delta_log`, as in other engines. */
  readonly table?: string
}
