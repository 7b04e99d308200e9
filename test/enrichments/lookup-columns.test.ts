import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Row } from '../../src/arrow/rows.ts'
import { valueAt } from '../../src/arrow/values.ts'
import type { StructType } from '../../src/core/schema.ts'
import {
  lookupColumns,
  type LookupOptions,
  type ReferenceTable,
} from '../../src/enrichments/lookup-columns.ts'
import { rowsOf } from '../support/flow/batches.ts'

const field = (name: string, type: 'string' | 'long') => ({ name, type, nullable: true, metadata: {} })
const schema: StructType = { type: 'struct', fields: [field('customer', 'long')] }
const fields = [field('segment', 'string'), field('since', 'long')]
const reference: ReferenceTable = new Map([
  ['1', { segment: 'gold', since: 2019 }],
  ['2', { segment: 'new' }],
  ['3', { segment: 'bad', since: 'never' }],
])

function lookedUp(
  customers: readonly (number | bigint | null)[],
  options: Partial<LookupOptions> = {},
): { values: unknown[][]; rejected: Record<number, string> } {
  const lookup = lookupColumns({ from: 'customer', fields, reference: () => reference, ...options })
  const rejected: Record<number, string> = {}
  const rows = rowsOf(
    schema,
    customers.map((customer) => ({ customer })),
  )
  const columns = lookup.columns(rows, (row, message) => (rejected[row] = message))
  return {
    values: customers.map((_, row) => columns.map((column) => valueAt(column, row))),
    rejected,
  }
}

test('A row gets the reference columns of its key, or nulls for an unknown key', () => {
  const { values, rejected } = lookedUp([1, 9, 2, null])
  assert.deepEqual(values, [
    ['gold', 2019],
    [null, null],
    ['new', null],
    [null, null],
  ])
  assert.deepEqual(rejected, {})
})

test('Keys beyond the precision of a double are distinct', () => {
  const big = new Map([['9007199254740993', { segment: 'odd' }]])
  const { values } = lookedUp([9007199254740993n, 9007199254740992n], { reference: () => big })
  assert.deepEqual(values, [
    ['odd', null],
    [null, null],
  ])
})

test('An unknown key rejects the row if configured; a row without a key is never rejected', () => {
  assert.deepEqual(lookedUp([9, null], { unknown: 'reject' }).rejected, {
    0: 'customer 9 is not in the reference table',
  })
})

test('A reference value that does not fit its field rejects only that row', () => {
  const { values, rejected } = lookedUp([3, 1])
  assert.deepEqual(Object.keys(rejected), ['0'])
  assert.match(rejected[0] ?? '', /does not fit: \/since/)
  assert.deepEqual(values[1], ['gold', 2019])
})

test('Every batch gets the reference table anew, and rows without the column get nulls', () => {
  let asked = 0
  const reference = (): ReferenceTable => {
    asked++
    return new Map()
  }
  const lookup = lookupColumns({ from: 'customer.id', fields, reference })
  for (const batch of [1, 2]) {
    const columns = lookup.columns(rowsOf(schema, [{ customer: batch }]), () => assert.fail('rejected'))
    assert.deepEqual(
      columns.map((column) => valueAt(column, 0)),
      [null, null],
    )
  }
  assert.equal(asked, 2)
})

test('A batch that fails leaves no values behind for the next batch, such as that of another subscription', () => {
  let failures = 1
  class Unreliable extends Map<string, Row> {
    override get(key: string): Row | undefined {
      if (key === '2' && failures-- > 0) throw new Error('unavailable')
      return super.get(key)
    }
  }
  const unreliable = new Unreliable(reference)
  const lookup = lookupColumns({ from: 'customer', fields, reference: () => unreliable })
  const rows = rowsOf(schema, [{ customer: 1 }, { customer: 2 }])
  const refuse = (): void => assert.fail('no row is rejected')
  assert.throws(() => lookup.columns(rows, refuse), /unavailable/)
  const [segment] = lookup.columns(rows, refuse)
  assert.ok(segment !== undefined)
  assert.deepEqual([segment.length, valueAt(segment, 0), valueAt(segment, 1)], [2, 'gold', 'new'])
})

test('The key is found by a whole name with dots, by a path, and by a path with quoted names', () => {
  const nested: StructType = {
    type: 'struct',
    fields: [
      field('a.b', 'long'),
      {
        name: 'a',
        type: { type: 'struct', fields: [field('b', 'long'), field('b.c', 'long')] },
        nullable: true,
        metadata: {},
      },
      field('No.', 'long'),
    ],
  }
  const rows = rowsOf(nested, [{ 'a.b': 1, a: { b: 2, 'b.c': 9 }, 'No.': 2 }])
  const segmentOf = (from: string): unknown => {
    const [segment] = lookupColumns({ from, fields, reference: () => reference }).columns(
      rows,
      () => undefined,
    )
    assert.ok(segment !== undefined)
    return valueAt(segment, 0)
  }
  assert.deepEqual(
    ['a.b', '"a.b"', '"a"."b"', '"a".b', 'a."b.c"', 'No.', '"No."', '"a', 'a..b'].map(segmentOf),
    ['gold', 'gold', 'new', 'new', null, 'new', 'new', null, null],
  )
})
