import { messageOf, PipelineError } from '../../core/errors.ts'
import type { FetchEvent } from '../fetch/fetch-options.ts'
import type { GroupEvent } from '../group/membership.ts'
import type { AnswersChange } from '../wire/network/answer-monitor.ts'
import type { SourceOptions } from './source-options.ts'

/** Number of consecutive refusals of one request that are logged once as a warning: about ten seconds with backoff. */
const REFUSALS_PER_WARNING = 10

/** Reports that no broker answers, or that one answers again, as an event of the source. */
export function reportAnswers(change: AnswersChange, { onEvent }: Pick<SourceOptions, 'onEvent'>): void {
  onEvent?.(change.isAnswering ? { kind: 'brokers-answer' } : { kind: 'brokers-silent', error: change.error })
}

/** Logs that a broker refuses to serve a partition; a refusal that lasts is a warning. */
export function reportFetchRefusal(
  event: Extract<FetchEvent, { readonly kind: 'refused' }>,
  { log }: Pick<SourceOptions, 'log'>,
): void {
  if (event.refusals % REFUSALS_PER_WARNING === 0)
    log?.warn({ ...event }, 'A broker refuses to serve a partition; the request is repeated')
  else log?.debug({ ...event }, 'Fetching')
}

/**
 * Logs an event of the consumer group and reports it as an event of the source. A request without a response is an event;
 * a request that the coordinator refuses is logged, as a warning if that lasts.
 */
export function reportGroupEvent(
  event: GroupEvent,
  { log, onEvent }: Pick<SourceOptions, 'log' | 'onEvent'>,
): void {
  if (event.kind === 'rebalancing') onEvent?.({ kind: 'rebalancing' })
  if (event.kind === 'retrying' && event.error !== undefined)
    onEvent?.({ kind: 'restarting', error: event.error })
  if (event.kind === 'retrying' && event.attempt > 0 && event.attempt % REFUSALS_PER_WARNING === 0)
    log?.warn({ group: event }, 'The coordinator of the consumer group refuses a request; it is repeated')
  else log?.debug({ group: event }, 'Consumer group')
}

/** Returns the error that ends a source: a `PipelineError` as it is, any other as KD_SOURCE_FAILED. */
export function sourceFailureOf(
  error: unknown,
  { topic, groupId }: Pick<SourceOptions, 'topic' | 'groupId'>,
): PipelineError {
  if (error instanceof PipelineError) return error
  return new PipelineError('KD_SOURCE_FAILED', messageOf(error), { topic, groupId }, { cause: error })
}
