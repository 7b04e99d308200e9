import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import { findField, type DataType, type StructType } from '../../../src/core/schema.ts'
import type { Protocol } from '../../../src/delta/protocol/actions.ts'
import { evolveTable, type EvolutionRules, type TableEvolution } from '../../../src/delta/schema/evolve.ts'
import { layoutOf } from '../../../src/delta/files/layout.ts'
import { parseSchema } from '../../../src/delta/schema/schema-json.ts'
import type { TableShape } from '../../../src/delta/protocol/table-shape.ts'
import { arrayOf, mapOf, structOf } from '../../support/flow/batches.ts'
import { shapeOf } from '../../support/flow/layouts.ts'

const ADD: EvolutionRules = { add: true, widen: true }
const WIDENING: Protocol = {
  minReaderVersion: 3,
  minWriterVersion: 7,
  readerFeatures: ['typeWidening'],
  writerFeatures: ['typeWidening', 'appendOnly', 'invariants'],
}

function faultsOf(shape: TableShape, wanted: StructType, rules = ADD): string[] {
  try {
    evolveTable(shape, wanted, rules)
    return []
  } catch (error) {
    assert.ok(error instanceof PipelineError && error.code === 'KD_SCHEMA_MISMATCH')
    return error.message.replace(/^[^:]*: /, '').split('; column ')
  }
}

function evolved(shape: TableShape, wanted: StructType): TableEvolution {
  const evolution = evolveTable(shape, wanted, ADD)
  assert.ok(evolution !== undefined)
  assert.deepEqual(parseSchema(evolution.metadata.schemaString), evolution.shape.metadata.schema)
  return evolution
}

const widening = (schema: StructType, more: Record<string, string> = {}): TableShape => ({
  ...shapeOf(schema, [], { 'delta.enableTypeWidening': 'true', ...more }),
  protocol: WIDENING,
})

test('Rows that fit the table change nothing: fewer columns, another order and case, narrower types', () => {
  const table = structOf({
    a: 'long',
    B: structOf({ x: 'double', y: 'string' }),
    l: arrayOf('timestamp_ntz'),
    d: 'decimal(10,2)',
  })
  const rows = structOf({ d: 'decimal(9,2)', l: arrayOf('date'), b: structOf({ Y: 'string', x: 'integer' }) })
  assert.equal(evolveTable(shapeOf(table), rows, ADD), undefined)
})

test('New columns come last in their struct, nullable at every depth; existing columns keep their metadata', () => {
  const table: StructType = {
    type: 'struct',
    fields: [
      { name: 'a', type: 'long', nullable: false, metadata: { comment: 'kept' } },
      { name: 's', type: structOf({ x: 'long' }), nullable: true, metadata: {} },
      { name: 'l', type: arrayOf(structOf({ x: 'long' })), nullable: true, metadata: {} },
      { name: 'm', type: mapOf(structOf({ x: 'long' })), nullable: true, metadata: {} },
    ],
  }
  const strict: DataType = { type: 'array', elementType: 'long', containsNull: false }
  const rows: StructType = {
    type: 'struct',
    fields: [
      { name: 'new', type: strict, nullable: false, metadata: { ours: 1 } },
      ...structOf({
        s: structOf({ y: 'date' }),
        l: arrayOf(structOf({ y: structOf({ z: 'long' }) })),
        m: mapOf(structOf({ y: 'long' })),
        A: 'long',
      }).fields,
    ],
  }
  const { shape, protocol } = evolved(shapeOf(table), rows)
  assert.deepEqual(shape.metadata.schema, {
    type: 'struct',
    fields: [
      table.fields[0],
      { name: 's', type: structOf({ x: 'long', y: 'date' }), nullable: true, metadata: {} },
      {
        name: 'l',
        type: arrayOf(structOf({ x: 'long', y: structOf({ z: 'long' }) })),
        nullable: true,
        metadata: {},
      },
      { name: 'm', type: mapOf(structOf({ x: 'long', y: 'long' })), nullable: true, metadata: {} },
      { name: 'new', type: arrayOf('long'), nullable: true, metadata: {} },
    ],
  })
  assert.equal(protocol, undefined)
})

test('In a mapped table each new field gets an id of its own and a physical name, at every depth', () => {
  const mapped = (id: number): Record<string, unknown> => ({
    'delta.columnMapping.id': id,
    'delta.columnMapping.physicalName': `p${id}`,
  })
  const inner: StructType = {
    type: 'struct',
    fields: [{ name: 'x', type: 'long', nullable: true, metadata: mapped(7) }],
  }
  const table: StructType = {
    type: 'struct',
    fields: [{ name: 's', type: inner, nullable: true, metadata: mapped(2) }],
  }
  const properties = { 'delta.columnMapping.mode': 'name', 'delta.columnMapping.maxColumnId': '9' }
  const before = {
    ...shapeOf(table, [], properties),
    protocol: { minReaderVersion: 2, minWriterVersion: 5 },
  }
  const { shape, metadata } = evolved(
    before,
    structOf({ s: structOf({ y: 'long' }), 'with space': arrayOf(structOf({ z: 'long' })) }),
  )
  assert.equal(metadata.configuration['delta.columnMapping.maxColumnId'], '12')
  const layout = layoutOf(shape)
  assert.deepEqual(
    layout.fileSchema.fields.map(({ metadata: own }) => own['PARQUET:field_id']),
    ['2', '11'],
  )
  const added = findField(shape.metadata.schema, 'with space')
  assert.match(String(added?.metadata['delta.columnMapping.physicalName']), /^col-[0-9a-f-]{36}$/)
  assert.deepEqual(findField(shape.metadata.schema, 's')?.metadata, mapped(2))
})

test('Types are widened if property and feature allow it, and the change is recorded at the nearest field', () => {
  const table = structOf({
    i: 'integer',
    d: 'date',
    dec: 'decimal(6,2)',
    m: mapOf(arrayOf('float'), 'short'),
    l: arrayOf(structOf({ b: 'byte' })),
  })
  const rows = structOf({
    i: 'long',
    d: 'timestamp_ntz',
    dec: 'decimal(12,4)',
    m: mapOf(arrayOf('double'), 'integer'),
    l: arrayOf(structOf({ b: 'double' })),
  })
  const { shape, protocol } = evolved(widening(table), rows)
  const field = (name: string) => findField(shape.metadata.schema, name)
  assert.deepEqual(field('i')?.metadata, { 'delta.typeChanges': [{ fromType: 'integer', toType: 'long' }] })
  assert.deepEqual(field('m')?.metadata, {
    'delta.typeChanges': [
      { fromType: 'short', toType: 'integer', fieldPath: 'key' },
      { fromType: 'float', toType: 'double', fieldPath: 'value.element' },
    ],
  })
  const list = field('l')
  assert.deepEqual(list?.metadata, {})
  assert.deepEqual(list.type, {
    type: 'array',
    containsNull: true,
    elementType: {
      type: 'struct',
      fields: [
        {
          name: 'b',
          type: 'double',
          nullable: true,
          metadata: { 'delta.typeChanges': [{ fromType: 'byte', toType: 'double' }] },
        },
      ],
    },
  })
  assert.deepEqual([field('d')?.type, field('dec')?.type], ['timestamp_ntz', 'decimal(12,4)'])
  assert.deepEqual(protocol?.readerFeatures, ['typeWidening', 'timestampNtz'])
  const again = evolved(shape, structOf({ i: 'decimal(20,0)' }))
  assert.deepEqual(findField(again.shape.metadata.schema, 'i')?.metadata['delta.typeChanges'], [
    { fromType: 'integer', toType: 'long' },
    { fromType: 'long', toType: 'decimal(20,0)' },
  ])
})

test('A column that a constraint or a generated column may depend on keeps its type', () => {
  const table: StructType = {
    type: 'struct',
    fields: [
      ...structOf({ price: 'integer', at: 'date' }).fields,
      { name: 'y', type: 'integer', nullable: true, metadata: { 'delta.generationExpression': 'YEAR(at)' } },
    ],
  }
  const shape = widening(table, { 'delta.constraints.positive': 'Price > 0' })
  assert.deepEqual(faultsOf(shape, structOf({ price: 'long', at: 'timestamp_ntz' })), [
    'column price: expected integer, as the table has it, got long; CHECK constraint positive depends on it',
    'at: expected date, as the table has it, got timestamp_ntz; the column y is generated from it',
  ])
})

test('A column is widened although its name is a part of another that a constraint reads', () => {
  const table = structOf({ id: 'integer', valid: 'boolean', s: structOf({ a: 'integer', b: 'integer' }) })
  const shape = widening(table, { 'delta.constraints.Id': 'valid AND s.a > 0' })
  const { metadata } = evolved(shape, structOf({ id: 'long', s: structOf({ b: 'long' }) })).shape
  assert.equal(findField(metadata.schema, 'id')?.type, 'long')
  assert.deepEqual(faultsOf(shape, structOf({ s: structOf({ a: 'long' }) })), [
    'column s.a: expected integer, as the table has it, got long; CHECK constraint Id depends on it',
  ])
})

test('A column keeps its type if an invariant reads it, if the prefix of a constraint is in capitals, or if an expression cannot be compiled', () => {
  const invariant = { 'delta.invariants': JSON.stringify({ expression: { expression: 'id > 0' } }) }
  const table: StructType = {
    type: 'struct',
    fields: [
      ...structOf({ id: 'integer', n: 'integer', free: 'integer' }).fields,
      { name: 'x', type: 'string', nullable: true, metadata: invariant },
    ],
  }
  const reasonOf = (configuration: Record<string, string>, column: string): string | undefined =>
    faultsOf(widening(table, configuration), structOf({ [column]: 'long' }))[0]?.replace(/^.*; /, '')
  assert.equal(reasonOf({}, 'id'), 'invariant of column x depends on it')
  assert.equal(
    reasonOf({ 'Delta.Constraints.Positive': 'n > 0' }, 'n'),
    'CHECK constraint Positive depends on it',
  )
  assert.equal(
    reasonOf({ 'delta.constraints.odd': 'my_function(n)' }, 'free'),
    'CHECK constraint odd depends on it',
  )
})

test('All mismatches are reported at once, with path, expected type and actual type', () => {
  const table = structOf({ a: 'long', s: structOf({ x: 'string' }), p: 'integer', i: 'integer' })
  const rows = structOf({
    a: 'string',
    s: structOf({ x: arrayOf('long') }),
    p: 'short',
    i: 'long',
    'bad name': 'long',
  })
  assert.deepEqual(faultsOf(shapeOf(table, ['p']), rows), [
    'column p: expected integer, as the table has it, got short, and the table is partitioned by it',
    'a: expected long, as the table has it, got string',
    's.x: expected string, as the table has it, got array',
    'i: expected integer, as the table has it, got long; delta.enableTypeWidening and its feature would let it be widened',
    'bad name: "bad name" cannot name a column: it contains one of " ,;{}()\\n\\t="',
  ])
  assert.deepEqual(
    faultsOf(shapeOf(table), structOf({ new: 'long', s: structOf({ y: 'long' }) }), {
      add: false,
      widen: false,
    }),
    ['column s.y is not in the table', 'new is not in the table'],
  )
})

test('A single column may be added, and rows may be cast by rules of the caller', () => {
  const shape = shapeOf(structOf({ a: 'string' }))
  const rules: EvolutionRules = { add: '_rescued_data', widen: false, casts: (_, to) => to === 'string' }
  const evolution = evolveTable(shape, structOf({ a: 'long', _rescued_data: 'string' }), rules)
  assert.deepEqual(evolution?.shape.metadata.schema, structOf({ a: 'string', _rescued_data: 'string' }))
  assert.deepEqual(faultsOf(shape, structOf({ s: structOf({ _rescued_data: 'string' }) }), rules), [
    'column s is not in the table',
  ])
})

test('A timestamp without time zone adds its feature, and lists the features that legacy versions imply', () => {
  const { protocol } = evolved(shapeOf(structOf({ a: 'long' })), structOf({ t: 'timestamp_ntz' }))
  assert.deepEqual(protocol, {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ['timestampNtz'],
    writerFeatures: ['appendOnly', 'invariants', 'timestampNtz'],
  })
})
