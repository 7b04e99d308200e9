import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkThread } from '../../src/threads/worker-thread.ts'

test('the program of a thread loads without a pool', () => {
  assert.equal(checkThread(), true)
})
