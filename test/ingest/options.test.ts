import assert from 'node:assert/strict'
import { test } from 'node:test'
import { INGEST_OPTIONS, withRepeatedLists } from '../../src/ingest/options.ts'

test('Several values behind one list option are told from a topic and a table', () => {
  assert.deepEqual(
    withRepeatedLists([
      ...['ingest', '-t', 'date: substr(a, `0`, `10`)', 'meta.kafka.offset: kafka.offset', 'topic'],
      ...['s3://lake/t', '-K', 'a.b=c', 'ssl.key.location=k=1', '-s', 'localhost:8125', 'x: y'],
    ]),
    [
      ...['ingest', '-t', 'date: substr(a, `0`, `10`)', '-t', 'meta.kafka.offset: kafka.offset', 'topic'],
      ...['s3://lake/t', '-K', 'a.b=c', '-K', 'ssl.key.location=k=1', '-s', 'localhost:8125', 'x: y'],
    ],
  )
})

test('Names, short names and variables of options are each used once', () => {
  for (const key of ['name', 'short', 'env'] as const) {
    const said = INGEST_OPTIONS.map((option) => option[key]).filter((value) => value !== undefined)
    assert.equal(new Set(said).size, said.length, key)
  }
})
