import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { from, map, pipe, type OperatorFunction } from 'rxjs'
import { distinctRows } from '../../../operators/rows/distinct-rows.ts'
import { filterRows } from '../../../operators/rows/filter-rows.ts'
import { mapRows } from '../../../operators/rows/map-rows.ts'
import { mergeMapRows } from '../../../operators/rows/merge-map-rows.ts'
import type { RowOperator } from '../../../operators/rows/row-operator.ts'
import { rowsAndLettersOf, rowSourceOf } from '../../../operators/rows/row-source.ts'
import { scanRows } from '../../../operators/rows/scan-rows.ts'
import { tapRows } from '../../../operators/rows/tap-rows.ts'
import type { Row, Rows } from '../../../src/arrow/rows.ts'
import type { Batch } from '../../../src/core/batch.ts'
import { ExactNumber } from '../../../src/core/exact.ts'
import type { StructType } from '../../../src/core/schema.ts'
import { arrayOf, mapOf, structOf } from '../../support/flow/batches.ts'
import { outputsOf } from '../../support/flow/operator-contract.ts'
import {
  assertAccounted,
  FOUR_ROWS,
  ROW_COLUMNS,
  rowBatch,
  shownLetters,
  shownRows,
} from '../../support/rows/row-batches.ts'

const schema: StructType = structOf({
  n: 'long',
  at: 'timestamp',
  d: 'decimal(10,2)',
  f: 'float',
  items: arrayOf(structOf({ k: 'string' })),
  m: mapOf('long'),
})

const ROWS: readonly Row[] = Array.from({ length: 12 }, (_, n) => ({
  n,
  at: `2026-03-01T00:00:${String(n).padStart(2, '0')}.000000Z`,
  d: new ExactNumber('1.50'),
  f: 0.5,
  items: [{ k: `k${n}` }, { k: null }],
  m: { a: n },
}))

/** Values that operators return: some fit in another form, some do not fit. */
const VALUES: readonly unknown[] = [
  { at: '2026-03-01t10:00:00+02:00' },
  { at: 'never' },
  { d: 2.5, f: 0.1, another: 'column' },
  { d: 0.001 },
  { items: [], m: new Map([['x', 1n]]) },
  { items: null, n: null, m: undefined },
  { items: 'none' },
]

type Look = (name: string, row: Row) => void

/** Makes a row operator from numbers; it also does what callbacks should not. */
function operatorOf(kind: number, salt: number, look: Look): RowOperator {
  const chosen = (row: Row): number => (Number(row['n'] ?? 0) + salt) % 10
  const changed = (row: Row): void => {
    row['n'] = 99
    const items = row['items'] as Row[] | null
    items?.push({ k: 'pushed' })
    if (items?.[0] !== undefined) items[0]['k'] = 'changed'
  }
  const name = `${kind}/${salt}`
  switch (kind) {
    case 0:
      return mapRows((row) => {
        look(name, row)
        if (chosen(row) === 9) throw new Error('nine')
        return { ...row, ...(VALUES[chosen(row)] as object | undefined) }
      })
    case 1:
      return mapRows((row) => {
        look(name, row)
        changed(row)
        return row
      })
    case 2:
      return filterRows((row) => {
        look(name, row)
        const isKept = chosen(row) !== 1
        changed(row)
        if (chosen(row) === 8) throw new Error('eight')
        return isKept
      })
    case 3:
      return tapRows((row) => {
        look(name, row)
        changed(row)
      })
    case 4:
      return mergeMapRows((row) => {
        look(name, row)
        return Array.from({ length: chosen(row) % 3 }, (_, i) => ({
          ...row,
          n: i,
          ...(VALUES[salt % 7] as object),
        }))
      }, schema)
    case 5:
      return scanRows(
        (sum: number, row) => {
          look(name, row)
          return { state: sum + 1, row: sum % 3 === 2 ? undefined : { ...row, n: sum } }
        },
        () => 0,
        schema,
      )
    default:
      return distinctRows(
        (row) => {
          look(name, row)
          changed(row)
          return chosen(row)
        },
        { withinMs: 1000, keysMax: 100 },
      )
  }
}

const apart: OperatorFunction<Batch<Rows>, Batch<Rows>> = map(({ provenance, payload }) => ({
  provenance,
  // A spread reads all fields: what follows sees columns.
  payload: { ...payload },
}))

function outcomeOf(plan: readonly (readonly [number, number])[], isFused: boolean): unknown {
  const seen = new Map<string, Row[]>()
  const operators = plan.map(([kind, salt], i) =>
    operatorOf(kind, salt, (name, row) => {
      const at = `${i} ${name}`
      seen.set(at, [...(seen.get(at) ?? []), structuredClone(row)])
    }),
  )
  const all = isFused ? operators : operators.flatMap((operator) => [operator, apart])
  const batches = [rowBatch(ROWS, { first: 0n }, schema), rowBatch(ROWS.slice(3), { first: 12n }, schema)]
  const outs: Batch<Rows>[] = []
  const chain = all.reduce<OperatorFunction<Batch<Rows>, Batch<Rows>>>(
    (before, next) => pipe(before, next),
    pipe(),
  )
  from(batches)
    .pipe(chain)
    .subscribe((batch) => outs.push(batch))
  return {
    seen,
    outs: outs.map(({ payload }) => {
      const counted = rowsAndLettersOf(payload)
      assertAccounted(payload)
      assert.equal(counted, payload.columns.length + payload.deadLetters.length)
      const { filtered, expanded, records } = payload
      return {
        rows: shownRows(payload),
        letters: shownLetters(payload),
        records: [...records],
        filtered,
        expanded,
      }
    }),
  }
}

test('Row operators in a row see and make what they would with columns between them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 9 })), {
        minLength: 1,
        maxLength: 5,
      }),
      (plan) => {
        assert.deepEqual(outcomeOf(plan, true), outcomeOf(plan, false))
      },
    ),
    { numRuns: 400 },
  )
})

test('Columns are built once, and a spread has all fields', () => {
  const [out] = outputsOf(
    mapRows((row) => ({ ...row, s: row['n'] === 2 ? 2 : null })),
    [rowBatch(FOUR_ROWS)],
  )
  assert.ok(out !== undefined)
  const { payload } = out
  assert.equal(rowsAndLettersOf(payload), 4)
  const columns = payload.columns
  assert.equal(payload.columns, columns)
  assert.equal(payload.deadLetters.length, 1)
  assert.equal({ ...payload }.columns, columns)
  assert.deepEqual(Object.keys(payload).sort(), Object.keys(rowBatch(FOUR_ROWS).payload).sort())
})

test('Several subscribers of the same rows do not see what the others do to their objects', () => {
  const [out] = outputsOf(
    mapRows((row) => ({ ...row })),
    [rowBatch(FOUR_ROWS)],
  )
  assert.ok(out !== undefined)
  const changing = mapRows((row) => Object.assign(row, { s: 'changed' }))
  const [first] = outputsOf(changing, [out])
  const [second] = outputsOf(
    tapRows((row) => assert.notEqual(row['s'], 'changed')),
    [out],
  )
  assert.deepEqual(first && shownRows(first.payload).map(({ s }) => s), Array(4).fill('changed'))
  assert.deepEqual(second && shownRows(second.payload), FOUR_ROWS)
  assert.deepEqual(shownRows(out.payload), FOUR_ROWS)
})

test('A source of rows in columns gives new objects', () => {
  const source = rowSourceOf(rowBatch(FOUR_ROWS).payload)
  assert.deepEqual([source.length, source.schema, source.recordAt(2)], [4, ROW_COLUMNS, 2])
  assert.deepEqual(source.ownRowAt(1), FOUR_ROWS[1])
  assert.notEqual(source.ownRowAt(1), source.ownRowAt(1))
})
