import { type Clock, systemClock } from '../../core/clock.ts'
import type { Isolation } from '../records/read-records.ts'
import type { Cluster, ClusterMetadata } from '../wire/cluster.ts'
import { type OffsetQuery, queryLeaders } from './list-offsets.ts'

/** Configures which end offsets are requested. */
export interface EndOffsetsOptions {
  /** Returns the topics to ask for; called before each request. */
  readonly topics: () => readonly string[]
  /** With `read_committed`, the end is the last stable offset. */
  readonly isolation: Isolation
  readonly clock?: Clock | undefined
}

/** Interval of the requests for end offsets. */
export const END_OFFSETS_EVERY_MS = 10_000
/** Maximum time to connect and to wait for a response, in milliseconds: shorter than the interval. */
export const END_OFFSETS_ANSWER_MS_MAX = 5_000
/** Age in milliseconds from which an end offset counts as unknown, since no broker has confirmed it. */
export const END_AGE_MS_MAX = 60_000
/** Maximum number of partitions asked for in one interval; the next interval continues after them. */
const PARTITIONS_MAX = 10_000

/** An end offset with the time at which a broker reported it; without an end, the time at which the partition was named. */
interface ReportedEnd {
  readonly end: bigint | undefined
  readonly atMs: number
}

/**
 * Keeps the end offsets of all topics of a process known, whether they are read or not: every ten seconds it sends one
 * request for metadata, and one to each broker for all partitions that it leads. An end offset that was not confirmed for a
 * minute is unknown again. Failures are not reported: those who read the topics report them.
 */
export class EndOffsets {
  readonly #cluster: Pick<Cluster, 'metadata' | 'broker' | 'close'>
  readonly #options: EndOffsetsOptions
  readonly #clock: Clock
  readonly #ends = new Map<string, Map<number, ReportedEnd>>()
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined
  /** Number of partitions at the start of the list that the present round has asked for. */
  #asked = 0

  /** Takes over `cluster` and closes it. */
  constructor(cluster: Pick<Cluster, 'metadata' | 'broker' | 'close'>, options: EndOffsetsOptions) {
    this.#cluster = cluster
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Starts the requests; the first is sent at once. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Returns the end offsets of all partitions of a topic; empty before a broker has named them, `undefined` for an unknown end. */
  of(topic: string): ReadonlyMap<number, bigint | undefined> {
    const freshMs = this.#clock.now() - END_AGE_MS_MAX
    const all = [...(this.#ends.get(topic) ?? [])]
    return new Map(all.map(([partition, { end, atMs }]) => [partition, atMs >= freshMs ? end : undefined]))
  }

  /** Ends the requests and closes the connections. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#cluster.close()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      // What is known stays until it is too old.
      await this.#refresh().catch(() => undefined)
      await this.#clock.sleep(END_OFFSETS_EVERY_MS, signal).catch(() => undefined)
    }
  }

  async #refresh(): Promise<void> {
    const topics = new Set(this.#options.topics())
    for (const topic of this.#ends.keys()) if (!topics.has(topic)) this.#ends.delete(topic)
    if (topics.size === 0) return
    const metadata = await this.#cluster.metadata([...topics], { refresh: true })
    for (const { name, partitions } of metadata.topics.values())
      for (const { partitionIndex } of partitions) this.#note(name, partitionIndex, undefined)
    const { isolation } = this.#options
    const limits = { isolation, timeoutMs: END_OFFSETS_ANSWER_MS_MAX }
    await queryLeaders(this.#cluster, metadata, this.#queriesOf(metadata), limits, {
      set: ({ topic, partition }, found) => {
        if (found !== undefined && topics.has(topic)) this.#note(topic, partition, found.offset)
      },
    })
  }

  #queriesOf({ topics }: ClusterMetadata): readonly OffsetQuery[] {
    const all = [...topics.values()].flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex }): OffsetQuery => ({
        topic: name,
        partition: partitionIndex,
        at: 'latest',
      })),
    )
    if (this.#asked >= all.length) this.#asked = 0
    const queries = all.slice(this.#asked, this.#asked + PARTITIONS_MAX)
    this.#asked += queries.length
    return queries
  }

  #note(topic: string, partition: number, end: bigint | undefined): void {
    const known = this.#ends.get(topic) ?? new Map<number, ReportedEnd>()
    if (end !== undefined || !known.has(partition)) known.set(partition, { end, atMs: this.#clock.now() })
    this.#ends.set(topic, known)
  }
}
