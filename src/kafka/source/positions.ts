import { PipelineError } from '../../core/errors.ts'
import type { Watermark } from '../client/end-offsets.ts'

/** Where one assigned partition stands. Replaced, not reused, whenever the partition is assigned or abandoned. */
export interface Position {
  readonly partition: number
  /** Changes whenever the position is abandoned; work that started under another ticket is void. */
  readonly ticket: number
  /** Whether `next` is known, so that batches may be emitted. */
  live: boolean
  /** Last offset emitted, or what the table answered; `undefined` when the table holds none. */
  follows: bigint | undefined
  /** The next offset to emit. */
  next: bigint
  /** The table's `txn` version as far as this member knows. */
  committed: bigint | undefined
  /** Newest end offset that a broker told. */
  high: bigint
  /** A position of the generation before, good if the table has not moved past our own commits. */
  readonly kept:
    | { readonly follows: bigint | undefined; readonly next: bigint; readonly committed: bigint | undefined }
    | undefined
}

/** What is to be done once the table has answered for a partition. */
export interface Located {
  readonly position: Position
  /** The offset before the start when reading starts at the end of a partition that the table does not know: to be committed, so that a restart does not skip. */
  readonly pin: bigint | undefined
}

/** The positions of all assigned partitions of one topic. Pure: no I/O. */
export class Positions {
  readonly #topic: string
  readonly #startFrom: 'earliest' | 'latest'
  #byPartition = new Map<number, Position>()
  #tickets = 0

  constructor(topic: string, startFrom: 'earliest' | 'latest') {
    this.#topic = topic
    this.#startFrom = startFrom
  }

  /** Takes over an assignment. Every partition waits for the table's answer; live positions are kept as a proposal when `sameMember`. */
  assign(partitions: readonly number[], sameMember: boolean): readonly Position[] {
    const before = this.#byPartition
    this.#byPartition = new Map()
    for (const partition of partitions) {
      const old = before.get(partition)
      this.#byPartition.set(partition, this.#waiting(partition, sameMember ? keep(old) : undefined))
    }
    return [...this.#byPartition.values()]
  }

  /** Forgets where a partition stood; `undefined` when it is not assigned. */
  abandon(partition: number): Position | undefined {
    if (!this.#byPartition.has(partition)) return undefined
    const position = this.#waiting(partition, undefined)
    this.#byPartition.set(partition, position)
    return position
  }

  get(partition: number): Position | undefined {
    return this.#byPartition.get(partition)
  }

  all(): readonly Position[] {
    return [...this.#byPartition.values()]
  }

  /** Whether the position is still the one that counts. */
  current(position: Position): boolean {
    return this.#byPartition.get(position.partition)?.ticket === position.ticket
  }

  /**
   * Makes a position live with the table's answer. `undefined` when the partition was taken or abandoned meanwhile.
   * @throws KD_OFFSETS_VANISHED when the broker no longer holds, or never held, what the table expects next.
   */
  locate(position: Position, txn: bigint | undefined, mark: Watermark): Located | undefined {
    if (!this.current(position)) return undefined
    const { kept } = position
    if (kept !== undefined && goodStill(kept, txn)) {
      this.checkKept(position.partition, kept.next, mark)
      Object.assign(position, kept, { committed: txn, high: mark.high, live: true })
      return { position, pin: undefined }
    }
    if (txn !== undefined) {
      this.checkKept(position.partition, txn + 1n, mark)
      Object.assign(position, { follows: txn, next: txn + 1n, committed: txn, high: mark.high, live: true })
      return { position, pin: undefined }
    }
    if (kept?.committed !== undefined) {
      throw new PipelineError(
        'KD_OFFSETS_VANISHED',
        'the table held a txn for the partition and holds none now',
        {
          topic: this.#topic,
          partition: position.partition,
          expected: kept.committed + 1n,
        },
      )
    }
    const next = this.#startFrom === 'earliest' ? mark.low : mark.high
    Object.assign(position, { follows: undefined, next, committed: undefined, high: mark.high, live: true })
    return { position, pin: this.#startFrom === 'latest' && next > 0n ? next - 1n : undefined }
  }

  /** Moves a live position past `last`. */
  advance(position: Position, last: bigint): void {
    position.follows = last
    position.next = last + 1n
    if (position.high < position.next) position.high = position.next
  }

  /** Notes how far the logs reach. */
  heard(marks: ReadonlyMap<number, Watermark>): void {
    for (const position of this.#byPartition.values()) {
      const { high } = marks.get(position.partition) ?? position
      if (position.live && high > position.high) position.high = high
    }
  }

  /** Notes what the table holds now. */
  committed(partition: number, last: bigint): void {
    const position = this.#byPartition.get(partition)
    if (position !== undefined && (position.committed === undefined || position.committed < last)) {
      position.committed = last
    }
  }

  /**
   * Holds `next` against what the broker has.
   * @throws KD_OFFSETS_VANISHED when `next` lies before the log's start or past its end.
   */
  checkKept(partition: number, next: bigint, mark: Watermark): void {
    const where = { topic: this.#topic, partition, expected: next, logStart: mark.low, logEnd: mark.high }
    if (next < mark.low) {
      throw new PipelineError(
        'KD_OFFSETS_VANISHED',
        'the log starts past the expected offset (retention or deleted records)',
        where,
      )
    }
    if (next > mark.high) {
      throw new PipelineError(
        'KD_OFFSETS_VANISHED',
        'the log ends before the expected offset (the topic was created anew?)',
        where,
      )
    }
  }

  #waiting(partition: number, kept: Position['kept']): Position {
    this.#tickets += 1
    return {
      partition,
      ticket: this.#tickets,
      live: false,
      follows: undefined,
      next: 0n,
      committed: undefined,
      high: 0n,
      kept,
    }
  }
}

function keep(old: Position | undefined): Position['kept'] {
  if (old === undefined) return undefined
  return old.live ? { follows: old.follows, next: old.next, committed: old.committed } : old.kept
}

/** The table moved at most along our own emitted batches; should a stranger have done it, the commit is refused by its `follows`. */
function goodStill(kept: NonNullable<Position['kept']>, txn: bigint | undefined): boolean {
  if (txn === undefined) return kept.committed === undefined
  if (kept.committed !== undefined && txn < kept.committed) return false
  return kept.follows !== undefined && txn <= kept.follows
}
