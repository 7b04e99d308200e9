import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordInfoOf, recordInfosFor, type RecordInfo } from '../../../operators/rows/record-info.ts'
import { RECORDED_MS, rawOf } from '../../support/flow/batches.ts'

const raw = rawOf(['a', 'b'], { partition: 2, first: 5n, keys: [undefined, 'k'] })

test('A record is described by its place, time and key', () => {
  assert.deepEqual(recordInfoOf(raw, 0), {
    topic: 'events',
    partition: 2,
    offset: 5n,
    timestampMs: RECORDED_MS,
    key: undefined,
  })
  assert.deepEqual(recordInfosFor(raw, true)(1), recordInfoOf(raw, 1))
})

test('A description that nobody asked for has the same values', () => {
  const described = recordInfosFor(raw, false)(1)
  const names: readonly (keyof RecordInfo)[] = ['topic', 'partition', 'offset', 'timestampMs', 'key']
  for (const name of names) assert.deepEqual(described[name], recordInfoOf(raw, 1)[name])
})
