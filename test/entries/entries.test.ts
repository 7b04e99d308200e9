import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import * as azure from '../../src/entries/azure.ts'
import * as gcs from '../../src/entries/gcs.ts'
import * as s3 from '../../src/entries/s3.ts'
import * as service from '../../src/entries/service.ts'
import * as testing from '../../src/entries/testing.ts'
import * as root from '../../src/index.ts'

test('Each entry has what its name says, and the root has neither stores of clouds nor the service', () => {
  assert.deepEqual(Object.keys(azure).sort(), ['AzureStore', 'containerClient'])
  assert.deepEqual(Object.keys(gcs), ['GcsStore'])
  assert.deepEqual(Object.keys(s3).sort(), ['DynamoEntries', 'DynamoLogStore', 'S3Store'])
  for (const name of ['loadConfig', 'runTopics', 'createLogger', 'startTelemetry'])
    assert.ok(name in service, name)
  assert.deepEqual(Object.keys(testing).sort(), ['batchesOf', 'memorySource', 'memoryTable', 'rowsOf'])
  const elsewhere = [azure, gcs, s3, service, testing].flatMap((entry) => Object.keys(entry))
  assert.deepEqual(
    Object.keys(root).filter((name) => elsewhere.includes(name)),
    [],
  )
})

test('Each entry is in the exports of the package, with its types', async () => {
  const described = JSON.parse(await readFile('package.json', 'utf8')) as {
    readonly exports: Readonly<Record<string, unknown>>
  }
  for (const name of ['service', 'testing', 's3', 'azure', 'gcs'])
    assert.deepEqual(described.exports[`./${name}`], {
      types: `./dist/src/entries/${name}.d.ts`,
      default: `./dist/library/${name}.js`,
    })
})
