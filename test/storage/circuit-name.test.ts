import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { Circuits } from '../../src/resilience/circuit-registry.ts'
import { circuitNameOf } from '../../src/storage/circuit-name.ts'
import { openStore } from '../../src/storage/open/open.ts'

for (const [uri, name] of [
  ['s3://lake/a/table', 's3://lake'],
  ['s3a://lake', 's3://lake'],
  ['gs://lake/a', 'gs://lake'],
  ['abfs://lake@account.dfs.core.windows.net/a', 'abfss://lake@account.dfs.core.windows.net'],
  ['azure://lake/a', 'az://lake'],
  ['file:///data/table/', 'file:///data/table'],
  ['/data/table', 'file:///data/table'],
  ['data/table', `file://${resolve('data/table')}`],
  ['memory:name', undefined],
] as const) {
  test(`${uri} depends on ${name ?? 'nothing that fails'}`, () => {
    assert.equal(circuitNameOf(uri), name)
  })
}

test('Tables in one bucket share a circuit, and DynamoDB has its own', async () => {
  const circuits = new Circuits()
  const s3 = { region: 'us-east-1' }
  const stores = [
    await openStore('s3://lake/a', { s3, circuits }),
    await openStore('s3a://lake/b', { s3: { ...s3, logStore: 'dynamodb' }, circuits }),
    await openStore('/data/table', { circuits }),
    await openStore('memory:x', { circuits }),
  ]
  assert.deepEqual(
    circuits.all().map(({ name }) => name),
    ['s3://lake', 'dynamodb://delta_log', 'file:///data/table'],
  )
  for (const store of stores) await store.close()
})
