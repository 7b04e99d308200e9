import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { END_AGE_MS_MAX } from '../fetch/end-offsets.ts'
import type { PartitionStatus } from './source-options.ts'
import type { Watermark } from './watermarks.ts'

/** Holds the position of an assigned partition. Replaced, not reused, when the partition is assigned or abandoned. */
export interface Position {
  readonly partition: number
  /** Changes when the position is abandoned; work that started under another ticket is discarded. */
  readonly ticket: number
  /** True if `next` is known, so that batches may be emitted. */
  live: boolean
  /** Last offset emitted, or the offset in the table; `undefined` if the table has none. */
  follows: bigint | undefined
  /** The next offset to emit. */
  next: bigint
  /** The table's `txn` version known to this member. */
  committed: bigint | undefined
  /** Newest end offset reported by a broker; `undefined` until one has reported it. */
  high: bigint | undefined
  /** Time at which a broker last reported the end offset. */
  highAtMs: number
}

/** Describes the position of a partition that was determined from the table. */
interface LocatedPosition {
  readonly position: Position
  /**
   * The offset before the start, if reading starts at the end of a partition without an offset in the table. It must be
   * committed, so that a restart does not skip records.
   */
  readonly pin: bigint | undefined
}

/** Holds the positions of the assigned partitions of one topic, without I/O. */
export class Positions {
  readonly #topic: string
  readonly #startFrom: 'earliest' | 'latest'
  readonly #clock: Clock
  readonly #byPartition = new Map<number, Position>()
  /** The table's `txn` versions that were seen, also of partitions that are not assigned now. */
  readonly #committed = new Map<number, bigint>()
  #assignment: readonly number[] | undefined
  #tickets = 0

  constructor(topic: string, startFrom: 'earliest' | 'latest', clock: Clock = systemClock) {
    this.#topic = topic
    this.#startFrom = startFrom
    this.#clock = clock
  }

  /** Adds newly assigned partitions. Each waits for its offset in the table. */
  add(partitions: readonly number[]): readonly Position[] {
    const added = partitions.map((partition) => this.#waiting(partition))
    for (const position of added) this.#byPartition.set(position.partition, position)
    this.#assignment = this.#partitions()
    return added
  }

  /** Removes partitions that are no longer assigned, or that were lost: then it is unknown who reads them. */
  remove(partitions: readonly Pick<Position, 'partition'>[], { areLost } = { areLost: false }): void {
    for (const { partition } of partitions) this.#byPartition.delete(partition)
    if (!areLost) this.#assignment = this.#partitions()
  }

  /**
   * Returns the partitions that were last assigned, including those lost since, ascending; `undefined` before the first
   * assignment. With `isSettled` the present partitions are the assignment, even if there are none.
   */
  assignment(isSettled: boolean): readonly number[] | undefined {
    if (isSettled) this.#assignment = this.#partitions()
    return this.#assignment
  }

  /** Discards the position of a partition and returns a new one, or `undefined` if it is not assigned. */
  abandon(partition: number): Position | undefined {
    if (!this.#byPartition.has(partition)) return undefined
    const position = this.#waiting(partition)
    this.#byPartition.set(partition, position)
    return position
  }

  get(partition: number): Position | undefined {
    return this.#byPartition.get(partition)
  }

  all(): readonly Position[] {
    return [...this.#byPartition.values()]
  }

  /** Returns how far every assigned partition was read and committed, in the order of their numbers. */
  status(): readonly PartitionStatus[] {
    const freshMs = this.#clock.now() - END_AGE_MS_MAX
    return this.all()
      .map(({ partition, live, next, committed, high, highAtMs }) => ({
        ...{ partition, live, next, committed },
        end: highAtMs >= freshMs ? high : undefined,
      }))
      .sort((a, b) => a.partition - b.partition)
  }

  /** Returns whether the position was not replaced. */
  isCurrent(position: Position): boolean {
    return this.#byPartition.get(position.partition)?.ticket === position.ticket
  }

  /**
   * Sets a position by its offset in the table and makes it live. Returns `undefined` if the position was replaced meanwhile.
   * @throws KD_OFFSETS_VANISHED if the broker does not hold the offset that the table expects next
   */
  locate(position: Position, txn: bigint | undefined, mark: Watermark): LocatedPosition | undefined {
    if (!this.isCurrent(position)) return undefined
    const previous = this.#committed.get(position.partition)
    if (txn !== undefined) {
      this.assertAvailable(position.partition, txn + 1n, mark)
      this.#committed.set(position.partition, txn)
      Object.assign(position, { follows: txn, next: txn + 1n, committed: txn, live: true })
      this.#noteEnd(position, mark.high)
      return { position, pin: undefined }
    }
    if (previous !== undefined) {
      throw new PipelineError(
        'KD_OFFSETS_VANISHED',
        'the table had a txn for the partition and has none now',
        { topic: this.#topic, partition: position.partition, expected: previous + 1n },
      )
    }
    const next = this.#startFrom === 'earliest' ? mark.low : mark.high
    Object.assign(position, { follows: undefined, next, committed: undefined, live: true })
    this.#noteEnd(position, mark.high)
    return { position, pin: this.#startFrom === 'latest' && next > 0n ? next - 1n : undefined }
  }

  /** Moves a live position past `last`. */
  advance(position: Position, last: bigint): void {
    position.follows = last
    position.next = last + 1n
    if (position.high !== undefined && position.high < position.next) position.high = position.next
  }

  /** Notes the end offsets of partitions. */
  noteEndOffsets(marks: ReadonlyMap<number, Watermark>): void {
    // A fetch reports one partition at a time, of a thousand perhaps.
    for (const [partition, { high }] of marks) {
      const position = this.#byPartition.get(partition)
      if (position?.live === true) this.#noteEnd(position, high)
    }
  }

  /** A broker that is behind reports an older end, which is none the less an answer. */
  #noteEnd(position: Position, high: bigint): void {
    if (position.high === undefined || high > position.high) position.high = high
    position.highAtMs = this.#clock.now()
  }

  /** Notes the last committed offset of a partition. */
  committed(partition: number, last: bigint): void {
    this.#committed.set(partition, last)
    const position = this.#byPartition.get(partition)
    if (position !== undefined && (position.committed === undefined || position.committed < last)) {
      position.committed = last
    }
  }

  /**
   * Checks that the broker holds the offset `next`.
   * @throws KD_OFFSETS_VANISHED if `next` is before the start or past the end of the log
   */
  assertAvailable(partition: number, next: bigint, mark: Watermark): void {
    const where = { topic: this.#topic, partition, expected: next, logStart: mark.low, logEnd: mark.high }
    if (next < mark.low) {
      throw new PipelineError(
        'KD_OFFSETS_VANISHED',
        'the log starts after the expected offset; records were deleted, for example by retention',
        where,
      )
    }
    if (next > mark.high) {
      throw new PipelineError(
        'KD_OFFSETS_VANISHED',
        'the log ends before the expected offset; the topic may have been deleted and created again',
        where,
      )
    }
  }

  #partitions(): readonly number[] {
    return [...this.#byPartition.keys()].sort((a, b) => a - b)
  }

  #waiting(partition: number): Position {
    this.#tickets += 1
    return {
      partition,
      ticket: this.#tickets,
      live: false,
      follows: undefined,
      next: 0n,
      committed: this.#committed.get(partition),
      high: undefined,
      highAtMs: -Infinity,
    }
  }
}
