import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchesOf, carryPageViews } from '../examples/custom-chain.ts'
import { loadSnapshot } from '../src/delta/snapshot.ts'

test('the custom chain maps, filters and taps rows, and carries every record to its place', async () => {
  const { store, commits, deadLetters, seen } = await carryPageViews(
    batchesOf('views', [
      [
        '{"url":"https://a.example/x?y=1","at":"2026-03-01T10:00:00Z","ms":1500}',
        '{"url":"https://a.example/health","at":"2026-03-01T10:00:01Z"}',
        '{"url":"no url","at":"2026-03-01T10:00:02Z"}',
      ],
      [
        '{"url":"https://b.example/","at":"2026-03-02T00:00:00+01:00","ms":null}',
        '{"url":"https://a.example/z","at":"2026-03-02T10:00:00Z","ms":7}',
        '{"url":5,"at":"2026-03-02T10:00:00Z"}',
        'no json',
      ],
    ]),
  )
  assert.deepEqual(
    commits.map(({ version, counts }) => [version, counts]),
    [[1n, { records: 7, rows: 3, deadLetters: 3, tombstones: 0, filtered: 1 }]],
  )
  assert.deepEqual(
    [...seen],
    [
      ['a.example', 2],
      ['b.example', 1],
    ],
  )
  assert.deepEqual(deadLetters.map(({ reason, offset }) => `${offset} ${reason}`).sort(), [
    '2 custom',
    '5 contract',
    '6 decode',
  ])
  const snapshot = await loadSnapshot(store)
  assert.equal(snapshot.txns.get('page-views-0')?.version, 6n)
  const files: string[] = []
  for await (const add of snapshot.files()) {
    const { numRecords } = JSON.parse(add.stats ?? '{}') as { numRecords?: number }
    files.push(`${String(add.partitionValues['day'])} ${String(numRecords)}`)
  }
  assert.deepEqual(files.sort(), ['2026-03-01 2', '2026-03-02 1'])
})
