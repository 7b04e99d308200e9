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
