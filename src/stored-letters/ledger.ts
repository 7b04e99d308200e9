import type { StructField, StructType } from '../core/schema.ts'
import type { DataType } from '../core/schema.ts'
import { PipelineError } from '../core/errors.ts'
import { OffsetSet } from '../delta/maintenance/offset-set.ts'
import type { LetterPosition } from './stored.ts'

const field = (name: string, type: DataType): StructField => ({ name, type, nullable: true, metadata: {} })

/**
 * Defines the columns of the replay ledger. Each row records that batch `batch` of `app_id` intends to replay one
 * letter, or discards it; `follows` is the replay that the main table held before.
 */
export const REPLAY_LEDGER_SCHEMA: StructType = {
  type: 'struct',
  fields: [
    field('app_id', 'string'),
    field('batch', 'long'),
    field('action', 'string'),
    field('follows', 'long'),
    field('topic', 'string'),
    field('partition', 'integer'),
    field('offset', 'long'),
    field('ordinal', 'integer'),
    field('at', 'timestamp'),
  ],
}

/** Names the state of a dead letter. */
export type LetterState = 'open' | 'replayed' | 'discarded'

/** Holds a set of dead letters, identified by their positions. */
export class LetterSet {
  readonly #sets = new Map<string, OffsetSet>()

  /** Adds a letter and returns false when the set already contains it. */
  add(position: LetterPosition): boolean {
    const key = keyOf(position)
    const set = this.#sets.get(key) ?? new OffsetSet()
    this.#sets.set(key, set)
    return set.add(position.offset)
  }

  has(position: LetterPosition): boolean {
    return this.#sets.get(keyOf(position))?.has(position.offset) === true
  }
}

interface LedgerBatch {
  readonly action: string
  readonly follows: bigint | undefined
  readonly letters: LetterSet
}

/**
 * Holds the replay ledger of one stream. A replay is recorded as an intent first. Only the main table proves that it
 * was committed: it holds the number of the newest committed replay. Each intent names the replay before it, so the
 * committed replays form a chain; intents outside the chain have no effect.
 */
export class ReplayLedger {
  readonly #batches = new Map<bigint, LedgerBatch>()
  #last: bigint | undefined
  #landed: readonly LetterSet[] = []
  #discarded: readonly LetterSet[] = []

  /** Adds a row of the ledger table. */
  add(row: {
    readonly batch: bigint
    readonly action: string
    readonly follows: bigint | undefined
    readonly position: LetterPosition
  }): void {
    const { batch, action, follows, position } = row
    const known = this.#batches.get(batch) ?? { action, follows, letters: new LetterSet() }
    this.#batches.set(batch, known)
    known.letters.add(position)
    if (this.#last === undefined || batch > this.#last) this.#last = batch
  }

  /**
   * Determines which intents were committed, given the newest replay that the main table holds. Call it once, after
   * all rows were added.
   * @throws KD_COMMAND_INVALID when the ledger lacks a replay that the main table holds
   */
  resolveReplays(newest: bigint | undefined, uri: string): void {
    const landed: LetterSet[] = []
    for (let next = newest; next !== undefined;) {
      const batch = this.#batches.get(next)
      if (batch?.action !== 'replay') {
        const detail = `the table holds replay ${next}, which is missing in the replay ledger ${uri}: the ledger belongs to other dead letters or lost rows; check deadLetters.replayLedger`
        throw new PipelineError('KD_COMMAND_INVALID', detail)
      }
      landed.push(batch.letters)
      next = batch.follows !== undefined && batch.follows < next ? batch.follows : undefined
    }
    this.#landed = landed
    this.#discarded = [...this.#batches.values()]
      .filter(({ action }) => action === 'discard')
      .map(({ letters }) => letters)
  }

  /** Returns the state of a letter; a letter without a position stays open. */
  stateOf(position: LetterPosition | undefined): LetterState {
    if (position === undefined) return 'open'
    if (this.#landed.some((letters) => letters.has(position))) return 'replayed'
    return this.#discarded.some((letters) => letters.has(position)) ? 'discarded' : 'open'
  }
}

function keyOf({ topic, partition, ordinal }: LetterPosition): string {
  return `${topic}/${partition}/${ordinal}`
}
