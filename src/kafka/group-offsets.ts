import type { Consumer } from 'kafkajs'
import type { Clock } from '../core/clock.ts'
import { messageOf } from '../core/errors.ts'
import type { SourceOptions } from './source-options.ts'

const COMMIT_TIMEOUT_MS = 5_000

/**
 * Copies offsets to the Kafka group, for lag tools: `next` is the first offset not in the table. Advisory: gives up after
 * five seconds, logs and tells of failures, never throws.
 */
export async function copyOffsets(
  consumer: Consumer | undefined,
  { topic, onEvent, log }: Pick<SourceOptions, 'topic' | 'onEvent' | 'log'>,
  clock: Clock,
  offsets: readonly { readonly partition: number; readonly next: bigint }[],
): Promise<void> {
  if (consumer === undefined || offsets.length === 0) return
  const over = new AbortController()
  const tooLate = clock.sleep(COMMIT_TIMEOUT_MS, over.signal).then(
    () => true,
    () => false,
  )
  try {
    const commit = consumer.commitOffsets(
      offsets.map(({ partition, next }) => ({ topic, partition, offset: next.toString() })),
    )
    const late = await Promise.race([commit, tooLate])
    if (late === true) throw new Error(`no answer within ${COMMIT_TIMEOUT_MS} ms`)
    onEvent?.({ kind: 'offsets-committed', partitions: offsets.length })
  } catch (error) {
    log?.warn(
      { topic, error: messageOf(error) },
      'Offsets were not copied to the Kafka group; the table has them',
    )
    onEvent?.({ kind: 'offsets-failed', error })
  } finally {
    over.abort()
  }
}
