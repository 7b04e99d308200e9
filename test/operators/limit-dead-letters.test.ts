// Goal: a broken deployment stops the pipeline before anything is written; a few bad records do not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limitDeadLetters, stopAtDeadLetter } from '../../operators/limit-dead-letters.ts'
import type { DeadLetter } from '../../src/core/batch.ts'
import { provenanceOf, rowsOf, structOf } from '../support/flow/batches.ts'
import { flushOf } from '../support/flow/flushes.ts'
import { errorOf, operatorContract, outputsOf } from '../support/flow/operator-contract.ts'

operatorContract('limitDeadLetters', () => limitDeadLetters({ maxRate: 0.1, recordsMin: 10 }))
operatorContract('stopAtDeadLetter', () => stopAtDeadLetter(true))

function letters(
  count: number,
  message = (i: number): string => `/v expected an integer, got "${i}"`,
): DeadLetter[] {
  return Array.from({ length: count }, (_, i) => ({
    reason: 'contract',
    message: message(i),
    topic: 'events',
    partition: 3,
    offset: BigInt(i),
    timestampMs: 0,
    key: undefined,
    value: undefined,
  }))
}

function flushWith(rows: number, deadLetters: readonly DeadLetter[]) {
  const counts = {
    records: rows + deadLetters.length,
    rows,
    deadLetters: deadLetters.length,
    tombstones: 0,
    filtered: 0,
  }
  return flushOf([], { deadLetters, counts })
}

test('A flush with more dead letters than allowed stops the pipeline and names the causes', () => {
  const found = [...letters(20), ...letters(2, () => 'expected JSON')]
  const error = errorOf(limitDeadLetters({ maxRate: 0.2, recordsMin: 10 }), flushWith(80, found))
  assert.ok(error instanceof Error, 'it errors')
  assert.equal((error as Error & { code?: string }).code, 'KD_TOO_MANY_DEAD_LETTERS')
  assert.match(error.message, /22 of 102 records \(21\.57 %\) are dead letters, at most 20 % are allowed/)
  assert.match(
    error.message,
    /20 × contract: \/v expected an integer, got "…" \(first at 3\/0\); 2 × contract: expected JSON/,
  )
})

for (const [what, flush] of [
  ['with as many dead letters as allowed', flushWith(80, letters(20))],
  ['of fewer records than the least', flushWith(0, letters(9))],
  ['without dead letters', flushWith(100, [])],
] as const) {
  test(`A flush ${what} is passed on unchanged`, () => {
    assert.deepEqual(outputsOf(limitDeadLetters({ maxRate: 0.2, recordsMin: 10 }), [flush]), [flush])
  })
}

test('Without a limit every flush is passed on', () => {
  const flush = flushWith(0, letters(100))
  assert.deepEqual(outputsOf(limitDeadLetters(undefined), [flush]), [flush])
})

function batchWith(deadLetters: readonly DeadLetter[]) {
  const rows = { ...rowsOf(structOf({ v: 'long' }), [{ v: 1 }]), deadLetters }
  return { provenance: provenanceOf(), payload: { rows, labels: undefined, partitions: [[]] } }
}

test('The first dead letter stops the pipeline with its offset and reason, if enabled', () => {
  const error = errorOf(stopAtDeadLetter(true), batchWith(letters(2)))
  assert.ok(error instanceof Error, 'it errors')
  assert.match(
    error.message,
    /contract: \/v expected an integer, got "0" \(topic events, partition 3, offset 0\)/,
  )
  assert.equal(outputsOf(stopAtDeadLetter(false), [batchWith(letters(2))]).length, 1)
})
