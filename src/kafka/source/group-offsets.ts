import { context, SpanKind } from '@opentelemetry/api'
import type { Clock } from '../../core/clock.ts'
import { messageOf } from '../../core/errors.ts'
import { inSpan } from '../../core/stage/span.ts'
import type { GroupMembership } from '../group/membership.ts'
import type { OffsetToCommit } from '../group/offsets.ts'
import type { OwnedPartition } from '../group/ownership.ts'
import { keyOfPartition } from '../group/partitions.ts'
import type { SourceOptions } from './source-options.ts'

/** Holds the first offset of a partition that is not in the table. */
export interface NextOffset {
  readonly partition: number
  readonly next: bigint
}

/** Returns the offsets of owned partitions: a later owner of another one may have copied newer offsets already. */
export function ownedOffsetsOf(
  offsets: readonly NextOffset[],
  owned: ReadonlyMap<number, OwnedPartition>,
): readonly OffsetToCommit[] {
  return offsets.flatMap(({ partition, next }) => {
    const owner = owned.get(partition)
    return owner === undefined ? [] : [{ ...owner, next }]
  })
}

/**
 * Copies offsets to the Kafka consumer group, for lag tools; `next` is the first offset not in the table. Gives up after
 * five seconds; failures are reported as events, never thrown.
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
    log?.debug({ topic, error: messageOf(error) }, 'Offsets were not committed to the Kafka group')
    onEvent?.({ kind: 'offsets-failed', error })
  }
}

/** Longest time for which a flush waits for the copy of its offsets, and a source that closes for the last one. */
const FLUSH_WAIT_MS_MAX = 250
const CLOSE_WAIT_MS_MAX = 5_000

/**
 * Copies offsets to the Kafka consumer group, one request at a time. While the coordinator does not answer, newer offsets
 * of a partition replace those that wait, and reading goes on: the copies are for lag tools only.
 */
export class GroupOffsetCopies {
  readonly #copy: (positions: readonly OffsetToCommit[]) => Promise<void>
  readonly #clock: Clock
  readonly #waiting = new Map<string, OffsetToCommit>()
  #running: Promise<void> | undefined

  /** `copy` never rejects. */
  constructor(copy: (positions: readonly OffsetToCommit[]) => Promise<void>, clock: Clock) {
    this.#copy = copy
    this.#clock = clock
  }

  /** Copies offsets. Resolves when they are copied, after a quarter of a second, or at once while a copy is in flight. */
  async add(positions: readonly OffsetToCommit[]): Promise<void> {
    for (const position of positions) this.#waiting.set(keyOfPartition(position), position)
    if (this.#running !== undefined || positions.length === 0) return
    this.#running = this.#run().finally(() => (this.#running = undefined))
    await this.#wait(FLUSH_WAIT_MS_MAX)
  }

  /** Resolves when all offsets are copied, or after five seconds. */
  async finish(): Promise<void> {
    await this.#wait(CLOSE_WAIT_MS_MAX)
  }

  async #wait(msMax: number): Promise<void> {
    if (this.#running === undefined) return
    const copied = new AbortController()
    const late = this.#clock.sleep(msMax, copied.signal).catch(() => undefined)
    await Promise.race([this.#running, late])
    copied.abort()
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      const positions = [...this.#waiting.values()]
      this.#waiting.clear()
      await this.#copy(positions)
    }
  }
}
