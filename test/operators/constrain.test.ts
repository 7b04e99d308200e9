import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constrain } from '../../operators/constrain.ts'
import { rowAt } from '../../src/arrow/values.ts'
import type { StructType } from '../../src/core/schema.ts'
import {
  compileTableConstraints,
  compileConstraints,
} from '../../src/delta/constraints/constraint-violations.ts'
import { constraintsOf } from '../../src/delta/constraints/constraints.ts'
import { fieldOf, provenanceOf, rowsOf, structOf } from '../support/flow/batches.ts'
import { operatorContract, outputsOf } from '../support/flow/operator-contract.ts'

const schema = structOf({ amount: 'long', kind: 'string' })
const positive = compiledFor({ 'delta.constraints.positive': 'amount > 0' })
const batch = {
  provenance: provenanceOf(),
  payload: rowsOf(schema, [
    { amount: 1, kind: 'a' },
    { amount: -5, kind: 'b' },
    { kind: 'c' },
    { amount: 2 },
  ]),
}
operatorContract('constrain', () => constrain(() => positive))

test('A row that violates a CHECK constraint, or for which it is null, is a dead letter that names constraint, expression and values', () => {
  const [out] = outputsOf(
    constrain(() => positive),
    [batch],
  )
  assert.ok(out !== undefined)
  const { columns, records, deadLetters } = out.payload
  assert.deepEqual(
    [rowAt(columns, 0), rowAt(columns, 1)],
    [
      { amount: 1, kind: 'a' },
      { amount: 2, kind: null },
    ],
  )
  assert.equal(columns.length, 2)
  assert.deepEqual([...records], [0, 3])
  assert.deepEqual(
    deadLetters.map(({ reason, message, offset }) => ({ reason, message, offset })),
    [
      {
        reason: 'constraint',
        message: 'CHECK constraint positive (amount > 0) is violated by amount = -5',
        offset: 1n,
      },
      {
        reason: 'constraint',
        message: 'CHECK constraint positive (amount > 0) is violated by amount = null',
        offset: 2n,
      },
    ],
  )
})

test('Without constraints or violations the batch is passed on unchanged', () => {
  const fine = { ...batch, payload: rowsOf(schema, [{ amount: 1 }]) }
  assert.equal(
    outputsOf(
      constrain(() => []),
      [batch],
    )[0]?.payload,
    batch.payload,
  )
  assert.equal(
    outputsOf(
      constrain(() => positive),
      [fine],
    )[0]?.payload,
    fine.payload,
  )
})

test('Constraints added to the table apply from the next batch on', () => {
  const lists = [[], positive]
  const out = outputsOf(
    constrain(() => lists.shift() ?? []),
    [batch, batch],
  )
  assert.deepEqual(
    out.map(({ payload }) => payload.columns.length),
    [4, 2],
  )
})

test('A row for which the expression has no value violates the constraint', () => {
  const ratio = compiledFor({ 'delta.constraints.ratio': '10 / amount > 1' })
  const [out] = outputsOf(
    constrain(() => ratio),
    [{ ...batch, payload: rowsOf(schema, [{ amount: 0 }, { amount: 2 }]) }],
  )
  assert.deepEqual(
    out?.payload.deadLetters.map(({ message }) => message),
    ['CHECK constraint ratio (10 / amount > 1) has no value: division by zero, with amount = 0'],
  )
})

test('A constraint on the current time uses the clock', () => {
  const past: StructType = structOf({ at: 'timestamp' })
  const constraints = compileConstraints(
    constraintsOf({ schema: past, configuration: { 'delta.constraints.past': 'at <= current_timestamp()' } }),
    past,
  )
  const clock = { now: () => Date.UTC(2026, 0, 1), sleep: () => Promise.resolve() }
  const rows = rowsOf(past, [{ at: '2026-01-01T00:00:00Z' }, { at: '2026-01-01T00:00:00.000001Z' }])
  const [out] = outputsOf(
    constrain(() => constraints, clock),
    [{ ...batch, payload: rows }],
  )
  assert.equal(out?.payload.columns.length, 1)
})

test('Columns that the rows do not have count as null', () => {
  const wide: StructType = { type: 'struct', fields: [...schema.fields, fieldOf('extra', 'string')] }
  const constraints = compileConstraints(
    constraintsOf({ schema: wide, configuration: { 'delta.constraints.none': 'extra IS NULL' } }),
    wide,
  )
  assert.equal(
    outputsOf(
      constrain(() => constraints),
      [batch],
    )[0]?.payload,
    batch.payload,
  )
})

function compiledFor(configuration: Record<string, string>): ReturnType<typeof compileTableConstraints> {
  return compileTableConstraints({ schema, configuration })
}
