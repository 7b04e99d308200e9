import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lazyHeaders } from '../../src/core/raw.ts'

test('the headers of a record are decoded once, when they are first read', () => {
  const decoded: number[] = []
  const headers = lazyHeaders(5, (i) => {
    decoded.push(i)
    return i === 3 ? undefined : { i: Uint8Array.of(i) }
  })
  assert.equal(headers.length, 5)
  assert.equal(headers[5], undefined)
  assert.equal((headers as unknown as Record<string, unknown>)['-1'], undefined)
  assert.deepEqual(decoded, [])
  assert.equal(headers[2], headers[2])
  assert.deepEqual([headers[3], headers[3]], [undefined, undefined])
  assert.deepEqual(decoded, [2, 3])
  // A copy of the batch decodes nothing.
  const copy = { ...{ headers } }
  assert.deepEqual(decoded, [2, 3])
  assert.deepEqual(
    copy.headers.map((each) => each?.['i']?.[0]),
    [0, 1, 2, undefined, 4],
  )
  assert.equal([...headers].length, 5)
  assert.deepEqual(decoded, [2, 3, 0, 1, 4])
})
