/** Carries out one piece of work at a time, in the order of the calls: what bounds the memory of all of them together. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve()

  /** Resolves or rejects as the work does, once its turn came. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    // The caller has the rejection; the lane only waits for its end.
    this.#last = result.catch(() => undefined)
    return result
  }
}
