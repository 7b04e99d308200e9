import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, defer, lastValueFrom, of, throwError, toArray } from 'rxjs'
import { PipelineError } from '../../src/core/errors.ts'
import { restartFailures } from '../../src/library/restart-failures.ts'

const outage = new PipelineError('KD_STORE_UNAVAILABLE', 'it rests')
const mistake = new PipelineError('KD_CONFIG_INVALID', 'it stays')

/** A chain that emits a commit, if any, and then fails as often as `failures` says. */
function chainOf(error: unknown, failures: number, commits: readonly string[] = []): () => Promise<unknown> {
  let starts = 0
  const chain = defer(() => {
    starts++
    return starts > failures
      ? of('end')
      : concat(
          of(...commits),
          throwError(() => error),
        )
  })
  const restarted = chain.pipe(restartFailures({ attempts: 3, baseMs: 1, capMs: 2 }), toArray())
  return () =>
    lastValueFrom(restarted).then(
      (values) => [starts, values],
      (thrown: unknown) => [starts, thrown],
    )
}

test('A retryable failure starts the chain again, up to the number of starts without a commit', async () => {
  assert.deepEqual(await chainOf(outage, 2)(), [3, ['end']])
  assert.deepEqual(await chainOf(outage, 3)(), [3, outage])
})

test('A commit begins the count of starts anew', async () => {
  const [starts, values] = (await chainOf(outage, 5, ['commit'])()) as [number, string[]]
  assert.equal(starts, 6)
  assert.deepEqual(values.at(-1), 'end')
})

test('An error that a restart does not cure, or that has no code, is passed on at once', async () => {
  const unknown = new TypeError('a bug')
  assert.deepEqual(await chainOf(mistake, 1)(), [1, mistake])
  assert.deepEqual(await chainOf(unknown, 1)(), [1, unknown])
})
