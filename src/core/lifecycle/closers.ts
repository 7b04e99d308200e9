/** Closes one thing; may return a promise. */
export type Closer = () => unknown

/**
 * Closes what was opened, in reverse order. Every closer runs, whatever the others do: the first error is thrown once all
 * have ended, and `onFurtherError` receives the others.
 */
export class Closers {
  /** Closers that run at the same time, in the order in which they were added. */
  readonly #groups: Closer[][] = []
  readonly #onFurtherError: (error: unknown) => void
  #closing: Promise<void> | undefined

  constructor(onFurtherError: (error: unknown) => void) {
    this.#onFurtherError = onFurtherError
  }

  /** Adds a closer that runs before all closers added so far. */
  add(closer: Closer): void {
    this.#groups.push([closer])
  }

  /** Adds a closer that runs at the same time as the one added last. */
  addBeside(closer: Closer): void {
    const last = this.#groups.at(-1)
    if (last === undefined) this.add(closer)
    else last.push(closer)
  }

  /**
   * Runs all closers, once however often it is called.
   * @throws the first error of a closer, when all have ended
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#closeAll())
  }

  /** Runs all closers after a failure. Never rejects: `onFurtherError` receives every error. */
  async closeAfterFailure(): Promise<void> {
    await this.close().catch(this.#onFurtherError)
  }

  async #closeAll(): Promise<void> {
    const errors: unknown[] = []
    for (const group of this.#groups.reverse()) {
      const closings = group.map(async (closer) => {
        await closer()
      })
      for (const result of await Promise.allSettled(closings))
        if (result.status === 'rejected') errors.push(result.reason)
    }
    for (const error of errors.slice(1)) this.#onFurtherError(error)
    if (errors.length > 0) throw errors[0]
  }
}

/**
 * Runs `work` with closers that run after it, however it ended. The error of `work` takes precedence over those of the
 * closers.
 * @throws the error of `work`, otherwise the first error of a closer; `onFurtherError` receives the others
 */
export async function withClosers<T>(
  onFurtherError: (error: unknown) => void,
  work: (closers: Closers) => Promise<T>,
): Promise<T> {
  const closers = new Closers(onFurtherError)
  const result = await closeOnFailure(closers, () => work(closers))
  await closers.close()
  return result
}

/**
 * Runs `open` and returns its result; when it throws, runs the closers of what was opened before.
 * @throws the error of `open`
 */
export async function closeOnFailure<T>(closers: Closers, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    await closers.closeAfterFailure()
    throw error
  }
}
