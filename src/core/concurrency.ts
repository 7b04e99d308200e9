/** Maps `items` with at most `limit` calls at once; results are in the order of the items. The first error stops further calls. */
export async function mapBounded<A, B>(
  items: readonly A[],
  limit: number,
  run: (item: A, index: number) => Promise<B>,
): Promise<B[]> {
  const results = new Array<B>(items.length)
  let next = 0
  let failed = false
  const work = async (): Promise<void> => {
    while (!failed && next < items.length) {
      const index = next++
      try {
        results[index] = await run(items[index] as A, index)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work))
  return results
}

/**
 * Runs `work`, then `cleanUp` in any case. When both fail, the error of `work` is thrown, because it is the cause.
 * @throws the error of `work`, otherwise that of `cleanUp`
 */
export async function runThenCleanUp<T>(work: () => Promise<T>, cleanUp: () => Promise<unknown>): Promise<T> {
  let result: T
  try {
    result = await work()
  } catch (error) {
    await cleanUp().catch(() => undefined)
    throw error
  }
  await cleanUp()
  return result
}
