import assert from 'node:assert/strict'
import { test } from 'node:test'
import { raceStaggered } from '../../../../src/kafka/wire/network/race-staggered.ts'
import { HeldClock, settled } from '../../../support/flow/held-clock.ts'

interface Attempt {
  readonly candidate: string
  readonly resolve: (result: string) => void
  readonly reject: (error: Error) => void
}

function attempts(): { readonly begun: Attempt[]; readonly attempt: (candidate: string) => Promise<string> } {
  const begun: Attempt[] = []
  return {
    begun,
    attempt: (candidate) =>
      new Promise((resolve, reject) => {
        begun.push({ candidate, resolve, reject })
      }),
  }
}

const names = (begun: readonly Attempt[]): string => begun.map(({ candidate }) => candidate).join('')

test('The next attempt starts when one fails or does not respond for some time', async () => {
  const clock = new HeldClock()
  const { begun, attempt } = attempts()
  const late: string[] = []
  const first = raceStaggered(['a', 'b', 'c'], attempt, {
    staggerMs: 1_000,
    clock,
    drop: (one) => void late.push(one),
  })
  assert.equal(names(begun), 'a')
  begun[0]?.reject(new Error('a'))
  await settled()
  assert.equal(names(begun), 'ab')
  await clock.advance(999)
  assert.equal(names(begun), 'ab')
  await clock.advance(1)
  assert.equal(names(begun), 'abc')
  begun[2]?.resolve('c is there')
  assert.equal(await first, 'c is there')
  begun[1]?.resolve('b is late')
  await settled()
  assert.deepEqual(late, ['b is late'])
})

test('When all attempts fail, the errors are in the order of the candidates', async () => {
  const clock = new HeldClock()
  const { begun, attempt } = attempts()
  const first = raceStaggered(['a', 'b'], attempt, {
    staggerMs: 1_000,
    clock,
    drop: () => assert.fail('a result'),
  })
  await clock.advance(1_000)
  begun[1]?.reject(new Error('b failed'))
  begun[0]?.reject(new Error('a failed'))
  await assert.rejects(first, (error) => {
    assert.ok(error instanceof AggregateError)
    assert.deepEqual(
      error.errors.map((one) => (one as Error).message),
      ['a failed', 'b failed'],
    )
    return true
  })
  await assert.rejects(
    raceStaggered([], attempt, { staggerMs: 1, clock, drop: () => undefined }),
    AggregateError,
  )
})
