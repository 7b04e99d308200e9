import { messageOf } from '../../core/errors.ts'
import { BLOCKED_ACCESSES, certificateBlockOf, type BlockedAccess } from '../blocked-access.ts'
import {
  errorCodeOf,
  isTransient,
  type StoreDialect,
  type StoreFailure,
  type StoreRetryPolicy,
} from '../requests.ts'
import type { AwsOptions } from './s3-options.ts'

const CONNECT_MS_MAX = 5_000
/** Time without a byte in either direction after which a connection is given up: a server that hangs is asked anew. */
const IDLE_MS_MAX = 20_000
const SOCKETS_MAX = 50

/** Returns the options of an SDK client: one attempt per request, bounded times and sockets, and the credentials if given. */
export function awsClientOptions(options: AwsOptions, retryPolicy: StoreRetryPolicy) {
  const { endpoint, region, accessKeyId, secretAccessKey, sessionToken } = options
  const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined
  const token = sessionToken === undefined ? {} : { sessionToken }
  const agent = { keepAlive: true, maxSockets: SOCKETS_MAX }
  return {
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECT_MS_MAX,
      requestTimeout: retryPolicy.attemptTimeoutMs,
      socketTimeout: Math.min(IDLE_MS_MAX, retryPolicy.attemptTimeoutMs),
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(hasKeys ? { credentials: { accessKeyId, secretAccessKey, ...token } } : {}),
  }
}

/** Returns the dialect that names the span attributes of S3 or DynamoDB and classifies the errors of the SDK. */
export function awsDialect(service: 'S3' | 'DynamoDB'): StoreDialect {
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

/** Returns the HTTP status of an error of the SDK; `undefined` without a response. */
export function awsStatusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

/** Returns the server's name of an error, such as `NoSuchKey`. */
export function awsErrorNameOf(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined
}

/** Names of transient errors whose status says that the request was wrong. */
const TRANSIENT_NAMES = new Set([
  'RequestTimeout',
  'RequestTimeoutException',
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

const CREDENTIAL_NAMES = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'TokenRefreshRequired',
  'InvalidToken',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSecurity',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'CredentialsProviderError',
  'TokenProviderError',
])
const CLOCK_NAMES = new Set(['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'])

/** Returns the blocked access that an error reports; the refusal of one archived object is none. */
function blockedBy(
  name: string,
  status: number | undefined,
  code: string | undefined,
): BlockedAccess | undefined {
  if (CLOCK_NAMES.has(name)) return BLOCKED_ACCESSES.clock
  if (CREDENTIAL_NAMES.has(name) || status === 401) return BLOCKED_ACCESSES.credentials
  if (name === 'NoSuchBucket') return BLOCKED_ACCESSES.bucket
  const isRefused = (status === 403 && name !== 'InvalidObjectState') || name === 'AccessDeniedException'
  if (isRefused || (name.startsWith('KMS.') && status === 400)) return BLOCKED_ACCESSES.permission
  return status === undefined ? certificateBlockOf(code) : undefined
}

function failureOf(error: unknown): StoreFailure {
  const status = awsStatusOf(error)
  const name = awsErrorNameOf(error)
  const code = errorCodeOf(error)
  const named = [name, code].filter((part) => part !== undefined && part !== 'Error').join(' ')
  const detail = named === '' ? messageOf(error) : `${named}: ${messageOf(error)}`
  if (status === 404 && (name === 'NoSuchKey' || name === 'NotFound'))
    return { code: 'KD_STORE_NOT_FOUND', detail, status }
  const mayPass = TRANSIENT_NAMES.has(name ?? '') || isTransient(status, code)
  if (mayPass) return { code: 'KD_STORE_UNAVAILABLE', detail, status }
  return { code: 'KD_STORE_FAILED', detail, status, blocked: blockedBy(name ?? '', status, code) }
}
