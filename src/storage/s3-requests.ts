import { context, SpanKind, type Attributes, type Span } from '@opentelemetry/api'
import { ExponentialBackoff, handleWhen, retry, type RetryPolicy } from 'cockatiel'
import { messageOf, PipelineError } from '../core/errors.ts'
import { inSpan } from '../core/span.ts'

/** One request to S3: what stands in its span and its errors. */
export interface S3Request {
  /** Name of the operation in the S3 API, such as `PutObject`. */
  readonly operation: string
  readonly bucket: string
  /** Key in the bucket, or the prefix of a listing. */
  readonly key: string
  /** Size of the body that is sent. */
  readonly bytes?: number
}

/** How hard is tried. */
export interface S3Patience {
  /** Attempts of a request that may be repeated. */
  readonly attemptsMax: number
  /** First and longest pause between attempts, in milliseconds; they grow twofold, with jitter. */
  readonly pauseMsMin: number
  readonly pauseMsMax: number
  /** How long one attempt may take, its body included, in milliseconds. */
  readonly requestMsMax: number
}

/** Carries a request out once; `signal` aborts when its time is over. */
export type S3Attempt<T> = (signal: AbortSignal) => Promise<T>

/**
 * Sends requests, each attempt in a span of its own below the active one, and turns what fails into errors of the
 * catalogue. The SDK's own retries are off, so that a repeated request is always one that we repeated.
 */
export class S3Requests {
  readonly #patience: S3Patience
  readonly #policy: RetryPolicy

  constructor(patience: S3Patience) {
    this.#patience = patience
    this.#policy = retry(
      handleWhen((error) => error instanceof PipelineError && error.retryable),
      {
        maxAttempts: patience.attemptsMax - 1,
        backoff: new ExponentialBackoff({ initialDelay: patience.pauseMsMin, maxDelay: patience.pauseMsMax }),
      },
    )
  }

  /** Sends a request that may be repeated, and repeats it while a retry may help. */
  retried<T>(request: S3Request, attempt: S3Attempt<T>): Promise<T> {
    return this.#policy.execute(({ attempt: count }) => this.#send(request, count + 1, attempt))
  }

  /** Sends a request exactly once. */
  once<T>(request: S3Request, attempt: S3Attempt<T>): Promise<T> {
    return this.#send(request, 1, attempt)
  }

  #send<T>(request: S3Request, count: number, attempt: S3Attempt<T>): Promise<T> {
    const attributes: Attributes = {
      'rpc.system': 'aws-api',
      'rpc.service': 'S3',
      'rpc.method': request.operation,
      'aws.s3.bucket': request.bucket,
      'aws.s3.key': request.key,
      'kafka_delta.attempt': count,
      ...(request.bytes === undefined ? {} : { 'kafka_delta.bytes': request.bytes }),
    }
    return inSpan(
      context.active(),
      `s3 ${request.operation}`,
      attributes,
      async (span) => {
        try {
          return await attempt(AbortSignal.timeout(this.#patience.requestMsMax))
        } catch (error) {
          throw failureOf(error, request, count, span)
        }
      },
      SpanKind.CLIENT,
    )
  }
}

/** The HTTP status of an answer that the SDK threw as an error; `undefined` when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

/** S3's own name of an error, such as `NoSuchKey`. */
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
])
const PASSING_STATUSES = new Set([408, 409, 425, 429])
/** No connection, or one that broke. A certificate that is refused is not among them. */
const PASSING_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  'ABORT_ERR',
  'HPE_INVALID_CONSTANT',
])

/*
 * The SDK's error is not kept as the cause: it carries the request with its signature, and servers repeat access keys
 * in their answers. Name, status and message say what happened.
 */
function failureOf(error: unknown, request: S3Request, count: number, span: Span): unknown {
  if (error instanceof PipelineError) return error
  const status = statusOf(error)
  if (status !== undefined) span.setAttribute('http.response.status_code', status)
  const where = {
    operation: request.operation,
    bucket: request.bucket,
    key: request.key,
    status,
    attempts: count > 1 ? count : undefined,
  }
  const code = codeOf(error)
  const named = [nameOf(error), code].filter((part) => part !== undefined && part !== 'Error').join(' ')
  const detail = named === '' ? messageOf(error) : `${named}: ${messageOf(error)}`
  if (status === 404 && (nameOf(error) === 'NoSuchKey' || nameOf(error) === 'NotFound'))
    return new PipelineError('KD_STORE_NOT_FOUND', detail, where)
  return new PipelineError(
    isPassing(error, status, code) ? 'KD_STORE_UNAVAILABLE' : 'KD_STORE_FAILED',
    detail,
    where,
  )
}

function isPassing(error: unknown, status: number | undefined, code: string | undefined): boolean {
  if (PASSING_NAMES.has(nameOf(error) ?? '')) return true
  // An answer of 200 whose body says or is something else; 501 is a server that knows no such request.
  if (status !== undefined)
    return status < 300 || PASSING_STATUSES.has(status) || (status >= 500 && status !== 501)
  return code !== undefined && PASSING_CODES.has(code)
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
