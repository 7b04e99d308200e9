import type { DeadLetter } from '../../core/batch.ts'
import { causeIdOf, causeOf } from '../../stored-letters/cause.ts'

/** Groups kept; letters of further causes are counted together. */
const GROUPS_MAX = 50
/** Letters of one flush whose causes are determined; of more, evenly spaced ones stand for their neighbours. */
const EXAMINED_MAX = 1_000
/** Characters of a sample. */
const MESSAGE_CHARACTERS_MAX = 500

/** Reason of the group of all letters beyond the maximum of causes. */
const OTHERS = 'others'

/** Describes the dead letters of one cause. */
export interface CountedLetters {
  readonly reason: string
  readonly cause: string
  /** Id of the group as `kafka-delta dlq` knows it; absent for the letters of further causes. */
  readonly id?: string
  readonly count: number
  readonly lastAtMs: number
  readonly sample: { readonly partition: number; readonly offset: string; readonly message: string }
}

/**
 * Counts the dead letters of a topic by reason and cause, which is the message without the values of its record. At most 50
 * causes are told apart. The counts add up to the number of letters; of a flush with more than 1,000, causes are estimated.
 */
export class LetterGroups {
  readonly #groups = new Map<string, { -readonly [K in keyof CountedLetters]: CountedLetters[K] }>()

  /** Counts the letters of one flush. */
  add(letters: readonly DeadLetter[], atMs: number): void {
    const examined = Math.min(letters.length, EXAMINED_MAX)
    for (let at = 0; at < examined; at++) {
      const index = Math.floor((at * letters.length) / examined)
      const next = Math.floor(((at + 1) * letters.length) / examined)
      this.#count(letters[index] as DeadLetter, next - index, atMs)
    }
  }

  /** Returns the groups, most letters first. */
  list(): readonly CountedLetters[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count)
  }

  #count(letter: DeadLetter, count: number, atMs: number): void {
    const cause = causeOf(letter.message)
    let key = `${letter.reason}\n${cause}`
    if (!this.#groups.has(key) && this.#groups.size >= GROUPS_MAX) key = OTHERS
    const { partition, offset, message } = letter
    const sample = { partition, offset: String(offset), message: message.slice(0, MESSAGE_CHARACTERS_MAX) }
    const known = this.#groups.get(key)
    if (known !== undefined) {
      known.count += count
      known.lastAtMs = atMs
      known.sample = sample
      return
    }
    const named =
      key === OTHERS
        ? { reason: OTHERS, cause: `causes beyond the first ${GROUPS_MAX}` }
        : { reason: letter.reason, cause, id: causeIdOf(letter.reason, message) }
    this.#groups.set(key, { ...named, count, lastAtMs: atMs, sample })
  }
}
