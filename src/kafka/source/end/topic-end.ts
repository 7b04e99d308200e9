import type { Clock } from '../../../core/clock.ts'
import { PipelineError } from '../../../core/errors.ts'
import type { Position } from '../start-positions.ts'
import type { SourceOptions } from '../source-options.ts'
import type { Watermark } from '../watermarks.ts'
import { areReached } from './wait-until-committed.ts'

/** Configures the end of a topic. */
interface TopicEndOptions extends Pick<SourceOptions, 'topic' | 'groupId' | 'resume' | 'log'> {
  readonly clock: Clock
}

/** Interval of the checks for the end. */
const CHECK_MS = 50
/** Interval in which the table is asked for what other members have committed. */
const ASK_EVERY_MS = 1_000
/** Maximum time in which other members commit nothing, in milliseconds. */
const IDLE_MS_MAX = 10 * 60_000

/**
 * Knows whether a topic is carried up to the end offsets that it had at the start (`until: 'latest'`). Partitions that
 * belong to other members of the group count once the table has their offsets: a member that was killed keeps its
 * partitions until its session times out, and a source that ends before then would leave their records out.
 */
export class TopicEnd {
  readonly #options: TopicEndOptions
  #ends: ReadonlyMap<number, bigint> | undefined
  /** Partitions that need not be read: they hold nothing, or the table has all of it. */
  readonly #carried = new Set<number>()
  #seen = ''
  #seenAtMs = 0
  #nextAtMs = 0

  constructor(options: TopicEndOptions) {
    this.#options = options
  }

  /** Interval in which to check whether the end is reached; `undefined` while there is no end. */
  get checkMs(): number | undefined {
    return this.#ends === undefined ? undefined : CHECK_MS
  }

  /** Sets the end offsets, once. */
  set(marks: ReadonlyMap<number, Watermark>): void {
    this.#ends = new Map([...marks].map(([partition, { high }]) => [partition, high]))
    this.note(marks)
  }

  /** Notes the present watermarks: records that were deleted meanwhile need not be read. */
  note(marks: ReadonlyMap<number, Watermark>): void {
    for (const [partition, end] of this.#ends ?? [])
      if ((marks.get(partition)?.low ?? 0n) >= end) this.#carried.add(partition)
  }

  /** Returns true if the assigned partitions are read up to their ends; false before the ends are set. */
  isReachedBy(positions: readonly Position[]): boolean {
    return areReached(positions, this.#ends)
  }

  /** Returns the partitions, ascending, that are neither assigned nor known to be carried. */
  missing(positions: readonly Position[]): readonly number[] {
    const own = new Set(positions.map(({ partition }) => partition))
    return [...(this.#ends?.keys() ?? [])]
      .filter((partition) => !own.has(partition) && !this.#carried.has(partition))
      .sort((a, b) => a - b)
  }

  /**
   * Asks the table for partitions that other members carry, at most once a second, once the assigned ones are read.
   * @throws KD_SOURCE_FAILED when the other members commit nothing for ten minutes; the errors of `resume`
   */
  async refreshIfDue(positions: readonly Position[]): Promise<void> {
    const { clock, resume } = this.#options
    const missing = this.isReachedBy(positions) ? this.missing(positions) : []
    if (missing.length === 0 || clock.now() < this.#nextAtMs) return
    const txns = await Promise.all(missing.map((partition) => resume(partition)))
    missing.forEach((partition, index) => {
      const next = (txns[index] ?? -1n) + 1n
      if (next >= (this.#ends?.get(partition) ?? 0n)) this.#carried.add(partition)
    })
    this.#watchProgress(missing, txns)
    this.#nextAtMs = clock.now() + ASK_EVERY_MS
  }

  #watchProgress(missing: readonly number[], txns: readonly (bigint | undefined)[]): void {
    const { clock, topic, groupId, log } = this.#options
    const seen = missing.map((partition, index) => `${partition}:${txns[index] ?? ''}`).join()
    const isFirst = this.#seen === ''
    if (seen !== this.#seen) {
      this.#seen = seen
      this.#seenAtMs = clock.now()
    }
    if (isFirst)
      log?.info(
        { topic, groupId, partitions: missing },
        'The assigned partitions are read to their ends; other members of the group have the others, and this one ends when the table has those too',
      )
    if (clock.now() - this.#seenAtMs < IDLE_MS_MAX) return
    const detail = `expected other members of group ${groupId} to commit partitions ${missing.join(', ')} up to their ends, got nothing for ${IDLE_MS_MAX / 60_000} min`
    throw new PipelineError('KD_SOURCE_FAILED', detail, { topic })
  }
}
