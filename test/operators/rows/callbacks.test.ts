import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callForEachRow, normalisers, placeOf, refusePromise } from '../../../operators/rows/callbacks.ts'
import { recordInfoOf } from '../../../operators/rows/record-info.ts'
import { rowSourceOf } from '../../../operators/rows/row-source.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { structOf } from '../../support/flow/batches.ts'
import { FOUR_ROWS, ROW_COLUMNS, rowBatch } from '../../support/rows/row-batches.ts'

const { payload } = rowBatch(FOUR_ROWS)
const info = recordInfoOf(payload.raw, 1)

test('Everything that can be awaited is a promise; nothing else is', () => {
  const thenable = { then: (resolve: (value: number) => void) => resolve(1) }
  for (const result of [Promise.resolve(), thenable])
    assert.throws(
      () => refusePromise('op', result, info),
      (error) => error instanceof PipelineError && error.code === 'KD_OPERATOR_INVALID',
    )
  for (const result of [undefined, null, 1, 'then', {}, { then: 'a column' }, () => undefined])
    assert.doesNotThrow(() => refusePromise('op', result, info))
  assert.deepEqual(placeOf(info), { topic: 'events', partition: 0, offset: 11n })
})

test('A function is called with each row, and dead letters come after those so far', () => {
  const seen: unknown[] = []
  const letters = callForEachRow(
    rowSourceOf(payload),
    {
      operator: 'op',
      takesInfo: true,
      passesRows: false,
      run: (row, { offset }) => {
        if (row['n'] === 2) throw new Error('two')
        return offset
      },
    },
    (result, i, row) => seen.push([result, i, row['n']]),
  )
  assert.deepEqual(seen, [
    [10n, 0, 1],
    [12n, 2, 3],
    [13n, 3, 4],
  ])
  assert.deepEqual(
    letters.map(({ offset, reason }) => [offset, reason]),
    [[11n, 'custom']],
  )
})

test('The normaliser of a schema is made again for another one alone', () => {
  const normaliserOf = normalisers()
  const first = normaliserOf(ROW_COLUMNS)
  assert.equal(normaliserOf(ROW_COLUMNS), first)
  assert.notEqual(normaliserOf(structOf({ n: 'long' })), first)
})
