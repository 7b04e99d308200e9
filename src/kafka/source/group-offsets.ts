import { context, SpanKind } from '@opentelemetry/api'
import { messageOf } from '../../core/errors.ts'
import { inSpan } from '../../core/stage/span.ts'
import type { GroupMembership } from '../group/membership.ts'
import type { OffsetToCommit } from '../group/offsets.ts'
import type { SourceOptions } from './source-options.ts'

/**
 * Copies offsets to the Kafka consumer group, for lag tools; `next` is the first offset not in the table. Gives up after
 * five seconds; failures are logged and reported as events, never thrown.
 */
export async function copyOffsetsToGroup(
  membership: Pick<GroupMembership, 'commit'> | undefined,
  { topic, groupId, onEvent, log }: Pick<SourceOptions, 'topic' | 'groupId' | 'onEvent' | 'log'>,
  positions: readonly OffsetToCommit[],
): Promise<void> {
  if (membership === undefined || positions.length === 0) return
  const attributes = {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'commit',
    'messaging.operation.type': 'settle',
    'messaging.destination.name': topic,
    'messaging.consumer.group.name': groupId,
  }
  const commit = async (): Promise<void> => {
    const { refused } = await membership.commit(positions)
    if (refused.length > 0)
      throw new Error(refused.map(({ partition, error }) => `${partition}: ${error}`).join(', '))
  }
  try {
    await inSpan(context.active(), `commit ${topic}`, attributes, commit, SpanKind.CLIENT)
    onEvent?.({ kind: 'offsets-committed', partitions: positions.length })
  } catch (error) {
    log?.warn(
      { topic, error: messageOf(error) },
      'Offsets were not committed to the Kafka group; nothing is lost, since reading resumes from the table',
    )
    onEvent?.({ kind: 'offsets-failed', error })
  }
}
