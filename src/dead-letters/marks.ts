import type { StructField, StructType } from '../core/schema.ts'
import type { DataType } from '../core/schema.ts'
import { PipelineError } from '../core/errors.ts'
import { OffsetSet } from '../delta/maintenance/offset-set.ts'
import type { Place } from './stored.ts'

const field = (name: string, type: DataType): StructField => ({ name, type, nullable: true, metadata: {} })

/**
 * The columns of a table of marks. Each row says of one letter that batch `batch` of `app_id` was to play it again, or
 * discarded it; `follows` is the replay that the main table held before.
 */
export const MARKS_SCHEMA: StructType = {
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

/** What became of a letter. */
export type LetterState = 'open' | 'replayed' | 'discarded'

/** A set of letters, by the records that they are about. */
export class Places {
  readonly #sets = new Map<string, OffsetSet>()

  /** False where it was there before. */
  add(place: Place): boolean {
    const key = keyOf(place)
    const set = this.#sets.get(key) ?? new OffsetSet()
    this.#sets.set(key, set)
    return set.add(place.offset)
  }

  has(place: Place): boolean {
    return this.#sets.get(keyOf(place))?.has(place.offset) === true
  }
}

interface Batch {
  readonly action: string
  readonly follows: bigint | undefined
  readonly places: Places
}

/**
 * What the marks of one stream say. A replay is an intent first: that it landed is told by the main table alone, which
 * holds the number of the newest replay that did; each intent names the one before it, so that those that landed form a
 * chain and every other is as if it had never been.
 */
export class Marks {
  readonly #batches = new Map<bigint, Batch>()
  #last: bigint | undefined
  #landed: readonly Places[] = []
  #discarded: readonly Places[] = []

  /** Takes a row of the table of marks. */
  add(row: {
    readonly batch: bigint
    readonly action: string
    readonly follows: bigint | undefined
    readonly place: Place
  }): void {
    const { batch, action, follows, place } = row
    const known = this.#batches.get(batch) ?? { action, follows, places: new Places() }
    this.#batches.set(batch, known)
    known.places.add(place)
    if (this.#last === undefined || batch > this.#last) this.#last = batch
  }

  /**
   * Decides which intents landed, given the newest replay that the main table holds. Once, after all rows.
   * @throws KD_COMMAND_INVALID where the main table holds a replay that the marks do not know
   */
  settle(newest: bigint | undefined, uri: string): void {
    const landed: Places[] = []
    for (let next = newest; next !== undefined;) {
      const batch = this.#batches.get(next)
      if (batch?.action !== 'replay') {
        const detail = `the table holds replay ${next}, of which ${uri} knows nothing: these are the marks of other dead letters, or some are lost`
        throw new PipelineError('KD_COMMAND_INVALID', detail)
      }
      landed.push(batch.places)
      next = batch.follows !== undefined && batch.follows < next ? batch.follows : undefined
    }
    this.#landed = landed
    this.#discarded = [...this.#batches.values()]
      .filter(({ action }) => action === 'discard')
      .map(({ places }) => places)
  }

  /** What became of a letter; one without a place is open for ever. */
  stateOf(place: Place | undefined): LetterState {
    if (place === undefined) return 'open'
    if (this.#landed.some((places) => places.has(place))) return 'replayed'
    return this.#discarded.some((places) => places.has(place)) ? 'discarded' : 'open'
  }
}

function keyOf({ topic, partition, ordinal }: Place): string {
  return `${topic}/${partition}/${ordinal}`
}
