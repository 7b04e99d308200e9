import { context, SpanKind, type Attributes, type Span } from '@opentelemetry/api'
import { PipelineError } from '../core/errors.ts'
import { inSpan } from '../core/stage/span.ts'
import type { AccessCircuit } from '../resilience/access-circuit.ts'
import type { CircuitBreaker } from '../resilience/circuit-breaker.ts'
import { Retries, DEFAULT_RETRY_POLICY, type RetryPolicy } from '../resilience/retries.ts'
import { accessOf, type BlockedAccess } from './blocked-access.ts'
import type { PutIfAbsentOutcome } from './store.ts'

/** Describes one request to a store for spans and errors. */
export interface StoreRequest {
  /** Name of the operation in the server's API, such as `PutObject`. */
  readonly operation: string
  /** Bucket, container or DynamoDB table. */
  readonly bucket: string
  /** Key in the bucket, or prefix of a listing. */
  readonly key: string
  /** Size of the request body. */
  readonly bytes?: number
}

/** Configures retries and the duration of requests to a store. */
export interface StoreRetryPolicy extends RetryPolicy {
  /** Time that one attempt may take including its body, in milliseconds. */
  readonly attemptTimeoutMs: number
}

/** The default policy: six attempts within about six seconds, each of at most a minute. */
export const DEFAULT_STORE_RETRY_POLICY: StoreRetryPolicy = {
  ...DEFAULT_RETRY_POLICY,
  attemptTimeoutMs: 60_000,
}

/** Configures the requests of a store; everything has a default. */
export interface StoreRequestOptions {
  /** Defaults: `DEFAULT_STORE_RETRY_POLICY`. */
  readonly retryPolicy?: Partial<StoreRetryPolicy>
  /** Circuit of the server; without it requests never wait. */
  readonly circuit?: CircuitBreaker
  /** Circuit of the access to the table; without it requests never wait for a permission. */
  readonly access?: AccessCircuit
}

/** Classifies an error of a client library. */
export interface StoreFailure {
  readonly code: 'KD_STORE_NOT_FOUND' | 'KD_STORE_UNAVAILABLE' | 'KD_STORE_FAILED'
  /** Name and message of the error, without secrets. */
  readonly detail: string
  /** HTTP status of the response; absent without a response. */
  readonly status?: number | undefined
  /** Present if the store takes no such requests until something outside changes. */
  readonly blocked?: BlockedAccess | undefined
}

/** Adapts spans and errors to the API of a server. */
export interface StoreDialect {
  /** First word of span names. */
  readonly name: string
  /** Name of a bucket in the API, used in errors. */
  readonly bucket: string
  attributesOf(request: StoreRequest): Attributes
  failureOf(error: unknown, request: StoreRequest): StoreFailure
}

/** Sends a request once; `signal` aborts when its time is over. */
export type StoreAttempt<T> = (signal: AbortSignal) => Promise<T>

/**
 * Sends requests to a store, each attempt in a child span of the active span, and converts failures into `PipelineError`s.
 * The retries of the client libraries are off, so that every repeated request is repeated here.
 */
export class Requests {
  readonly #dialect: StoreDialect
  readonly #attemptTimeoutMs: number
  readonly #retries: Retries
  readonly #circuit: CircuitBreaker | undefined
  readonly #access: AccessCircuit | undefined

  constructor(dialect: StoreDialect, { retryPolicy = {}, circuit, access }: StoreRequestOptions = {}) {
    const whole = { ...DEFAULT_STORE_RETRY_POLICY, ...retryPolicy }
    this.#dialect = dialect
    this.#attemptTimeoutMs = whole.attemptTimeoutMs
    this.#circuit = circuit
    this.#retries = new Retries(whole, circuit)
    this.#access = access
  }

  /** Sends an idempotent request and retries it by the retry policy; waits while a circuit is open. */
  sendWithRetries<T>(request: StoreRequest, attempt: StoreAttempt<T>): Promise<T> {
    return this.#withAccess(request, () => this.#retries.run((count) => this.#send(request, count, attempt)))
  }

  /** Sends a request exactly once, immediately, whatever the state of the circuit. */
  sendOnce<T>(request: StoreRequest, attempt: StoreAttempt<T>): Promise<T> {
    return this.#send(request, 1, attempt)
  }

  /**
   * Sends a conditional put, which creates and never replaces. It is never retried: "exists" as the answer to a retry could
   * mean the object of our own first request, whose response was lost. So `isTaken` always means the object of another
   * writer, and every unclear failure is `unknown`. While a circuit is open the request waits and nothing is sent. Only
   * after a refusal, which creates nothing, it is sent again.
   */
  putIfAbsent(
    request: StoreRequest,
    put: StoreAttempt<unknown>,
    isTaken: (error: unknown) => boolean,
  ): Promise<PutIfAbsentOutcome> {
    return this.#withAccess(request, () => this.#putOnceIfAbsent(request, put, isTaken))
  }

  async #putOnceIfAbsent(
    request: StoreRequest,
    put: StoreAttempt<unknown>,
    isTaken: (error: unknown) => boolean,
  ): Promise<PutIfAbsentOutcome> {
    let sent = 0
    try {
      return await this.#retries.once(() => {
        sent++
        return this.sendOnce(request, async (signal) => {
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

  #withAccess<T>({ operation }: StoreRequest, send: () => Promise<T>): Promise<T> {
    return this.#access === undefined ? send() : this.#access.run(accessOf(operation), send)
  }

  /**
   * Returns whether a refusal is an outage: the access has worked before, or the cause is never the configuration. Deletes
   * do not wait, so their refusal never is one.
   */
  #isOutage({ operation }: StoreRequest, { after }: BlockedAccess): boolean {
    const access = accessOf(operation)
    if (this.#access === undefined || access === 'delete') return false
    return after === 'none' || this.#access.hasWorked(after === 'any' ? undefined : access)
  }

  #send<T>(request: StoreRequest, count: number, attempt: StoreAttempt<T>): Promise<T> {
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
        const endAttempt = this.#circuit?.trackAttempt(request.bytes)
        try {
          const value = await attempt(AbortSignal.timeout(this.#attemptTimeoutMs))
          endAttempt?.(true)
          return value
        } catch (thrown) {
          const error = this.#errorOf(thrown, request, count, span)
          endAttempt?.(error.context['status'] !== undefined)
          throw error
        }
      },
      SpanKind.CLIENT,
    )
  }

  /*
   * The error of a client library is not kept as the cause: it contains the request with its signature, and servers
   * repeat access keys in their responses. Name, status and message say what happened.
   */
  #errorOf(error: unknown, request: StoreRequest, count: number, span: Span): PipelineError {
    if (error instanceof PipelineError) return error
    const failure = this.#dialect.failureOf(error, request)
    const { status, blocked } = failure
    if (status !== undefined) span.setAttribute('http.response.status_code', status)
    const isOutage = blocked !== undefined && this.#isOutage(request, blocked)
    const code = isOutage ? 'KD_STORE_BLOCKED' : failure.code
    const seconds = Math.ceil((this.#access?.openMs ?? 0) / 1000)
    const parts = [failure.detail, isOutage ? `trying again every ${seconds} s` : undefined, blocked?.remedy]
    const detail = parts.filter((part) => part !== undefined).join('; ')
    return new PipelineError(code, detail, {
      operation: request.operation,
      [this.#dialect.bucket]: request.bucket,
      key: request.key,
      status,
      attempts: count > 1 ? count : undefined,
    })
  }
}

const TRANSIENT_STATUSES = new Set([408, 409, 425, 429])
/** Error codes of connections that failed or broke; refused certificates are not among them. */
const TRANSIENT_CODES = new Set([
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
  'ENFILE',
  'ENOMEM',
  'ENOBUFS',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  'ABORT_ERR',
  'HPE_INVALID_CONSTANT',
])

/**
 * Returns whether a retry may succeed, by the status of the response or, without a response, by the error code of the
 * connection. A failure despite a status below 300 (an invalid body) is transient; 501 (not supported) is not.
 */
export function isTransient(status: number | undefined, code: string | undefined): boolean {
  if (status !== undefined)
    return status < 300 || TRANSIENT_STATUSES.has(status) || (status >= 500 && status !== 501)
  return code !== undefined && TRANSIENT_CODES.has(code)
}

/** Returns the `code` of an error of the system or a client library. */
export function errorCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
