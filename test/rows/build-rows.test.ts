import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Column } from '../../src/arrow/column.ts'
import { objectsOf, type Rows } from '../../src/arrow/rows.ts'
import { rowAt, valueAt } from '../../src/arrow/values.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { columnOf, columnsOf, rowsWith } from '../../src/rows/build-rows.ts'
import { columns } from '../../src/rows/row-schema.ts'
import { rawOf } from '../support/flow/batches.ts'

const SCHEMA = columns({ id: 'long', day: 'date?' })

/** Expects the error of a value or a column that does not fit, with this text. */
function assertInvalid(run: () => unknown, message: string): void {
  assert.throws(
    run,
    (error) =>
      error instanceof PipelineError &&
      error.code === 'KD_OPERATOR_INVALID' &&
      error.message.endsWith(message),
  )
}

test('A column is made of values as operators return them, nulls included', () => {
  const column = columnOf('date', ['2024-02-29', null, new Date(0), undefined])
  assert.deepEqual(
    Array.from({ length: column.length }, (_, row) => valueAt(column, row)),
    ['2024-02-29', null, '1970-01-01', null],
  )
  assertInvalid(() => columnOf('long', [1, 'x']), 'value 1: expected an integer, got "x"')
})

test('Columns are made of rows', () => {
  const made = columnsOf(SCHEMA, [{ id: 1n }, { id: 2, day: '2024-02-29' }])
  assert.equal(made.length, 2)
  assert.deepEqual(rowAt(made, 0), { id: 1, day: null })
  assertInvalid(
    () => columnsOf(SCHEMA, [{ id: 1 }, { id: null as never }]),
    'value 1: /id expected a value, got null',
  )
  assertInvalid(() => columnsOf(SCHEMA, [null as never]), 'value 0: expected an object, got null')
})

test('Rows get other columns, in the order of their schema, and keep their records', () => {
  const rows: Rows = {
    raw: rawOf(['a', 'b', 'c']),
    columns: columnsOf(columns({ text: 'string' }), [{ text: 'a' }, { text: 'c' }]),
    records: Int32Array.of(0, 2),
    deadLetters: [],
    tombstones: 1,
    filtered: 0,
  }
  const id = columnOf('long', [1, 2])
  const day = columnOf('date', [null, '2024-02-29'])
  const other = rowsWith(rows, SCHEMA, { day, id })
  assert.deepEqual(objectsOf(other), [
    { id: 1, day: null },
    { id: 2, day: '2024-02-29' },
  ])
  assert.deepEqual([...other.records, other.tombstones], [0, 2, 1])
  const wrong: [Readonly<Record<string, Column>>, string][] = [
    [{ id }, 'column day: is missing'],
    [{ id: columnOf('long', [1]), day }, 'column id: expected 2 values, one for each row, got 1'],
    [{ id: columnOf('integer', [1, 2]), day }, 'column id: expected the type long, got integer'],
    [{ id: columnOf('long', [1, null]), day }, 'column id: expected a value, got null at index 1'],
  ]
  for (const [given, message] of wrong)
    assertInvalid(() => rowsWith(rows, SCHEMA, given as { id: Column; day: Column }), message)
})
