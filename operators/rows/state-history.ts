import type { Provenance } from '../../src/core/batch.ts'
import { PipelineError } from '../../src/core/errors.ts'

/** Holds the state of a Kafka partition after the offset `last`, `undefined` before its first record. */
interface StoredState<S> {
  readonly last: bigint | undefined
  readonly state: S
}

/** Configures `StateHistory`. */
export interface StateHistoryOptions<S> {
  readonly operator: string
  readonly seed: () => S
  /** Returns a copy that later changes of the state do not reach. */
  readonly copy: (state: S) => S
  /** States that are kept per Kafka partition, one for each batch. */
  readonly batchesMax: number
}

/**
 * Keeps the state of each Kafka partition after each of its latest batches, so that a batch that is read again begins with
 * the state that it had before.
 */
export class StateHistory<S> {
  readonly #options: StateHistoryOptions<S>
  readonly #partitions = new Map<string, StoredState<S>[]>()
  /** The states after the latest batches, of which the histories have copies. */
  readonly #current = new Map<string, S>()

  constructor(options: StateHistoryOptions<S>) {
    this.#options = options
  }

  /**
   * Returns the state at the offset that a batch follows. Later states of the partition are dropped. It is that of `seed` for
   * the first batch of a partition, and for a batch beyond those seen: another process has carried the records between.
   * @throws KD_OPERATOR_FAILED, retryable, if the state at this offset is not kept
   */
  stateBefore(provenance: Provenance): S {
    const { topic, partition, follows } = provenance
    const { seed, copy, operator } = this.#options
    const key = stateKeyOf(provenance)
    const history = this.#partitions.get(key) ?? []
    this.#partitions.set(key, history)
    const newest = history.at(-1)
    const current = this.#current.get(key)
    this.#current.delete(key)
    if (newest !== undefined && newest.last === follows) return current ?? copy(newest.state)
    if (newest === undefined || isAfter(follows, newest.last)) {
      history.length = 0
      const state = seed()
      history.push({ last: follows, state: copy(state) })
      return state
    }
    while (history.length > 0 && history.at(-1)?.last !== follows) history.pop()
    const found = history.at(-1)
    if (found === undefined)
      throw new PipelineError(
        'KD_OPERATOR_FAILED',
        `${operator}: the partition is read again from an offset whose state is no longer kept`,
        { topic, partition, offset: follows === undefined ? 0n : follows + 1n },
        { retryable: true },
      )
    return copy(found.state)
  }

  /** Stores the state after a batch. */
  store(provenance: Provenance, state: S): void {
    const key = stateKeyOf(provenance)
    const history = this.#partitions.get(key) ?? []
    history.push({ last: provenance.last, state: this.#options.copy(state) })
    if (history.length > this.#options.batchesMax + 1) history.shift()
    this.#current.set(key, state)
  }
}

/** Returns the name of the Kafka partition of a batch. */
export function stateKeyOf({ topic, partition }: Pick<Provenance, 'topic' | 'partition'>): string {
  return `${topic}/${partition}`
}

/** Returns true if the offset `a` comes after `b`; `undefined` comes before all offsets. */
export function isAfter(a: bigint | undefined, b: bigint | undefined): boolean {
  return a !== undefined && (b === undefined || a > b)
}
