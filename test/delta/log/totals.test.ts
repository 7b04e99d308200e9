import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Action } from '../../../src/delta/protocol/actions.ts'
import { NO_FILES, totalsAfter, totalsSince, sumTotals } from '../../../src/delta/log/totals.ts'
import { someAdd } from '../table.ts'

const add = (size: number, dataChange = true): Action => ({
  kind: 'add',
  add: { ...someAdd(), size, dataChange },
})
const remove = (size: number | undefined, dataChange = true): Action => ({
  kind: 'remove',
  remove: { path: 'x', dataChange, ...(size === undefined ? {} : { size }) },
})

test('Adds and removes count by their sizes', () => {
  const one = totalsAfter(NO_FILES, 1n, [add(10), add(20)])
  assert.deepEqual(one, { files: 2, bytes: 30 })
  assert.deepEqual(totalsAfter(one, 2n, [remove(10)]), { files: 1, bytes: 20 })
  assert.deepEqual(totalsAfter(one, 2n, []), one)
})

test('Files that are packed count, though they change no data', () => {
  const packed = totalsAfter({ files: 2, bytes: 30 }, 3n, [
    remove(10, false),
    remove(20, false),
    add(25, false),
  ])
  assert.deepEqual(packed, { files: 1, bytes: 25 })
})

for (const [what, actions] of [
  ['removes a file without stating its size', [remove(undefined)]],
  ['restates files for their statistics or row ids', [add(10, false)]],
  ['removes files without adding any or changing data', [remove(10, false)]],
] as const) {
  test(`Counting restarts after a commit that ${what}`, () => {
    assert.deepEqual(totalsAfter({ files: 2, bytes: 30 }, 7n, actions), {
      files: 0,
      bytes: 0,
      sinceVersion: 7n,
    })
  })
}

test('Totals counted since a version are added to the totals of that version', () => {
  const counted = totalsAfter(totalsSince(7n), 8n, [add(5), remove(10)])
  assert.deepEqual(counted, { files: 0, bytes: -5, sinceVersion: 7n })
  assert.deepEqual(sumTotals(counted, { files: 3, bytes: 100 }), { files: 3, bytes: 95 })
})
