import assert from 'node:assert/strict'
import { TestScheduler, type RunHelpers } from 'rxjs/testing'

/** Runs marbles in virtual time; what streams say is compared deeply. */
export function marbles(run: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => assert.deepEqual(actual, expected)).run(run)
}
