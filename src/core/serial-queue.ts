/** Runs one task at a time, in the order of the calls. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `work` after all earlier tasks; resolves or rejects with its result. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    // The caller handles the rejection; the queue only waits for the end.
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Resolves when all tasks that were added so far have ended. */
  async idle(): Promise<void> {
    await this.#last
  }
}
