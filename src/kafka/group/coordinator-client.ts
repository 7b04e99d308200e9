import type { Clock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { backoffMs } from '../../resilience/backoff.ts'
import type { ApiName, RequestBody, ResponseBody } from '../wire/apis.ts'
import type { BrokerConnection } from '../wire/broker.ts'
import type { Cluster } from '../wire/cluster.ts'
import { errorNameOf } from '../wire/error-codes.ts'

import { type GroupStep, type GroupReaction, groupReactionTo } from './group-reactions.ts'

const BACKOFF = { minBackoffMs: 100, maxBackoffMs: 1_000 }

/** Describes an event of a coordinator client: it found the coordinator, or it retries a failed request. */
export type CoordinatorEvent =
  | { readonly kind: 'coordinator'; readonly nodeId: number }
  /** A step failed and is tried again. */
  | {
      readonly kind: 'retrying'
      readonly step: GroupStep
      readonly reason: string
      readonly pauseMs: number
      /** Failed attempts before this one. */
      readonly attempt: number
      /** The failure of a request without a response; absent if the coordinator refused the request. */
      readonly error?: PipelineError
    }

/** Configures a coordinator client. */
interface CoordinatorClientOptions {
  readonly cluster: Pick<Cluster, 'broker' | 'coordinator'>
  readonly groupId: string
  readonly onEvent?: ((event: CoordinatorEvent) => void) | undefined
}

/** Describes a request to the coordinator of a group. */
interface CoordinatorRequest<A extends ApiName> {
  readonly step: GroupStep
  readonly api: A
  /** Returns the body; called for each attempt. */
  readonly body: (connection: BrokerConnection) => RequestBody<A>
  /** Returns the error code of a response; 0 if there is no error. */
  readonly errorCodeOf: (response: ResponseBody<A>) => number
  readonly timeoutMs: number
  readonly versionMax?: number
  /** Ends the attempts when it aborts. */
  readonly signal: AbortSignal
  /**
   * Returns whether a join or sync occupies the coordinator's connection; then another connection is used, because a
   * broker processes one request per connection at a time.
   */
  readonly isConnectionBlocked?: () => boolean
}

/**
 * Describes the result of a request. Failures of a coordinator that moves, loads or restarts are retried until the
 * abort.
 */
export type CoordinatorResult<A extends ApiName> =
  | { readonly kind: 'answered'; readonly response: ResponseBody<A> }
  | {
      readonly kind: 'refused'
      readonly response: ResponseBody<A>
      readonly errorCode: number
      readonly reaction: GroupReaction
    }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'failed'; readonly error: PipelineError }

/** Sends requests to the current coordinator of a group. */
export class CoordinatorClient {
  readonly #options: CoordinatorClientOptions
  readonly #clock: Clock
  readonly #random: () => number
  #nodeId: number | undefined

  constructor(options: CoordinatorClientOptions, clock: Clock, random: () => number) {
    this.#options = options
    this.#clock = clock
    this.#random = random
  }

  /** Node id of the coordinator; `undefined` until it is known. */
  get nodeId(): number | undefined {
    return this.#nodeId
  }

  /** Sends a request until the coordinator accepts or finally refuses it. Never throws. */
  async call<A extends ApiName>(call: CoordinatorRequest<A>): Promise<CoordinatorResult<A>> {
    let refresh = false
    for (let attempt = 0; !call.signal.aborted; attempt++) {
      let reason: string
      let silence: PipelineError | undefined
      try {
        const connecting = this.#connection(refresh, call.isConnectionBlocked?.() ?? false)
        const connection = await unlessAborted(connecting, call.signal)
        refresh = false
        if (isAborted(call.signal)) break
        const { timeoutMs, signal, versionMax } = call
        const response = await connection.request(call.api, call.body(connection), {
          timeoutMs,
          signal,
          ...(versionMax === undefined ? {} : { versionMax }),
        })
        const errorCode = call.errorCodeOf(response)
        if (errorCode === 0) return { kind: 'answered', response }
        const reaction = groupReactionTo(call.step, errorCode)
        if (reaction.kind !== 'retry' && reaction.kind !== 'find-coordinator') {
          return { kind: 'refused', response, errorCode, reaction }
        }
        refresh = reaction.kind === 'find-coordinator'
        reason = errorNameOf(errorCode)
      } catch (error) {
        if (isAborted(call.signal)) break
        if (!isTransient(error)) return { kind: 'failed', error: pipelineErrorOf(error) }
        refresh = true
        reason = messageOf(error)
        silence = error
      }
      await this.pause(call.step, reason, attempt, call.signal, silence)
    }
    return { kind: 'aborted' }
  }

  /**
   * Waits with exponential backoff after attempt `attempt` and emits `retrying`; returns at once when the signal
   * aborts.
   */
  async pause(
    step: GroupStep,
    reason: string,
    attempt: number,
    signal: AbortSignal,
    error?: PipelineError,
  ): Promise<void> {
    const pauseMs = Math.round(backoffMs(attempt + 1, { ...BACKOFF, random: this.#random }))
    const failure = error === undefined ? {} : { error }
    this.#options.onEvent?.({ kind: 'retrying', step, reason, pauseMs, attempt, ...failure })
    await this.#clock.sleep(pauseMs, signal).catch(() => undefined)
  }

  async #connection(refresh: boolean, isConnectionBlocked: boolean): Promise<BrokerConnection> {
    const { cluster, groupId, onEvent } = this.#options
    if (isConnectionBlocked && !refresh && this.#nodeId !== undefined) return cluster.broker(this.#nodeId)
    const connection = await cluster.coordinator(groupId, { refresh })
    if (connection.nodeId !== this.#nodeId) {
      this.#nodeId = connection.nodeId
      onEvent?.({ kind: 'coordinator', nodeId: connection.nodeId })
    }
    return isConnectionBlocked ? cluster.broker(connection.nodeId) : connection
  }
}

/** Returns whether an error is transient: brokers are unreachable, or a connection broke while it was being secured. */
function isTransient(error: unknown): error is PipelineError {
  return (
    error instanceof PipelineError &&
    error.retryable &&
    (error.code === 'KD_KAFKA_UNREACHABLE' || error.code === 'KD_KAFKA_TLS_FAILED')
  )
}

/** Returns a thrown value as a `PipelineError`; wraps other errors in KD_SOURCE_FAILED. */
export function pipelineErrorOf(error: unknown): PipelineError {
  if (error instanceof PipelineError) return error
  return new PipelineError('KD_SOURCE_FAILED', messageOf(error), {}, { cause: error })
}

/** Returns whether a signal has aborted; a call hides the property from TypeScript's narrowing across awaits. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

/** Resolves as the promise does, unless the signal aborts first: looking up brokers that are gone can take long. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new Error('The call was aborted'))
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Resolves when the promise is settled or the signal aborts, whichever comes first. */
export async function settledOrAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  await unlessAborted(promise, signal).catch(() => undefined)
}
