import type { StoreRequestOptions } from '../requests.ts'

/** Configures the access to a service of AWS; everything has a default. */
export interface AwsOptions {
  /** Address of another server than that of AWS. */
  readonly endpoint?: string
  /** Default: the region of the environment or the profile. */
  readonly region?: string
  /** Default: the standard credential chain of the SDK. */
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
}

/** Configures the access to S3; everything has a default. */
export interface S3StoreOptions extends AwsOptions, StoreRequestOptions {
  /** Puts the bucket in the path instead of the host name; default false. */
  readonly forcePathStyle?: boolean
  /** Objects of at least this size are uploaded in parts of 8 MiB; default 16 MiB. */
  readonly multipartBytesMin?: number
}
