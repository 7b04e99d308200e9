import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identity } from 'rxjs'
import {
  ROW_SCHEMA,
  schemaAfter,
  withRowSchema,
  type RowOperator,
} from '../../../operators/rows/row-operator.ts'
import { structOf } from '../../support/flow/batches.ts'
import { outputsOf } from '../../support/flow/operator-contract.ts'
import { FOUR_ROWS, ROW_COLUMNS, rowBatch } from '../../support/rows/row-batches.ts'

const other = structOf({ o: 'long' })

test('An operator states its columns without being changed', () => {
  const own: RowOperator = identity
  const stated = withRowSchema(own, other)
  assert.equal(stated[ROW_SCHEMA], other)
  assert.equal(own[ROW_SCHEMA], undefined)
  const batch = rowBatch(FOUR_ROWS)
  assert.deepEqual(outputsOf(stated, [batch]), [batch])
})

test('The columns after a list are those that the last operator with columns states', () => {
  const stated = withRowSchema(identity, other)
  assert.equal(schemaAfter([], ROW_COLUMNS), ROW_COLUMNS)
  assert.equal(schemaAfter([identity], ROW_COLUMNS), ROW_COLUMNS)
  assert.equal(
    schemaAfter([withRowSchema(identity, structOf({ x: 'long' })), stated, identity], ROW_COLUMNS),
    other,
  )
})
