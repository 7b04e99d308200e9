import type { Admin } from 'kafkajs'
import { ExponentialBackoff, handleAll, retry } from 'cockatiel'
import type { Clock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { kafkaFault } from './faults.ts'

/**
 * What a broker holds of one partition: `low` is the first offset still there, `high` the last stable offset, behind
 * which no transaction is open: what a reader of committed records can reach now. (kafkajs asks for committed records
 * where nothing is said.)
 */
export interface Watermark {
  readonly low: bigint
  readonly high: bigint
}

const ATTEMPTS_MAX = 6

/** Reads log start and end offsets of one topic; reconnects after a failure, since kafkajs keeps outdated leaders otherwise. */
export class Watermarks {
  readonly #connect: () => Promise<Admin>
  readonly #topic: string
  #admin: Promise<Admin> | undefined

  constructor(connect: () => Promise<Admin>, topic: string) {
    this.#connect = connect
    this.#topic = topic
  }

  /**
   * Every partition's watermark, read now.
   * @throws KD_TOPIC_MISSING, KD_SOURCE_FAILED after six attempts, and what `connect` throws.
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
          // What a retry cannot fix leaves the policy as a value.
          const fault = kafkaFault(error, { topic: this.#topic })
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
      // The connection is being given up: how it ends does not matter.
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

/** How often the ends of logs are asked for while nothing is fetched, in milliseconds. */
const ASK_EVERY_MS = 15_000

/** Who wants to know how far logs reach. */
interface Hearing {
  heard(marks: ReadonlyMap<number, Watermark>): void
}

/** Asks for the ends of logs while nothing is fetched, which would tell them: what is known of the lag must not stand still. */
export class EndsWhileWaiting {
  readonly #watermarks: Pick<Watermarks, 'read'>
  readonly #positions: Hearing
  readonly #clock: Pick<Clock, 'now'>
  #askedAtMs = -Infinity
  #isAsking = false

  constructor(watermarks: Pick<Watermarks, 'read'>, positions: Hearing, clock: Pick<Clock, 'now'>) {
    this.#watermarks = watermarks
    this.#positions = positions
    this.#clock = clock
  }

  /** A heartbeat that looks how far the logs reach, now and then, and does not wait for the answer. */
  beside(heartbeat: () => Promise<void>): () => Promise<void> {
    return () => {
      this.#look()
      return heartbeat()
    }
  }

  #look(): void {
    if (this.#isAsking || this.#clock.now() - this.#askedAtMs < ASK_EVERY_MS) return
    this.#isAsking = true
    this.#askedAtMs = this.#clock.now()
    void this.#watermarks
      .read()
      // Brokers that do not answer say nothing new; who fetches next learns why.
      .then(
        (marks) => this.#positions.heard(marks),
        () => undefined,
      )
      .finally(() => (this.#isAsking = false))
  }
}

/** Whether the cluster knows the topic. */
export async function topicExists(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return topics.some((one) => one.name === topic && one.partitions.length > 0)
  } catch (error) {
    if (isUnknownTopic(error)) return false
    throw error
  }
}

/**
 * Whether every partition of a topic has a leader that knows that it leads. A broker's metadata names it a moment before,
 * and in that moment kafkajs's producer sends the partitions that were taken once more with those that were refused.
 */
export async function isLed(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const partitions = topics.find((one) => one.name === topic)?.partitions ?? []
    if (partitions.length === 0 || partitions.some(({ leader }) => leader < 0)) return false
    // Only a leader answers this.
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
