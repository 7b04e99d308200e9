import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StructBuilder } from '../../../src/arrow/builder.ts'
import type { Columns } from '../../../src/arrow/column.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import type { DataType, StructField, StructType } from '../../../src/core/schema.ts'
import {
  findViolations,
  recheckConstraints,
  compileConstraints,
  markSatisfied,
} from '../../../src/delta/constraints/constraint-violations.ts'
import {
  constraintsOf,
  defaultColumnsOf,
  generatedColumnsOf,
  findUnenforceableExpressions,
} from '../../../src/delta/constraints/constraints.ts'
import { arrayOf, fieldOf, mapOf, structOf } from '../../support/flow/batches.ts'

const NOW_MS = 0

test('Constraints are found in properties, columns and fields of structs', () => {
  const inner = { ...fieldOf('x', 'integer'), metadata: invariantOf('s.x > 3') }
  const schema = structWith([
    { ...fieldOf('at', 'timestamp') },
    { ...fieldOf('day', 'date'), metadata: { 'delta.generationExpression': 'CAST(at AS DATE)' } },
    { ...fieldOf('name', 'string'), metadata: { __CHAR_VARCHAR_TYPE_STRING: 'varchar(3)' } },
    { ...fieldOf('n', 'integer'), nullable: false, metadata: { CURRENT_DEFAULT: '1' } },
    fieldOf('s', { type: 'struct', fields: [inner] }),
  ])
  const configuration = { 'delta.constraints.late': "at > '2020-01-01'", 'delta.appendOnly': 'true' }
  assert.deepEqual(
    constraintsOf({ schema, configuration }).map(({ name, expression }) => [name, expression]),
    [
      ['NOT NULL', ''],
      ['CHECK constraint late', "at > '2020-01-01'"],
      ['generated column day', 'CAST(at AS DATE)'],
      ['varchar(3) of column name', '`name` IS NULL OR length(`name`) <= 3'],
      ['invariant of column s.x', 's.x > 3'],
    ],
  )
  assert.deepEqual(
    generatedColumnsOf({ schema }).map(({ field }) => field.name),
    ['day'],
  )
  assert.deepEqual(defaultColumnsOf({ schema }), [{ field: schema.fields[3], expression: '1' }])
})

test('A table without constraints has no checks', () => {
  assert.deepEqual(constraintsOf({ schema: structOf({ a: 'long' }), configuration: {} }), [])
})

test('A constraint that cannot be evaluated refuses the table by its name, its expression and the piece', () => {
  const schema = structOf({ a: 'long' })
  const configuration = { 'delta.constraints.x': 'xxhash64(a) > 0', 'delta.constraints.y': 'a + 1' }
  assert.throws(
    () => compileConstraints(constraintsOf({ schema, configuration }), schema),
    (error) => {
      assert.ok(error instanceof PipelineError)
      assert.equal(error.code, 'KD_TABLE_UNSUPPORTED')
      assert.match(
        error.message,
        /CHECK constraint x \(xxhash64\(a\) > 0: the function XXHASH64 is not supported\)/,
      )
      assert.match(error.message, /CHECK constraint y \(a \+ 1: a condition of a long is not supported\)/)
      return true
    },
  )
  assert.equal(findUnenforceableExpressions('checkConstraints', { schema, configuration }).length, 2)
  assert.deepEqual(findUnenforceableExpressions('invariants', { schema, configuration }), [])
})

test('A generated column holds what its expression gives, null for null', () => {
  const schema = structWith([
    fieldOf('a', 'integer'),
    { ...fieldOf('twice', 'long'), metadata: { 'delta.generationExpression': 'a * 2' } },
  ])
  const rows = [{ a: 1, twice: 2 }, {}, { a: 1, twice: 3 }, { a: 1 }, { twice: 2 }, { a: 2_147_483_647 }]
  assert.deepEqual(broken(schema, rows), [
    [2, 'generated column twice (a * 2) is violated by twice = 3, a = 1'],
    [3, 'generated column twice (a * 2) is violated by twice = null, a = 1'],
    [4, 'generated column twice (a * 2) is violated by twice = 2, a = null'],
    [
      5,
      'generated column twice (a * 2) has no value: 4294967294 is out of range for integer, with twice = null, a = 2147483647',
    ],
  ])
})

test('NOT NULL of nested fields applies in structs, arrays and maps', () => {
  const point: DataType = structWith([{ ...fieldOf('x', 'integer'), nullable: false }])
  const schema = structWith([
    fieldOf('p', point),
    fieldOf('list', arrayOf(point)),
    fieldOf('full', { type: 'array', elementType: 'string', containsNull: false }),
    fieldOf('map', { ...(mapOf('long') as object), valueContainsNull: false } as DataType),
  ])
  const p = { x: 1 }
  const rows = [
    { p, list: [{ x: 1 }, null], full: ['a'], map: { k: 1 } },
    { p },
    { p: { x: null } },
    {},
    { p, list: [{ x: 1 }, { x: null }] },
    { p, full: ['a', null] },
    { p, map: { k: null } },
  ]
  assert.deepEqual(broken(schema, rows), [
    [2, 'column p.x is NOT NULL, got null'],
    [3, 'column p.x is NOT NULL, got null'],
    [4, 'column list.element.x is NOT NULL, got null'],
    [5, 'column full.element is NOT NULL, got null'],
    [6, 'column map.value is NOT NULL, got null'],
  ])
})

test('Text beyond the length of its varchar is refused by characters, not bytes', () => {
  const schema = structWith([
    { ...fieldOf('a', 'string'), metadata: { __CHAR_VARCHAR_TYPE_STRING: 'varchar(3)' } },
  ])
  assert.deepEqual(
    broken(schema, [{ a: 'äöü' }, { a: '😀😀😀' }, {}, { a: 'abcd' }]).map(([row]) => row),
    [3],
  )
})

test('Rows of a narrower type are read as the wider type of the table', () => {
  const table = structOf({ a: 'long' })
  const constraints = compileConstraints(
    constraintsOf({ schema: table, configuration: { 'delta.constraints.c': 'a + 1 > 0' } }),
    table,
  )
  const rows = columnsOf(structOf({ a: 'integer' }), [{ a: 2_147_483_647 }])
  assert.equal(findViolations(constraints, rows, NOW_MS).size, 0)
})

test('Rows are checked again only if the constraints of the table have changed', () => {
  const schema = structOf({ a: 'long' })
  const rows = columnsOf(schema, [{ a: 1 }])
  const before = { schema, configuration: { 'delta.constraints.c': 'a > 0' } }
  const after = { schema, configuration: { 'delta.constraints.c': 'a > 1' } }
  assert.equal(recheckConstraints(rows, { schema, configuration: {} }, NOW_MS), undefined)
  assert.equal(recheckConstraints(rows, before, NOW_MS), undefined)
  assert.match(
    String(recheckConstraints(rows, after, NOW_MS)),
    /CHECK constraint c \(a > 1\) is violated by a = 1/,
  )
  markSatisfied(rows, [])
  assert.equal(recheckConstraints(rows, before, NOW_MS), undefined)
})

function structWith(fields: readonly StructField[]): StructType {
  return { type: 'struct', fields }
}

function invariantOf(expression: string): Record<string, unknown> {
  return { 'delta.invariants': JSON.stringify({ expression: { expression } }) }
}

function broken(schema: StructType, rows: readonly object[]): (readonly [number, string])[] {
  const constraints = compileConstraints(constraintsOf({ schema, configuration: {} }), schema)
  return [...findViolations(constraints, columnsOf(nullable(schema) as StructType, rows), NOW_MS)]
}

/** Rows come from a contract without the table's NOT NULLs. */
function nullable(type: DataType): DataType {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'struct':
      return {
        type: 'struct',
        fields: type.fields.map((field) => fieldOf(field.name, nullable(field.type))),
      }
    case 'array':
      return arrayOf(nullable(type.elementType))
    case 'map':
      return mapOf(nullable(type.valueType), type.keyType)
  }
}

function columnsOf(schema: StructType, rows: readonly object[]): Columns {
  const builder = new StructBuilder(schema)
  for (const row of rows) assert.equal(builder.append(row), undefined)
  return builder.finishColumns()
}
