import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { createTable } from '../../src/delta/maintenance/create.ts'
import { commitKey } from '../../src/delta/protocol/paths.ts'
import { openTableWriter } from '../../src/delta/commit/log-writer.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { ONE_LONG, someAppend } from './table.ts'

const FOLDER = new URL('../../schemas/delta/', import.meta.url)
const ajv = new Ajv({ allErrors: true, strict: false })
addFormats.default(ajv)
const validators = new Map(
  readdirSync(FOLDER).map((file) => {
    const schema = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as object
    return [file.slice(0, -'.schema.json'.length), ajv.compile(schema)] as const
  }),
)

for (const type of ['long', 'timestamp_ntz'] as const) {
  test(`Every line that is committed to a table with a ${type} column matches the schema of its action`, async () => {
    const store = new MemoryStore()
    const field = { name: 't', type, nullable: true, metadata: {} }
    const schema = { ...ONE_LONG, fields: [...ONE_LONG.fields, field] }
    await createTable(store, {
      schema,
      partitionColumns: ['t'],
      configuration: { 'delta.appendOnly': 'true' },
    })
    const writer = await openTableWriter(store)
    const append = someAppend('app-0', undefined, 5n)
    const adds = append.adds.map((add) => ({
      ...add,
      partitionValues: { t: null },
      stats: '{"numRecords":1}',
    }))
    await writer.append({ ...append, adds })
    const kinds: string[] = []
    for (const version of [0n, 1n]) {
      for (const line of new TextDecoder()
        .decode(await store.get(commitKey(version)))
        .trimEnd()
        .split('\n')) {
        const action = JSON.parse(line) as Record<string, unknown>
        const [kind = ''] = Object.keys(action)
        kinds.push(kind)
        const validate = validators.get(kind)
        assert.ok(validate, `no schema for ${kind}`)
        assert.ok(validate(action), `${line}: ${ajv.errorsText(validate.errors)}`)
      }
    }
    assert.deepEqual(kinds, ['commitInfo', 'protocol', 'metaData', 'commitInfo', 'txn', 'add'])
  })
}

test('The schemas refuse what no commit of ours may hold', () => {
  const refused: readonly [string, unknown][] = [
    ['txn', { txn: { appId: 'a', version: 1 } }],
    ['txn', { txn: { appId: 'a', version: 1.5, lastUpdated: 1 } }],
    ['add', { add: { path: 'a', partitionValues: {}, size: -1, modificationTime: 1, dataChange: true } }],
    ['protocol', { protocol: { minReaderVersion: 3, minWriterVersion: 7 } }],
    ['protocol', { protocol: { minReaderVersion: 1, minWriterVersion: 2, writerFeatures: [] } }],
  ]
  for (const [kind, action] of refused)
    assert.equal(validators.get(kind)?.(action), false, JSON.stringify(action))
})
