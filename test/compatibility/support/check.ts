import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { carryRow } from './carry.ts'
import type { CompatibilityRow } from './row.ts'

/**
 * Declares a test for each row of a producer: the service must make exactly its columns, values and dead letters. The
 * message of a dead letter must begin with the expected one, since the end may be the runtime's own words.
 */
export function compatibilityTests(producer: string, rows: readonly CompatibilityRow[]): void {
  describe(producer, () => {
    for (const row of rows)
      test(row.id, async () => {
        const { error, letters = [], ...expected } = row.expected
        const { error: gotError, letters: gotLetters = [], ...got } = await carryRow(row)
        assert.deepEqual(got, expected)
        assert.deepEqual(
          gotLetters.map((letter, index) => letter.slice(0, letters[index]?.length)),
          letters,
        )
        assert.equal(gotError?.slice(0, error?.length), error, gotError)
      })
  })
}
