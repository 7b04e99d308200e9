/** Holds the newest entries of a list, up to a maximum. */
export class Newest<T> {
  readonly #max: number
  #entries: T[] = []

  constructor(max: number) {
    this.#max = max
  }

  /** Adds an entry; the oldest one makes room for it. */
  add(entry: T): void {
    this.#entries.push(entry)
    if (this.#entries.length > this.#max) this.#entries.shift()
  }

  /** Returns the entries, newest first. */
  list(): readonly T[] {
    return this.#entries.toReversed()
  }
}
