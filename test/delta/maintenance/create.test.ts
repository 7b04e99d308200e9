import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DataType } from '../../../src/core/schema.ts'
import { createTable, tableExists, type NewTable } from '../../../src/delta/maintenance/create.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { arrayOf, mapOf, structOf } from '../../support/flow/batches.ts'

/** Creates a table and returns the message of the refusal; a refused table leaves nothing behind. */
async function refusalOf(table: Partial<NewTable>, code: string): Promise<string> {
  const store = new MemoryStore()
  let message = ''
  await assert.rejects(
    createTable(store, { schema: structOf({ id: 'long' }), partitionColumns: [], ...table }),
    (error) => {
      message = String(error)
      return (error as { code?: string }).code === code
    },
  )
  assert.equal(await tableExists(store), false)
  return message
}

const MAPPED = { 'delta.columnMapping.mode': 'name' }

test('A type that no reader knows is refused at every depth, before anything is written', async () => {
  const unknown = ['strnig', 'int', 'decimal(39,2)', 'decimal(4,5)', undefined, null, 5, {}, { type: 'list' }]
  for (const type of unknown as readonly DataType[]) {
    for (const schema of [
      structOf({ id: 'long', bad: type }),
      structOf({ id: 'long', bad: structOf({ inner: type }) }),
      structOf({ id: 'long', bad: arrayOf(type) }),
      structOf({ id: 'long', bad: mapOf(type) }),
    ])
      assert.match(await refusalOf({ schema }, 'KD_SCHEMA_MISMATCH'), /column "bad[a-z.]*" has the type/)
  }
})

test('A name that no reader accepts is refused at every depth, before anything is written', async () => {
  const bad = (name: string): readonly DataType[] => [
    structOf({ [name]: 'long' }),
    structOf({ s: structOf({ [name]: 'long' }) }),
    structOf({ l: arrayOf(structOf({ [name]: 'long' })) }),
    structOf({ m: mapOf(structOf({ [name]: 'long' })) }),
  ]
  for (const schema of bad('\ud800x'))
    for (const configuration of [{}, MAPPED])
      assert.match(
        await refusalOf({ schema: schema as NewTable['schema'], configuration }, 'KD_SCHEMA_MISMATCH'),
        /the name of column "[a-z.]*\\ud800x" is not well-formed Unicode/,
      )
  for (const schema of bad('a b')) {
    const named = schema as NewTable['schema']
    assert.match(await refusalOf({ schema: named }, 'KD_SCHEMA_MISMATCH'), /"[a-z.]*a b" contains one of/)
    assert.equal(
      (await createTable(new MemoryStore(), { schema: named, partitionColumns: [], configuration: MAPPED }))
        .created,
      true,
    )
  }
  const twice = structOf({ s: structOf({ id: 'long', ID: 'string' }) })
  assert.match(
    await refusalOf({ schema: twice }, 'KD_SCHEMA_MISMATCH'),
    /"s\.ID" appears twice, regardless of case/,
  )
})

test('Properties, name and description of a new table must be well-formed Unicode', async () => {
  const tables: readonly Partial<NewTable>[] = [
    { name: '\ud800' },
    { description: 'x\udc00' },
    { configuration: { note: '\udfff' } },
    { configuration: { '\ud800': 'x' } },
  ]
  for (const table of tables) assert.match(await refusalOf(table, 'KD_COMMAND_INVALID'), /surrogate/)
  const store = new MemoryStore()
  const configuration = { 'ключ 😀': '\\ud800 😀' }
  await createTable(store, { schema: structOf({ '😀': 'long' }), partitionColumns: [], configuration })
})

test('A column that cannot partition a table is refused before the table is made', async () => {
  const schema = structOf({ id: 'long', raw: 'binary', s: structOf({ x: 'long' }), l: arrayOf('long') })
  for (const [name, message] of [
    ['raw', /raw is binary; neither binary nor nested columns/],
    ['s', /s is of type struct/],
    ['l', /l is of type array/],
    ['none', /none is not in the schema/],
  ] as const)
    assert.match(await refusalOf({ schema, partitionColumns: [name] }, 'KD_SCHEMA_MISMATCH'), message)
  assert.match(await refusalOf({ partitionColumns: ['id'] }, 'KD_SCHEMA_MISMATCH'), /every column/)
  assert.match(await refusalOf({ partitionColumns: ['id', 'id'] }, 'KD_SCHEMA_MISMATCH'), /named twice/)
})
