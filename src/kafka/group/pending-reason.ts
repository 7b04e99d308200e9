/** Holds the first posted reason until a waiter takes it. */
export class PendingReason {
  #reason: string | undefined
  #resolve: (() => void) | undefined

  /** Posts a reason and wakes the waiter; keeps an earlier reason that was not taken. */
  post(reason: string): void {
    this.#reason ??= reason
    this.#resolve?.()
  }

  /** Discards a reason that was not taken. */
  clear(): void {
    this.#reason = undefined
  }

  /** Takes the pending reason; returns `undefined` if there is none. */
  take(): string | undefined {
    const reason = this.#reason
    this.#reason = undefined
    return reason
  }

  /** Resolves to the next reason, or to `undefined` when the signal aborts. Supports a single waiter. */
  async next(signal: AbortSignal): Promise<string | undefined> {
    if (this.#reason === undefined && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done)
          this.#resolve = undefined
          resolve()
        }
        this.#resolve = done
        signal.addEventListener('abort', done, { once: true })
      })
    }
    return this.take()
  }
}
