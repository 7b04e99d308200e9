import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Newest } from '../../../src/console/history/newest.ts'

test('A list keeps its newest entries, newest first', () => {
  const list = new Newest<number>(3)
  assert.deepEqual(list.list(), [])
  for (let entry = 0; entry < 100; entry++) list.add(entry)
  assert.deepEqual(list.list(), [99, 98, 97])
})
