import { context, SpanKind } from '@opentelemetry/api'
import type { Consumer } from 'kafkajs'
import type { Clock } from '../../core/clock.ts'
import { messageOf } from '../../core/errors.ts'
import { inSpan } from '../../core/stage/span.ts'
import type { SourceOptions } from './source-options.ts'

const COMMIT_TIMEOUT_MS = 5_000

/**
 * Copies offsets to the Kafka consumer group, for lag tools; `next` is the first offset not in the table. Gives up after
 * five seconds; failures are logged and reported as events, never thrown.
 */
export async function copyOffsetsToGroup(
  consumer: Consumer | undefined,
  { topic, groupId, onEvent, log }: Pick<SourceOptions, 'topic' | 'groupId' | 'onEvent' | 'log'>,
  clock: Clock,
  offsets: readonly { readonly partition: number; readonly next: bigint }[],
): Promise<void> {
  if (consumer === undefined || offsets.length === 0) return
  const over = new AbortController()
  const tooLate = clock.sleep(COMMIT_TIMEOUT_MS, over.signal).then(
    () => true,
    () => false,
  )
  const attributes = {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'commit',
    'messaging.operation.type': 'settle',
    'messaging.destination.name': topic,
    'messaging.consumer.group.name': groupId,
  }
  const committed = async (): Promise<void> => {
    const commit = consumer.commitOffsets(
      offsets.map(({ partition, next }) => ({ topic, partition, offset: next.toString() })),
    )
    const late = await Promise.race([commit, tooLate])
    if (late === true) throw new Error(`no answer within ${COMMIT_TIMEOUT_MS} ms`)
  }
  try {
    await inSpan(context.active(), `commit ${topic}`, attributes, committed, SpanKind.CLIENT)
    onEvent?.({ kind: 'offsets-committed', partitions: offsets.length })
  } catch (error) {
    log?.warn(
      { topic, error: messageOf(error) },
      'Offsets were not committed to the Kafka group; nothing is lost, since reading resumes from the table',
    )
    onEvent?.({ kind: 'offsets-failed', error })
  } finally {
    over.abort()
  }
}
