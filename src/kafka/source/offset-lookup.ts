import type { Clock } from '../../core/clock.ts'
import type { TopicIdentity } from './topic-id.ts'
import type { TopicWatermarks } from './watermarks.ts'

/** A new leader may briefly report an end offset from before its election, and a broker a topic that was deleted. */
const END_CHECKS_MAX = 5
const END_CHECK_PAUSE_MS = 500

/** Holds what the table and the brokers say of Kafka partitions. */
interface ResumeOffsets extends Pick<TopicWatermarks, 'marks'> {
  /** The table's `txn` versions, in the order of the requested partitions. */
  readonly txns: readonly (bigint | undefined)[]
}

/** Configures a lookup of offsets. */
interface OffsetLookup {
  readonly resume: (partition: number) => Promise<bigint | undefined>
  readonly identity: Pick<TopicIdentity, 'read' | 'differs' | 'confirm'>
  readonly watermarks: () => Promise<TopicWatermarks>
  readonly clock: Clock
}

/**
 * Reads the offset of every partition and the id of the topic from the table, all at once, so that a table can answer
 * from one snapshot, and then the watermarks from the broker; in this order, so that a commit of another member in between
 * does not seem to be past the end. Reads the watermarks up to five times while an end offset is lower than the offset in
 * the table, or the topic is another one than that of the table.
 * @throws KD_OFFSETS_VANISHED if it stays another one and is not accepted
 */
export async function lookUpResumeOffsets(
  partitions: readonly { readonly partition: number }[],
  { resume, identity, watermarks, clock }: OffsetLookup,
): Promise<ResumeOffsets> {
  const [storedTopicId, txns] = await Promise.all([
    identity.read(),
    Promise.all(partitions.map(({ partition }) => resume(partition))),
  ])
  for (let check = 1; ; check++) {
    const current = await watermarks()
    const isBeyond = partitions.some(({ partition }, index) => {
      const txn = txns[index]
      return txn !== undefined && txn + 1n > (current.marks.get(partition)?.high ?? 0n)
    })
    const isDoubtful = isBeyond || identity.differs(current.topicId, storedTopicId)
    if (!isDoubtful || check >= END_CHECKS_MAX) {
      const hasOffsets = txns.some((txn) => txn !== undefined)
      await identity.confirm(current.topicId, { stored: storedTopicId, hasOffsets, isBeyond })
      return { txns, marks: current.marks }
    }
    await clock.sleep(END_CHECK_PAUSE_MS)
  }
}
