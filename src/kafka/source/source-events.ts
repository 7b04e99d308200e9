import type { Clock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { RepeatLimiter } from '../../resilience/repeat-limiter.ts'
import type { FetchEvent } from '../fetch/fetch-options.ts'
import type { ReadObstacle } from '../fetch/read-obstacles.ts'
import type { GroupEvent } from '../group/membership.ts'
import type { GroupState } from '../group/states.ts'
import type { AnswersChange } from '../wire/network/answer-monitor.ts'
import type { SourceOptions } from './source-options.ts'

/** Number of consecutive refusals of one request after which they are a warning: about ten seconds with backoff. */
const REFUSALS_PER_WARNING = 10

/**
 * Time in milliseconds after which a refusal is over if it has not come again: the request is repeated within a second, and a
 * join that is accepted may wait a minute for the other members.
 */
const REFUSAL_MS = 10_000

/** States in which a member has its partitions, or takes none any more. */
const CALM: ReadonlySet<GroupState> = new Set(['stable', 'leaving', 'left', 'failed'])

/**
 * Reports what happens between a source and the brokers: as events of the source, and in the log, where single requests are
 * at the level `debug` and what lasts is a warning, at most once a minute.
 */
export class SourceReporter {
  readonly #options: Pick<SourceOptions, 'groupId' | 'log' | 'onEvent'>
  readonly #clock: Clock
  readonly #limiter: RepeatLimiter
  #silence: ReadObstacle | undefined
  #groupObstacle: ReadObstacle | undefined
  /** Time at which the obstacle of the group is over by itself; infinite if the coordinator does not respond at all. */
  #groupObstacleUntilMs = Infinity
  /** The partitions of the last event `assigned`. */
  #assigned: string | undefined

  constructor(options: Pick<SourceOptions, 'groupId' | 'log' | 'onEvent'>, clock: Clock) {
    this.#options = options
    this.#clock = clock
    this.#limiter = new RepeatLimiter(clock)
  }

  /** Reports that no broker answers, or that one answers again. */
  readonly onAnswers = (change: AnswersChange): void => {
    this.#silence = change.isAnswering ? undefined : this.#obstacleOf(messageOf(change.error))
    this.#options.onEvent?.(
      change.isAnswering ? { kind: 'brokers-answer' } : { kind: 'brokers-silent', error: change.error },
    )
  }

  /** Reports the assigned partitions, in any order. */
  onAssigned(partitions: readonly number[]): void {
    const sorted = partitions.toSorted((a, b) => a - b)
    this.#assigned = sorted.join()
    this.#options.onEvent?.({ kind: 'assigned', partitions: sorted })
  }

  /** Reports what happens while records are fetched. A request without a response is an event; a refusal that lasts is a warning. */
  onFetchEvent(event: Exclude<FetchEvent, { readonly kind: 'failed' | 'ends' }>): void {
    if (event.kind === 'broker-failed' || event.kind === 'metadata-failed')
      this.#options.onEvent?.({ kind: 'restarting', error: event.error })
    if (event.kind !== 'refused') {
      this.#options.log?.debug({ ...event }, 'Fetching')
      return
    }
    const isLasting = event.refusals % REFUSALS_PER_WARNING === 0
    this.#log(
      isLasting ? 'refused' : undefined,
      event,
      `A broker refuses to serve partition ${event.partition} (${event.reason}); the request is repeated`,
    )
  }

  /**
   * Reports an event of the consumer group. A request without a response is an event of the source; the partitions of a
   * member that has settled are one if they have changed.
   */
  onGroupEvent(event: GroupEvent, owned: readonly number[]): void {
    const { onEvent, log } = this.#options
    if (event.kind === 'rebalancing') onEvent?.({ kind: 'rebalancing' })
    // A coordinator on another broker has not refused anything yet.
    if (event.kind === 'settled' || event.kind === 'coordinator') this.#groupObstacle = undefined
    if (event.kind === 'settled') {
      if (this.#assigned !== owned.toSorted((a, b) => a - b).join()) this.onAssigned(owned)
    }
    if (event.kind === 'retrying') this.#onRetry(event)
    else log?.debug({ group: event }, 'Consumer group')
  }

  /** Returns what keeps a member in this state from reading: no broker answers, or its coordinator does not serve it. */
  obstacle(state: GroupState | undefined): ReadObstacle | undefined {
    const isOver = this.#clock.now() > this.#groupObstacleUntilMs
    if (isOver || (state !== undefined && CALM.has(state))) this.#groupObstacle = undefined
    return this.#silence ?? this.#groupObstacle
  }

  #onRetry(event: Extract<GroupEvent, { kind: 'retrying' }>): void {
    const { error, step, reason, attempt } = event
    const verb = error === undefined ? 'refuses' : 'does not answer'
    const what = `the coordinator of the consumer group ${this.#options.groupId} ${verb} the request to ${step}: ${reason}`
    const before = this.#clock.now() > this.#groupObstacleUntilMs ? undefined : this.#groupObstacle
    this.#groupObstacle = this.#obstacleOf(what, before)
    this.#groupObstacleUntilMs = error === undefined ? this.#clock.now() + REFUSAL_MS : Infinity
    if (error !== undefined) this.#options.onEvent?.({ kind: 'restarting', error })
    const isLasting = attempt > 0 && attempt % REFUSALS_PER_WARNING === 0
    // While no broker answers at all, one line of the process says so.
    this.#log(
      isLasting && this.#silence === undefined ? 'retrying' : undefined,
      { group: event },
      `${what[0]?.toUpperCase()}${what.slice(1)}; the request is repeated`,
    )
  }

  #obstacleOf(reason: string, before?: ReadObstacle): ReadObstacle {
    return { sinceMs: before?.sinceMs ?? this.#clock.now(), reason }
  }

  /** Logs a warning of the kind `key` if one is due, otherwise a line at the level `debug`. */
  #log(key: string | undefined, fields: object, message: string): void {
    const { log } = this.#options
    const occurrences = key === undefined ? undefined : this.#limiter.occurrencesIfDue(key)
    if (occurrences === undefined) log?.debug({ ...fields }, message)
    else log?.warn({ ...fields, occurrences }, message)
  }
}

/** Returns the error that ends a source: a `PipelineError` as it is, any other as KD_SOURCE_FAILED. */
export function sourceFailureOf(
  error: unknown,
  { topic, groupId }: Pick<SourceOptions, 'topic' | 'groupId'>,
): PipelineError {
  if (error instanceof PipelineError) return error
  return new PipelineError('KD_SOURCE_FAILED', messageOf(error), { topic, groupId }, { cause: error })
}

/** Returns the error of a second subscription to a source: the first one has taken its records. */
export function secondSubscriptionError({
  topic,
  groupId,
}: Pick<SourceOptions, 'topic' | 'groupId'>): PipelineError {
  const detail =
    'batches was subscribed to a second time. A source can be read once: create another one, or create it in a function that rxjs calls for each subscription (defer)'
  return new PipelineError('KD_SOURCE_FAILED', detail, { topic, groupId }, { retryable: false })
}
