// Goal: files of a mapped table name and number their columns like the log, at every depth, as verified by an
// independent reader.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DataType, StructField, StructType } from '../../../src/core/schema.ts'
import { layoutOf, newFileKey, isSameLayout } from '../../../src/delta/files/layout.ts'
import type { TableShape } from '../../../src/delta/protocol/table-shape.ts'
import { FileStatistics } from '../../../src/parquet/statistics.ts'
import { columnsOf } from '../../support/flow/batches.ts'
import { askDuckdb } from '../../support/duckdb.ts'
import { fileOf } from '../../support/values/parquet-file.ts'

let lastId = 0
const mapped = (name: string, type: DataType): StructField => ({
  name,
  type,
  nullable: true,
  metadata: { 'delta.columnMapping.id': ++lastId, 'delta.columnMapping.physicalName': `col-${lastId}` },
})
const struct = (...fields: StructField[]): StructType => ({ type: 'struct', fields })

const SCHEMA = struct(
  mapped('id', 'long'), // 1
  mapped('day', 'date'), // 2
  mapped('at', struct(mapped('x', 'long'), mapped('y z', 'string'))), // x 3, y 4, at 5
  mapped('list', { type: 'array', elementType: struct(mapped('q', 'integer')), containsNull: true }), // q 6, list 7
  mapped('map', {
    type: 'map',
    keyType: 'string',
    valueType: struct(mapped('v', 'double')),
    valueContainsNull: true,
  }), // v 8, map 9
)

const tableOf = (mode: string, configuration: Record<string, string> = {}): TableShape => ({
  protocol: { minReaderVersion: 2, minWriterVersion: 5 },
  metadata: {
    id: 'a-table',
    schema: SCHEMA,
    partitionColumns: ['day'],
    configuration: { 'delta.columnMapping.mode': mode, ...configuration },
  },
})

for (const mode of ['name', 'id']) {
  test(`Columns of files of a table mapped by ${mode} have their physical names and ids at every depth`, async () => {
    const { fileSchema, partitionColumns } = layoutOf(tableOf(mode))
    assert.deepEqual(partitionColumns, [{ name: 'day', type: 'date', physicalName: 'col-2' }])
    const row = {
      'col-1': 1,
      'col-5': { 'col-3': 2, 'col-4': 'text' },
      'col-7': [{ 'col-6': 3 }],
      'col-9': { key: { 'col-8': 0.5 } },
    }
    const file = await fileOf(fileSchema, [[row]])
    const found = await askDuckdb(
      file,
      'SELECT name, field_id FROM parquet_schema(PATH) WHERE field_id IS NOT NULL',
    )
    assert.deepEqual(
      found.map(([name, id]) => [name, Number(id)]),
      [
        ['col-1', 1],
        ['col-5', 5],
        ['col-3', 3],
        ['col-4', 4],
        ['col-7', 7],
        ['col-6', 6],
        ['col-9', 9],
        ['col-8', 8],
      ],
    )
    const statistics = new FileStatistics(fileSchema)
    statistics.update(columnsOf(fileSchema, [row]).columns, 1)
    assert.deepEqual((JSON.parse(statistics.json()) as Record<string, unknown>)['minValues'], {
      'col-1': 1,
      'col-5': { 'col-3': 2, 'col-4': 'text' },
    })
  })
}

test('Files lie in directories of their partition, by physical names', () => {
  const key = newFileKey(layoutOf(tableOf('name')), { 'col-2': '2026-01-01' }, 'zstd')
  assert.match(key, /^col-2=2026-01-01\/part-00000-[0-9a-f-]{36}\.c000\.zstd\.parquet$/)
})

test('Files lie in random directories of the length that the table asks for', () => {
  for (const [length, expected] of [
    [undefined, 2],
    ['5', 5],
  ] as const) {
    const layout = layoutOf(
      tableOf('name', {
        'delta.randomizeFilePrefixes': 'true',
        ...(length === undefined ? {} : { 'delta.randomPrefixLength': length }),
      }),
    )
    const keys = Array.from({ length: 20 }, () => newFileKey(layout, { 'col-2': '2026-01-01' }, 'none'))
    for (const key of keys) {
      assert.match(key, new RegExp(`^[A-Za-z0-9]{${expected}}/part-00000-[0-9a-f-]{36}\\.c000\\.parquet$`))
    }
    assert.ok(new Set(keys.map((key) => key.slice(0, expected))).size > 1)
  }
})

test('Files with other statistics are invalid for a layout, files of another size are valid', () => {
  const one = layoutOf(tableOf('name'))
  assert.ok(isSameLayout(one, layoutOf(tableOf('name', { 'delta.targetFileSize': '1mb' }))))
  assert.ok(!isSameLayout(one, layoutOf(tableOf('name', { 'delta.dataSkippingStatsColumns': 'id' }))))
})
