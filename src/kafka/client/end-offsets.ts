import type { Admin } from 'kafkajs'
import { ExponentialBackoff, handleAll, retry } from 'cockatiel'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { kafkaFaultOf } from './faults.ts'

/**
 * Describes the offsets that a broker holds of one partition: `low` is the log start offset, `high` the last stable offset,
 * up to which a reader of committed records can read now. (kafkajs requests committed records by default.)
 */
export interface Watermark {
  readonly low: bigint
  readonly high: bigint
}

const ATTEMPTS_MAX = 6

/** Reads the watermarks of one topic; reconnects after a failure, since kafkajs would keep outdated leaders. */
export class Watermarks {
  readonly #connect: () => Promise<Admin>
  readonly #topic: string
  #admin: Promise<Admin> | undefined

  constructor(connect: () => Promise<Admin>, topic: string) {
    this.#connect = connect
    this.#topic = topic
  }

  /**
   * Reads the current watermark of every partition.
   * @throws KD_TOPIC_MISSING, KD_SOURCE_FAILED after six attempts, and the errors of `connect`
   */
  async read(): Promise<ReadonlyMap<number, Watermark>> {
    const policy = retry(
      handleAll.orWhenResult(() => false),
      {
        maxAttempts: ATTEMPTS_MAX - 1,
        backoff: new ExponentialBackoff({ initialDelay: 200, maxDelay: 3_000 }),
      },
    )
    const outcome = await policy
      .execute(async () => {
        try {
          return await this.#readOnce()
        } catch (error) {
          // Permanent errors leave the retry policy as a value.
          const fault = kafkaFaultOf(error, { topic: this.#topic })
          if (fault !== undefined && (error instanceof PipelineError || !fault.retryable)) return fault
          await this.close()
          throw error
        }
      })
      .catch((error: unknown) => {
        return new PipelineError(
          'KD_SOURCE_FAILED',
          `expected the end offsets, got: ${messageOf(error)}`,
          { topic: this.#topic },
          { cause: error },
        )
      })
    if (outcome instanceof PipelineError) throw outcome
    return outcome
  }

  /** Disconnects; a later `read` connects again. */
  async close(): Promise<void> {
    const admin = this.#admin
    this.#admin = undefined
    if (admin === undefined) return
    try {
      await (await admin).disconnect()
    } catch {
      // The connection is discarded: errors do not matter.
    }
  }

  async #readOnce(): Promise<ReadonlyMap<number, Watermark>> {
    this.#admin ??= this.#connect()
    const admin = await this.#admin
    if (!(await topicExists(admin, this.#topic))) {
      throw new PipelineError('KD_TOPIC_MISSING', 'expected the topic to exist', { topic: this.#topic })
    }
    const offsets = await admin.fetchTopicOffsets(this.#topic)
    return new Map(
      offsets.map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }]),
    )
  }
}

/** Returns whether the topic exists. */
export async function topicExists(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return topics.some(({ name, partitions }) => name === topic && partitions.length > 0)
  } catch (error) {
    if (isUnknownTopic(error)) return false
    throw error
  }
}

/**
 * Returns whether every partition of a topic has a leader that accepts requests. The metadata of a broker names a leader
 * slightly earlier; in that time the producer of kafkajs would send accepted partitions again together with refused ones.
 */
export async function hasLeaders(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const partitions = topics.find(({ name }) => name === topic)?.partitions ?? []
    if (partitions.length === 0 || partitions.some(({ leader }) => leader < 0)) return false
    // Only a leader answers this request.
    return (await admin.fetchTopicOffsets(topic)).length === partitions.length
  } catch (error) {
    if (isUnknownTopic(error) || isLeaderless(error)) return false
    throw error
  }
}

const LEADERLESS = ['LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION', 'REPLICA_NOT_AVAILABLE']

function isLeaderless(error: unknown): boolean {
  return error instanceof Error && 'type' in error && LEADERLESS.includes(String(error.type))
}

function isUnknownTopic(error: unknown): boolean {
  return error instanceof Error && 'type' in error && error.type === 'UNKNOWN_TOPIC_OR_PARTITION'
}
