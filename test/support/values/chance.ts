import type { TestContext } from 'node:test'
import { seededRandom } from '../../../src/sample/random.ts'

/** Choices that a seed decides. */
export interface Chance {
  readonly seed: number
  /** An integer in [0, below). */
  int(below: number): number
  /** True once in `of` times. */
  once(of: number): boolean
  pick<T>(items: readonly T[]): T
}

/** Choices by a seed: `TEST_SEED` where it is set, a new one otherwise. The test's output names it. */
export function chanceOf(t: TestContext): Chance {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}; TEST_SEED=${seed} repeats it`)
  return chanceBy(seed)
}

/** Choices by the seed given. */
export function chanceBy(seed: number): Chance {
  const next = seededRandom(seed)
  const int = (below: number): number => next() % below
  return {
    seed,
    int,
    once: (of) => int(of) === 0,
    pick: (items) => {
      const item = items[int(items.length)]
      if (item === undefined) throw new Error('There is nothing to pick from')
      return item
    },
  }
}
