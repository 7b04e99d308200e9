import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tapRows } from '../../../operators/rows/tap-rows.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { errorOf, operatorContract, outputsOf } from '../../support/flow/operator-contract.ts'
import { FOUR_ROWS, rowBatch } from '../../support/rows/row-batches.ts'

operatorContract('tapRows', () => tapRows(() => undefined))

test('tapRows sees every row and changes nothing, and an error that it throws stops the stream', () => {
  const seen: unknown[] = []
  const input = rowBatch(FOUR_ROWS)
  const [out] = outputsOf(
    tapRows((row, { partition, topic, timestampMs }) =>
      seen.push([row['n'], topic, partition, timestampMs > 0]),
    ),
    [input],
  )
  assert.equal(out?.payload, input.payload)
  assert.deepEqual(
    seen,
    FOUR_ROWS.map(({ n }) => [n, 'events', 0, true]),
  )
})

test('An error that the function throws ends the stream with the place of the record and its cause', () => {
  const cause = new Error('seen enough')
  const error = errorOf(
    tapRows((row) => {
      if (row['n'] === 3) throw cause
    }),
    rowBatch(FOUR_ROWS),
  )
  assert.ok(error instanceof PipelineError)
  assert.equal(error.code, 'KD_OPERATOR_FAILED')
  assert.equal(error.cause, cause)
  assert.deepEqual(error.context, { topic: 'events', partition: 0, offset: 12n })
})

test('A promise ends the stream by name', () => {
  // eslint-disable-next-line @typescript-eslint/no-misused-promises
  const broken = tapRows(() => Promise.reject(new Error('later')))
  assert.match(String(errorOf(broken, rowBatch(FOUR_ROWS))), /tapRows: the function returned a promise/)
})
