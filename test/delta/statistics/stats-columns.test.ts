import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StructType } from '../../../src/core/schema.ts'
import { BY_NAME, columnMappingOf } from '../../../src/delta/schema/column-mapping.ts'
import { statsColumnsOf } from '../../../src/delta/statistics/stats-columns.ts'
import { structOf } from '../../support/flow/batches.ts'
import { shapeOf } from '../../support/flow/layouts.ts'

const schema: StructType = structOf({ id: 'long', name: 'string', at: structOf({ x: 'long', y: 'long' }) })

test('Without properties the first columns have statistics', () => {
  assert.deepEqual(statsColumnsOf(shapeOf(schema), BY_NAME), { first: 32, paths: [] })
})

test('A list of columns takes precedence over a number, ignores case, and skips unknown names', () => {
  const configuration = {
    'delta.dataSkippingNumIndexedCols': '1',
    'delta.dataSkippingStatsColumns': 'NAME, at.Y, gone, id.no',
  }
  assert.deepEqual(statsColumnsOf(shapeOf(schema, [], configuration), BY_NAME), {
    first: 0,
    paths: [['name'], ['at', 'y']],
  })
})

test('Columns that the table is clustered by have statistics beside the others', () => {
  for (const [columns, paths] of [
    [
      [['at', 'y'], ['name']],
      [['at', 'y'], ['name']],
    ],
    [['name'], [['name']]],
    [7, []],
  ]) {
    const clustering = JSON.stringify({ clusteringColumns: columns })
    const shape = { ...shapeOf(schema, [], { 'delta.dataSkippingNumIndexedCols': '1' }), clustering }
    assert.deepEqual(statsColumnsOf(shape, BY_NAME), { first: 1, paths })
  }
})

test('Listed columns of a mapped table are found by logical names and returned by physical names', () => {
  const metadata = { 'delta.columnMapping.id': 1, 'delta.columnMapping.physicalName': 'col-1' }
  const mapped: StructType = {
    type: 'struct',
    fields: [{ name: 'the name', type: 'string', nullable: true, metadata }],
  }
  const shape = {
    ...shapeOf(mapped, [], {
      'delta.columnMapping.mode': 'name',
      'delta.dataSkippingStatsColumns': '`the name`',
    }),
    protocol: { minReaderVersion: 2, minWriterVersion: 5 },
  }
  const mapping = columnMappingOf(shape.protocol, shape.metadata)
  assert.deepEqual(statsColumnsOf(shape, mapping).paths, [['col-1']])
})
