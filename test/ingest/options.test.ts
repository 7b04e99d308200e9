import assert from 'node:assert/strict'
import { test } from 'node:test'
import { INGEST_OPTIONS, repeatListFlags } from '../../src/ingest/options.ts'

test('Several values after one list option are distinguished from a topic and a table', () => {
  assert.deepEqual(
    repeatListFlags([
      ...['ingest', '-t', 'date: substr(a, `0`, `10`)', 'meta.kafka.offset: kafka.offset', 'topic'],
      ...['s3://lake/t', '-K', 'a.b=c', 'ssl.key.location=k=1', '-s', 'localhost:8125', 'x: y'],
    ]),
    [
      ...['ingest', '-t', 'date: substr(a, `0`, `10`)', '-t', 'meta.kafka.offset: kafka.offset', 'topic'],
      ...['s3://lake/t', '-K', 'a.b=c', '-K', 'ssl.key.location=k=1', '-s', 'localhost:8125', 'x: y'],
    ],
  )
})

test('Each name, short name and variable is used by one option only', () => {
  for (const key of ['name', 'short', 'env'] as const) {
    const said = INGEST_OPTIONS.map((option) => option[key]).filter((value) => value !== undefined)
    assert.equal(new Set(said).size, said.length, key)
  }
})
