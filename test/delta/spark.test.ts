// Tables that Spark 4.2 wrote with Delta 4.4, one per feature, with the rows that Spark found in them.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { PipelineError } from '../../src/core/errors.ts'
import { readRowLines } from '../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../src/delta/commit/log-writer.ts'
import { LocalStore } from '../../src/storage/local/local.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import type { Store } from '../../src/storage/store.ts'
import { duckdbLines } from './duckdb.ts'

const FOLDER = new URL('../fixtures/spark/', import.meta.url).pathname

/** Features for which appends are refused; the other tables accept appends. */
const NOT_WRITTEN: Readonly<Record<string, string>> = {
  many_features: 'identityColumns',
  variant: 'variantType',
}

for (const name of readdirSync(FOLDER)) {
  const store = new LocalStore(`${FOLDER}${name}/delta`)
  const forbidden = NOT_WRITTEN[name]
  test(`Spark's table ${name} is ${forbidden === undefined ? 'open' : 'closed'} to appends`, async () => {
    if (forbidden === undefined) await openTableWriter(store)
    else await assert.rejects(openTableWriter(store), refusedFor(forbidden))
  })
  const expected = `${FOLDER}${name}/expected`
  if (!existsSync(expected)) continue
  for (const version of readdirSync(expected)) {
    test(`Spark's table ${name} at ${version} has Spark's rows`, async () => {
      await assertRows(store, name, version)
    })
  }
}

test('A table with variants is refused by that name', async () => {
  await assert.rejects(loadSnapshot(new LocalStore(`${FOLDER}variant/delta`)), refusedFor('variantType'))
})

for (const [name, oldest] of [
  ['v2_checkpoint_json', '00000000000000000009'],
  ['v2_checkpoint_parquet', '00000000000000000009'],
  ['multipart_checkpoint', '00000000000000000008'],
] as const) {
  test(`The checkpoint of ${name} alone gives the rows once older commits are gone`, async () => {
    const store = await copyOf(name, (key) => {
      const file = key.slice('_delta_log/'.length)
      return !/^_delta_log\/\d/.test(key) || (file.endsWith('.json') ? file > oldest : file >= oldest)
    })
    await assertRows(store, name, 'v10')
    // Neither a stale nor an absent hint changes the result.
    await store.delete('_delta_log/_last_checkpoint')
    await assertRows(store, name, 'v10')
    await store.put('_delta_log/_last_checkpoint', new TextEncoder().encode('{"version":10,"size":1}'))
    await assertRows(store, name, 'v10')
  })
}

test('A multi-part checkpoint with a missing part is ignored, and older checkpoints or commits are read', async () => {
  const store = await copyOf('multipart_checkpoint', (key) => !key.includes('8.checkpoint.0000000002'))
  await assertRows(store, 'multipart_checkpoint', 'v10')
})

test('A compaction of commits is not needed and not read', async () => {
  const store = await copyOf('multipart_checkpoint', () => true)
  const key = '_delta_log/00000000000000000009.00000000000000000010.compacted.json'
  await store.put(key, new TextEncoder().encode('no JSON'))
  await assertRows(store, 'multipart_checkpoint', 'v10')
})

test('A missing sidecar is a corrupt table, named by version and file', async () => {
  const store = await copyOf('v2_checkpoint_json', (key) => !key.includes('/_sidecars/00000000000000000009'))
  const snapshot = await loadSnapshot(store)
  await assert.rejects(snapshot.files().next(), {
    code: 'KD_TABLE_CORRUPT',
    message: /version 9, checkpoint _delta_log\/_sidecars\//,
  })
})

test('A checkpoint that states another version, or no version, is a corrupt table', async () => {
  for (const [from, to, message] of [
    ['"version":9', '"version":8', /checkpointMetadata\.version is 8/],
    ['"checkpointMetadata"', '"somethingElse"', /checkpointMetadata is missing/],
    ['"sidecar":{"path":"', '"sidecar":{"path":"../../../', /a sidecar is not in/],
  ] as const) {
    const store = await copyOf('v2_checkpoint_json', () => true)
    for await (const { key } of store.list('_delta_log/00000000000000000009.checkpoint')) {
      const text = new TextDecoder().decode(await store.get(key))
      assert.ok(text.includes(from))
      await store.put(key, new TextEncoder().encode(text.replaceAll(from, to)))
    }
    await assert.rejects(loadSnapshot(store), { code: 'KD_TABLE_CORRUPT', message })
  }
})

async function assertRows(store: Store, name: string, version: string): Promise<void> {
  const snapshot = await loadSnapshot(store, { version: BigInt(version.slice(1)) })
  const lines: string[] = []
  for await (const line of readRowLines(store, snapshot)) lines.push(line)
  const columns = snapshot.schema.fields.map((field) => field.name)
  const theirs = await duckdbLines(`${FOLDER}${name}/expected/${version}/*.parquet`, columns)
  assert.deepEqual(lines.sort(), theirs.sort())
  assert.ok(lines.length > 0)
}

/** Copies the wanted files of a table to memory. */
async function copyOf(name: string, wanted: (key: string) => boolean): Promise<MemoryStore> {
  const [from, to] = [new LocalStore(`${FOLDER}${name}/delta`), new MemoryStore()]
  for await (const { key } of from.list('')) if (wanted(key)) await to.put(key, await from.get(key))
  return to
}

function refusedFor(feature: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PipelineError)
    assert.equal(error.code, 'KD_TABLE_UNSUPPORTED')
    assert.match(error.message, new RegExp(`\\b${feature}\\b`))
    return true
  }
}
