import { messageOf } from '../../core/errors.ts'
import { codeOf, isPassing, type Dialect, type Failure, type Patience } from '../requests.ts'

/** How a service of AWS is reached; everything has a default. */
export interface AwsOptions {
  /** Address of a server other than that of AWS. */
  readonly endpoint?: string
  /** Default: what the SDK finds in environment and profile. */
  readonly region?: string
  /** Absent: the SDK's standard chain finds one. */
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
}

const CONNECT_MS_MAX = 5_000
const SOCKETS_MAX = 50

/** What clients of the SDK are made with: one attempt a request, bounded times and sockets, the login where there is one. */
export function awsClientOptions(options: AwsOptions, patience: Patience) {
  const { endpoint, region, accessKeyId, secretAccessKey, sessionToken } = options
  const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined
  const token = sessionToken === undefined ? {} : { sessionToken }
  const agent = { keepAlive: true, maxSockets: SOCKETS_MAX }
  return {
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECT_MS_MAX,
      requestTimeout: patience.requestMsMax,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(hasKeys ? { credentials: { accessKeyId, secretAccessKey, ...token } } : {}),
  }
}

/** How S3 and DynamoDB name things, and what the errors of their SDK mean. */
export function awsDialect(service: 'S3' | 'DynamoDB'): Dialect {
  const isS3 = service === 'S3'
  return {
    name: service.toLowerCase(),
    bucket: isS3 ? 'bucket' : 'table',
    attributesOf: ({ operation, bucket, key }) => ({
      'rpc.system': 'aws-api',
      'rpc.service': service,
      'rpc.method': operation,
      ...(isS3
        ? { 'aws.s3.bucket': bucket, 'aws.s3.key': key }
        : { 'aws.dynamodb.table_names': [bucket], 'kafka_delta.key': key }),
    }),
    failureOf,
  }
}

/** The HTTP status of an answer that the SDK threw as an error; `undefined` when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

/** The server's own name of an error, such as `NoSuchKey`. */
export function nameOf(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined
}

/** Answers that pass although their status says that the request was wrong. */
const PASSING_NAMES = new Set([
  'RequestTimeout',
  'RequestTimeoutException',
  'RequestTimeTooSkewed',
  'IncompleteBody',
  'SlowDown',
  'TimeoutError',
  'AbortError',
  'BandwidthLimitExceeded',
  'Throttling',
  'ThrottledException',
  'TooManyRequestsException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionConflictException',
  'ReplicatedWriteConflictException',
])

function failureOf(error: unknown): Failure {
  const status = statusOf(error)
  const name = nameOf(error)
  const code = codeOf(error)
  const named = [name, code].filter((part) => part !== undefined && part !== 'Error').join(' ')
  const detail = named === '' ? messageOf(error) : `${named}: ${messageOf(error)}`
  if (status === 404 && (name === 'NoSuchKey' || name === 'NotFound'))
    return { code: 'KD_STORE_NOT_FOUND', detail, status }
  const passes = PASSING_NAMES.has(name ?? '') || isPassing(status, code)
  return { code: passes ? 'KD_STORE_UNAVAILABLE' : 'KD_STORE_FAILED', detail, status }
}
