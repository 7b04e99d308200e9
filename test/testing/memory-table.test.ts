import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columns } from '../../src/rows/row-schema.ts'
import { memoryTable } from '../../src/testing/memory-table.ts'

test('A new table is empty, and a fence commits an offset as another process does', async () => {
  const { rows, version, offset, fence, table } = await memoryTable(columns({ id: 'long' }))
  assert.deepEqual(await rows(), [])
  assert.equal(await version(), 0n)
  assert.equal(await offset('events', 2), undefined)
  await fence('events', 2, 41n)
  await fence('events', 2, 42n)
  assert.equal(await offset('events', 2), 42n)
  assert.equal(await version(), 2n)
  assert.equal(table.isReplaced, false)
})
