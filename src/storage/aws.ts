import { messageOf } from '../core/errors.ts'
import { codeOf, isPassing, type Dialect, type Failure } from './requests.ts'

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
  'RequestTimeTooSkewed',
  'SlowDown',
  'TimeoutError',
  'AbortError',
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
