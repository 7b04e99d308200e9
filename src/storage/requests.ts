import { context, SpanKind, type Attributes, type Span } from '@opentelemetry/api'
import { PipelineError } from '../core/errors.ts'
import { inSpan } from '../core/stage/span.ts'
import type { CircuitBreaker } from '../resilience/circuit-breaker.ts'
import { Retries, RETRY, type RetryPatience } from '../resilience/retries.ts'
import type { PutIfAbsentOutcome } from './store.ts'

/** One request to a server that stores things: what stands in its span and its errors. */
export interface StoreRequest {
  /** Name of the operation in the server's API, such as `PutObject`. */
  readonly operation: string
  /** Bucket, container or table that it goes to. */
  readonly bucket: string
  /** Key in the bucket, or the prefix of a listing. */
  readonly key: string
  /** Size of the body that is sent. */
  readonly bytes?: number
}

/** How hard is tried. */
export interface Patience extends RetryPatience {
  /** How long one attempt may take, its body included, in milliseconds. */
  readonly requestMsMax: number
}

/** Six attempts over about six seconds; an attempt may take a minute. */
export const PATIENCE: Patience = { ...RETRY, requestMsMax: 60_000 }

/** How hard a store tries, and whether it knows of the server's state; everything has a default. */
export interface Persistence {
  /** See `PATIENCE` for the defaults. */
  readonly patience?: Partial<Patience>
  /** Through which all requests go; without one, none waits for a server that fails. */
  readonly circuit?: CircuitBreaker
}

/** What an error of a client library means. */
export interface Failure {
  readonly code: 'KD_STORE_NOT_FOUND' | 'KD_STORE_UNAVAILABLE' | 'KD_STORE_FAILED'
  /** Name and message, without secrets. */
  readonly detail: string
  /** HTTP status of the answer; absent when there was none. */
  readonly status?: number | undefined
}

/** What differs between the APIs of servers. */
export interface Dialect {
  /** First word of the names of spans. */
  readonly name: string
  /** What the API calls a bucket: the name under which it stands in errors. */
  readonly bucket: string
  attributesOf(request: StoreRequest): Attributes
  failureOf(error: unknown, request: StoreRequest): Failure
}

/** Carries a request out once; `signal` aborts when its time is over. */
export type Attempt<T> = (signal: AbortSignal) => Promise<T>

/**
 * Sends requests, each attempt in a span of its own below the active one, and turns what fails into errors of the
 * catalogue. The retries of client libraries are off, so that a repeated request is always one that we repeated.
 */
export class Requests {
  readonly #dialect: Dialect
  readonly #requestMsMax: number
  readonly #retries: Retries

  constructor(dialect: Dialect, { patience = {}, circuit }: Persistence = {}) {
    const whole = { ...PATIENCE, ...patience }
    this.#dialect = dialect
    this.#requestMsMax = whole.requestMsMax
    this.#retries = new Retries(whole, circuit)
  }

  /** Sends a request that may be repeated, and repeats it while a retry may help; waits while the circuit is open. */
  retried<T>(request: StoreRequest, attempt: Attempt<T>): Promise<T> {
    return this.#retries.run((count) => this.#send(request, count, attempt))
  }

  /** Sends a request exactly once, now, whatever is known of the server. */
  once<T>(request: StoreRequest, attempt: Attempt<T>): Promise<T> {
    return this.#send(request, 1, attempt)
  }

  /**
   * Sends a put that creates and never replaces. Once and never again: an answer that the object exists could be about our
   * own first request, whose answer was lost. So `isTaken` always means somebody else's object, and whatever does not tell
   * is `unknown`. While the circuit is open nothing is sent, and nothing is ambiguous.
   */
  async putIfAbsent(
    request: StoreRequest,
    put: Attempt<unknown>,
    isTaken: (error: unknown) => boolean,
  ): Promise<PutIfAbsentOutcome> {
    let sent = 0
    try {
      return await this.#retries.once(() => {
        sent++
        return this.once(request, async (signal) => {
          try {
            await put(signal)
            return 'created'
          } catch (error) {
            if (isTaken(error)) return 'exists'
            throw error
          }
        })
      })
    } catch (error) {
      const isUnknown = error instanceof PipelineError && error.code === 'KD_STORE_UNAVAILABLE'
      if (sent > 0 && isUnknown) return 'unknown'
      throw error
    }
  }

  #send<T>(request: StoreRequest, count: number, attempt: Attempt<T>): Promise<T> {
    const attributes: Attributes = {
      ...this.#dialect.attributesOf(request),
      'kafka_delta.attempt': count,
      ...(request.bytes === undefined ? {} : { 'kafka_delta.bytes': request.bytes }),
    }
    return inSpan(
      context.active(),
      `${this.#dialect.name} ${request.operation}`,
      attributes,
      async (span) => {
        try {
          return await attempt(AbortSignal.timeout(this.#requestMsMax))
        } catch (error) {
          throw this.#errorOf(error, request, count, span)
        }
      },
      SpanKind.CLIENT,
    )
  }

  /*
   * The error of a client library is not kept as the cause: it carries the request with its signature, and servers
   * repeat access keys in their answers. Name, status and message say what happened.
   */
  #errorOf(error: unknown, request: StoreRequest, count: number, span: Span): PipelineError {
    if (error instanceof PipelineError) return error
    const { code, detail, status } = this.#dialect.failureOf(error, request)
    if (status !== undefined) span.setAttribute('http.response.status_code', status)
    return new PipelineError(code, detail, {
      operation: request.operation,
      [this.#dialect.bucket]: request.bucket,
      key: request.key,
      status,
      attempts: count > 1 ? count : undefined,
    })
  }
}

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

/**
 * Whether what failed may pass: by the status of the answer, or where there was none by the code of the connection's
 * error. An answer of 200 whose body says or is something else passes; 501 is a server that knows no such request.
 */
export function isPassing(status: number | undefined, code: string | undefined): boolean {
  if (status !== undefined)
    return status < 300 || PASSING_STATUSES.has(status) || (status >= 500 && status !== 501)
  return code !== undefined && PASSING_CODES.has(code)
}

/** The `code` of an error as systems and client libraries set it. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
