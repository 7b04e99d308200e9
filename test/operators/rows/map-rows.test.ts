import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapRows } from '../../../operators/rows/map-rows.ts'
import { schemaAfter } from '../../../operators/rows/row-operator.ts'
import type { Row } from '../../../src/arrow/rows.ts'
import { structOf } from '../../support/flow/batches.ts'
import { errorOf, operatorContract } from '../../support/flow/operator-contract.ts'
import { FOUR_ROWS, ROW_COLUMNS, rowBatch, rowsAfter, shownRows } from '../../support/rows/row-batches.ts'

operatorContract('mapRows', () => mapRows((row) => row))

const odd = (row: Row): boolean => {
  if (row['n'] === 4) throw new Error('no four')
  return (row['n'] as number) % 2 === 1
}

test('Each row becomes the result of the callback, in its own columns or in those of another schema', () => {
  assert.deepEqual(
    shownRows(rowsAfter(mapRows((row) => ({ ...row, s: null })))),
    FOUR_ROWS.map(({ n }) => ({ n, s: null })),
  )
  const rows = rowsAfter(
    mapRows((row, { offset, key }) => ({ o: offset, k: key ?? null, d: (row['n'] as number) / 2 }), {
      schema: structOf({ o: 'long', k: 'string', d: 'double' }),
    }),
  )
  assert.deepEqual(shownRows(rows)[0], { o: 10, k: 'k', d: 0.5 })
  assert.deepEqual(
    shownRows(
      rowsAfter(
        mapRows((row) => row),
        [],
      ),
    ),
    [],
  )
})

test('A row for which the callback throws, or whose result does not fit, becomes a dead letter; other rows stay', () => {
  const results: Readonly<Record<number, () => unknown>> = {
    2: () => ({ n: 'x' }),
    3: () => undefined,
    4: () => odd({ n: 4 }),
  }
  const rows = rowsAfter(
    mapRows((row) => (results[row['n'] as number]?.() ?? (row['n'] === 1 ? row : undefined)) as Row),
  )
  assert.deepEqual([shownRows(rows), [...rows.records]], [[FOUR_ROWS[0]], [0]])
  assert.deepEqual(
    rows.deadLetters.map(({ offset, reason, message }) => [offset, reason, message]),
    [
      [13n, 'custom', 'no four'],
      [11n, 'type', '/n expected an integer, got "x"'],
      [12n, 'type', 'expected an object, got undefined'],
    ],
  )
})

test('A promise ends the stream by name, and its rejection does not end the process', () => {
  const broken = mapRows((row) =>
    row['n'] === 3 ? (Promise.reject(new Error('later')) as unknown as Row) : row,
  )
  assert.match(
    String(errorOf(broken, rowBatch(FOUR_ROWS))),
    /contract.*mapRows: the function returned a promise; use mapRowsAsync \(topic events, partition 0, offset 12\)/,
  )
})

test('An object whose field throws when it is read becomes a dead letter', () => {
  const hostile = (row: Row): Row =>
    row['n'] === 2
      ? {
          get n(): number {
            throw new Error('no n')
          },
        }
      : row
  const alone = rowsAfter(mapRows(hostile))
  assert.deepEqual(shownRows(alone), [FOUR_ROWS[0], FOUR_ROWS[2], FOUR_ROWS[3]])
  assert.deepEqual(
    alone.deadLetters.map(({ reason, message }) => [reason, message]),
    [['type', 'no n']],
  )
})

test('It states the columns that it makes', () => {
  const other = structOf({ o: 'long' })
  assert.equal(
    schemaAfter([mapRows((row) => row), mapRows(() => ({}), { schema: other })], ROW_COLUMNS),
    other,
  )
  assert.equal(schemaAfter([mapRows(() => ({}), other)], ROW_COLUMNS), other)
  assert.equal(schemaAfter([mapRows((row) => row)], ROW_COLUMNS), ROW_COLUMNS)
})
