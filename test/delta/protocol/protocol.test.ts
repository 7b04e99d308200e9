import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import type { StructType } from '../../../src/core/schema.ts'
import type { Metadata, Protocol } from '../../../src/delta/protocol/actions.ts'
import { checkReadable, writerFeaturesOf } from '../../../src/delta/protocol/protocol.ts'
import { checkAppendable } from '../../../src/delta/constraints/append-support.ts'

test('Legacy writer versions imply their features', () => {
  assert.deepEqual(writerFeaturesOf({ minReaderVersion: 1, minWriterVersion: 1 }), [])
  assert.deepEqual(writerFeaturesOf({ minReaderVersion: 1, minWriterVersion: 2 }), [
    'appendOnly',
    'invariants',
  ])
  assert.deepEqual(writerFeaturesOf({ minReaderVersion: 2, minWriterVersion: 6 }), [
    'appendOnly',
    'invariants',
    'checkConstraints',
    'changeDataFeed',
    'generatedColumns',
    'columnMapping',
    'identityColumns',
  ])
})

test('A table on the last legacy versions that uses none of their features is read and appended to', () => {
  const protocol = { minReaderVersion: 2, minWriterVersion: 6 }
  const metadata = { ...metadataOf(), format: { provider: 'parquet', options: {} } }
  checkReadable(protocol, metadata)
  checkAppendable(protocol, metadata)
})

const LEGACY: Protocol = { minReaderVersion: 2, minWriterVersion: 6 }

for (const [feature, metadata] of [
  ['invariants (invariant of column x: x > f(3): the function F', metadataOf(invariantOf('x > f(3)'))],
  ['invariants (invariant of column x:', metadataOf({ 'delta.invariants': '{"expression":1}' })],
  [
    'generatedColumns (generated column x: y + 1: there is no',
    metadataOf({ 'delta.generationExpression': 'y + 1' }),
  ],
  [
    'generatedColumns (generated column x: year(now()): a generated column cannot',
    metadataOf({ 'delta.generationExpression': 'year(now())' }),
  ],
  ['identityColumns (column x)', metadataOf({ 'delta.identity.start': 1 })],
  [
    'checkConstraints (CHECK constraint odd: hash(x) > 0: the function HASH is not supported)',
    metadataOf({}, { 'delta.constraints.odd': 'hash(x) > 0' }),
  ],
] as const) {
  test(`A table that uses ${feature} is refused by that name`, () => {
    assert.throws(() => {
      checkAppendable(LEGACY, metadata)
    }, refusedFor(feature))
  })
}

test('A table whose constraints, invariants and generated columns can all be evaluated is appended to', () => {
  checkAppendable(LEGACY, metadataOf(invariantOf('x > 3'), { 'delta.constraints.positive': 'x > 0' }))
  checkAppendable(LEGACY, metadataOf({ 'delta.generationExpression': '1 + 1' }))
})

for (const feature of [
  'icebergCompatV1',
  'icebergCompatV2',
  'inCommitTimestamp-preview',
  'catalogManaged',
  'somethingNew',
]) {
  test(`A table with the writer feature ${feature} is refused by that name`, () => {
    const protocol = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['appendOnly', feature] }
    assert.throws(() => {
      checkAppendable(protocol, metadataOf())
    }, refusedFor(feature))
  })
}

test('Default columns are refused only where a default cannot be evaluated', () => {
  const protocol = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['allowColumnDefaults'] }
  checkAppendable(protocol, metadataOf())
  checkAppendable(protocol, metadataOf({ CURRENT_DEFAULT: '1' }))
  assert.throws(() => {
    checkAppendable(protocol, metadataOf({ CURRENT_DEFAULT: 'uuid()' }))
  }, refusedFor('allowColumnDefaults (column x: uuid(): the function UUID is not supported)'))
})

test('An invariant of a nested field is found', () => {
  const x = { name: 'x', type: 'long', nullable: true, metadata: { 'delta.invariants': '{}' } } as const
  const list = { type: 'array', elementType: { type: 'struct', fields: [x] }, containsNull: true } as const
  const schema: StructType = {
    type: 'struct',
    fields: [{ name: 'l', type: list, nullable: true, metadata: {} }],
  }
  assert.throws(
    () => {
      checkAppendable({ minReaderVersion: 1, minWriterVersion: 2 }, { ...metadataOf(), schema })
    },
    (error) => error instanceof PipelineError && error.message.includes('invariants (column l.element.x)'),
  )
})

test('Versions beyond those of the specification are refused', () => {
  const parquet = { configuration: {}, format: { provider: 'parquet', options: {} } }
  assert.throws(() => {
    checkReadable({ minReaderVersion: 4, minWriterVersion: 7 }, parquet)
  }, refusedFor('reader version 4'))
  assert.throws(() => {
    checkAppendable({ minReaderVersion: 1, minWriterVersion: 8 }, metadataOf())
  }, refusedFor('writer version 8'))
})

function invariantOf(expression: string): Record<string, unknown> {
  return { 'delta.invariants': JSON.stringify({ expression: { expression } }) }
}

function metadataOf(
  columnMetadata: Record<string, unknown> = {},
  configuration: Record<string, string> = {},
): Metadata {
  const field = { name: 'x', type: 'long', nullable: true, metadata: columnMetadata } as const
  return { id: 'id', schema: { type: 'struct', fields: [field] }, partitionColumns: [], configuration }
}

function refusedFor(feature: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof PipelineError && error.code === 'KD_TABLE_UNSUPPORTED' && error.message.includes(feature)
}
