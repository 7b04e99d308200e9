import { messageOf, PipelineError } from '../../core/errors.ts'
import type { GroupEvent } from '../group/membership.ts'
import type { SourceOptions } from './source-options.ts'

/** Logs an event of the consumer group and reports it as an event of the source. */
export function reportGroupEvent(
  event: GroupEvent,
  { log, onEvent }: Pick<SourceOptions, 'log' | 'onEvent'>,
): void {
  if (event.kind === 'rebalancing') onEvent?.({ kind: 'rebalancing' })
  if (event.kind === 'retrying')
    onEvent?.({ kind: 'restarting', error: new Error(`${event.step}: ${event.reason}`) })
  log?.debug({ group: event }, 'Consumer group')
}

/** Returns the error that ends a source: a `PipelineError` as it is, any other as KD_SOURCE_FAILED. */
export function sourceFailureOf(
  error: unknown,
  { topic, groupId }: Pick<SourceOptions, 'topic' | 'groupId'>,
): PipelineError {
  if (error instanceof PipelineError) return error
  return new PipelineError('KD_SOURCE_FAILED', messageOf(error), { topic, groupId }, { cause: error })
}
