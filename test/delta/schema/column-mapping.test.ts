import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Field,
  Int32,
  List,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  vectorFromArray,
} from 'apache-arrow'
import { Table as WasmTable, writeParquet } from 'parquet-wasm'
import type { DataType, StructField, StructType } from '../../../src/core/schema.ts'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import type { Metadata, Protocol } from '../../../src/delta/protocol/actions.ts'
import {
  checkNamesReadable,
  columnMappingOf,
  partitionValuesByName,
  type ColumnMapping,
} from '../../../src/delta/schema/column-mapping.ts'
import { commitKey } from '../../../src/delta/protocol/paths.ts'
import { readRowLines } from '../../../src/delta/rewrite/row-lines.ts'
import { serialiseSchema } from '../../../src/delta/schema/schema-json.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { someAdd } from '../table.ts'

const PROTOCOL: Protocol = { minReaderVersion: 2, minWriterVersion: 5 }

function column(name: string, id: number, physical: string, type: DataType = 'integer'): StructField {
  const metadata = { 'delta.columnMapping.id': id, 'delta.columnMapping.physicalName': physical }
  return { name, type, nullable: true, metadata }
}

/** `a` and `b` have swapped their names; `new` was added after the file was written. */
const SCHEMA: StructType = {
  type: 'struct',
  fields: [
    column('b', 1, 'a'),
    column('a', 2, 'b'),
    column('p q', 3, 'col-p'),
    column('list', 4, 'col-list', {
      type: 'array',
      elementType: { type: 'struct', fields: [column('y', 5, 'col-x'), column('x', 6, 'col-y')] },
      containsNull: true,
    }),
    column('new', 7, 'gone'),
  ],
}

for (const mode of ['name', 'id'] as const) {
  test(`Columns found by ${mode} keep their values when they are renamed, nested ones too`, async () => {
    const lines = await linesOf(mode, fileWith(mode === 'id'))
    assert.deepEqual(lines, ['{"b":1,"a":2,"p q":7,"list":[{"y":3,"x":4}],"new":null}\n'])
  })
}

test('A file without field ids is refused where columns are found by id', async () => {
  await assert.rejects(linesOf('id', fileWith(false)), { code: 'KD_PARQUET_FAILED', message: /no field ids/ })
})

test('The mode applies only if the protocol supports it', () => {
  const metadata = metadataOf('name')
  assert.equal(columnMappingOf({ minReaderVersion: 1, minWriterVersion: 2 }, metadata).mode, 'none')
  assert.equal(columnMappingOf(PROTOCOL, metadataOf('none')).mode, 'none')
  assert.equal(columnMappingOf(PROTOCOL, metadata).mode, 'name')
  assert.throws(() => columnMappingOf(PROTOCOL, metadataOf('other')), {
    code: 'KD_TABLE_UNSUPPORTED',
    message: /columnMapping mode other/,
  })
})

test('Partition values are shown under the names of the schema', () => {
  const metadata = metadataOf('name')
  const shown = partitionValuesByName(
    { partitionValues: { 'col-p': '7', gone: '8' } },
    metadata,
    columnMappingOf(PROTOCOL, metadata),
  )
  assert.deepEqual(shown, { 'p q': '7' })
})

for (const [fault, fields] of [
  ['no physical name', [{ ...column('a', 1, 'a'), metadata: { 'delta.columnMapping.id': 1 } }]],
  ['the physical name of another', [column('a', 1, 'x'), column('b', 2, 'x')]],
  ['the id of another', [column('a', 1, 'x'), column('b', 1, 'y')]],
  ['no id', [{ ...column('a', 1, 'a'), metadata: { 'delta.columnMapping.physicalName': 'a' } }]],
] as const) {
  test(`A column with ${fault} is a corrupt table`, () => {
    const metadata = { ...metadataOf('name'), schema: { type: 'struct', fields } } as const
    assert.throws(() => columnMappingOf(PROTOCOL, metadata), {
      code: 'KD_TABLE_CORRUPT',
      message: /lacks a unique/,
    })
  })
}

function metadataOf(mode: string): Metadata {
  const configuration = { 'delta.columnMapping.mode': mode }
  return { id: 'id', schema: SCHEMA, partitionColumns: ['p q'], configuration }
}

async function linesOf(mode: string, file: Uint8Array): Promise<string[]> {
  const store = new MemoryStore()
  await store.put('f.parquet', file)
  const { schema, ...rest } = metadataOf(mode)
  const metaData = {
    ...rest,
    schemaString: serialiseSchema(schema),
    format: { provider: 'parquet', options: {} },
  }
  const add = { ...someAdd('f.parquet'), partitionValues: { 'col-p': '7' } }
  const body = serialiseActions([
    { kind: 'protocol', protocol: PROTOCOL },
    { kind: 'metaData', metaData },
    { kind: 'add', add },
  ])
  await store.putIfAbsent(commitKey(0n), body)
  const lines: string[] = []
  for await (const line of readRowLines(store, await loadSnapshot(store))) lines.push(line)
  return lines
}

/** Writes one row of a, b and a list of {x, y}, under physical names, or under arbitrary names if columns have ids. */
function fileWith(ids: boolean): Uint8Array {
  const name = (physical: string): string => (ids ? `any-${physical}` : physical)
  const idOf = (id: number): Map<string, string> => new Map(ids ? [['PARQUET:field_id', String(id)]] : [])
  const int = (physical: string, id: number): Field => new Field(name(physical), new Int32(), true, idOf(id))
  const struct = new Struct([int('col-x', 5), int('col-y', 6)])
  const list = new List(new Field('element', struct, true))
  const schema = new Schema([int('b', 2), int('a', 1), new Field(name('col-list'), list, true, idOf(4))])
  const item = { [name('col-x')]: 3, [name('col-y')]: 4 }
  const columns = [
    vectorFromArray([2], new Int32()),
    vectorFromArray([1], new Int32()),
    vectorFromArray([[item]], list),
  ]
  const batch = new RecordBatch(
    Object.fromEntries(schema.fields.map((field, index) => [field.name, columns[index]?.data[0]])) as never,
  )
  const table = new Table(schema, [new RecordBatch(schema, batch.data)])
  return writeParquet(WasmTable.fromIPCStream(tableToIPC(table, 'stream')))
}

test('A byte order mark in the name of a field in a file makes the table unreadable, unless fields are found by id', () => {
  const nested: DataType = {
    type: 'array',
    elementType: { type: 'struct', fields: [column('\ufeffx', 9, 'col-x')] },
    containsNull: true,
  }
  const schema: StructType = {
    type: 'struct',
    fields: [column('fine', 8, '\ufefffine'), column('l', 7, 'l', nested)],
  }
  const mappingOf = (mode: string): ColumnMapping =>
    columnMappingOf(PROTOCOL, { ...metadataOf(mode), schema, partitionColumns: [] })
  const refusal = (where: string): object => ({
    code: 'KD_TABLE_UNSUPPORTED',
    message: new RegExp(`byte order mark.*${where}`),
  })
  assert.throws(() => checkNamesReadable(schema, mappingOf('none')), refusal('column l.element.\ufeffx'))
  assert.throws(() => checkNamesReadable(schema, mappingOf('name')), refusal('column fine'))
  checkNamesReadable(schema, mappingOf('id'))
  checkNamesReadable(SCHEMA, mappingOf('none'))
})
