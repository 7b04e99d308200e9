import assert from 'node:assert/strict'
import { test } from 'node:test'
import { from, lastValueFrom, toArray } from 'rxjs'
import { divideBatches } from '../../operators/divide-batches.ts'
import type { Batch } from '../../src/core/batch.ts'
import { keyOf, lazyHeaders, valueOf, type Raw } from '../../src/core/raw.ts'
import { provenanceOf, rawBatch, rawOf } from '../support/flow/batches.ts'
import { operatorContract } from '../support/flow/operator-contract.ts'

operatorContract('divideBatches', () => divideBatches())

const divided = (
  batches: readonly Batch<Raw>[],
  options: Parameters<typeof divideBatches>[0],
): Promise<Batch<Raw>[]> => lastValueFrom(from(batches).pipe(divideBatches(options), toArray()))

function batchOf(values: readonly (string | null)[], bytes: number): Batch<Raw> {
  const keys = values.map((_, i) => (i % 2 === 0 ? `key ${i}` : undefined))
  const payload = {
    ...rawOf(values, { first: 10n, keys }),
    appended: Uint8Array.from(values, (_, i) => i % 2),
    headers: lazyHeaders(values.length, (i) => ({ number: Buffer.from(String(i)) })),
  }
  const provenance = provenanceOf({
    first: 10n,
    records: values.length,
    bytes,
    traceparents: ['trace'],
    timings: [{ stage: 'poll', startMs: 1, endMs: 2 }],
  })
  return { payload, provenance: { ...provenance, last: 200n, follows: 5n } }
}

/** Returns what each record of a batch has. */
function recordsOf({ payload: raw }: Batch<Raw>): unknown[] {
  const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString()
  return Array.from({ length: raw.count }, (_, i) => [
    text(valueOf(raw, i)),
    text(keyOf(raw, i)),
    raw.offsets[i],
    raw.timestampsMs[i],
    raw.appended?.[i],
    String(raw.headers?.[i]?.['number']),
  ])
}

test('the parts of a large batch have its records, form its chain of offsets and hold its credit', async () => {
  const values = Array.from({ length: 100 }, (_, i) => (i % 9 === 0 ? null : `value ${i}`.repeat(20)))
  const batch = batchOf(values, 12_345)
  const parts = await divided([batch], { bytesMax: 2000 })
  assert.ok(parts.length > 5)
  assert.deepEqual(parts.flatMap(recordsOf), recordsOf(batch))
  assert.equal(parts[0]?.provenance.follows, 5n)
  assert.equal(parts.at(-1)?.provenance.last, 200n)
  for (const [i, { provenance, payload }] of parts.entries()) {
    assert.equal(provenance.first, payload.offsets[0])
    assert.equal(provenance.records, payload.count)
    assert.deepEqual(provenance.traceparents, i === 0 ? ['trace'] : [])
    assert.equal(provenance.timings.length, i === 0 ? 1 : 0)
    if (i > 0) assert.equal(provenance.follows, parts[i - 1]?.provenance.last)
    assert.ok(payload.bytes.length < 2500, 'a part has its own bytes alone')
    const end = payload.valueEnd.findLast((each) => each >= 0)
    assert.equal(payload.bytes[end as number], 10, 'a newline follows every value')
  }
  assert.equal(
    parts.reduce((sum, { provenance }) => sum + provenance.bytes, 0),
    12_345,
  )
})

test('a batch that is small, one record, or cannot be divided is the same one', async () => {
  const small = rawBatch(['a', 'b'])
  const one = rawBatch(['x'.repeat(5000)])
  const none = rawBatch([])
  const large = batchOf(Array<string>(100).fill('y'.repeat(100)), 0)
  const rewritten: Batch<Raw> = {
    ...large,
    payload: { ...large.payload, parts: { messageCount: 1, messageIndex: new Int32Array(100) } },
  }
  const scattered: Batch<Raw> = {
    ...large,
    payload: {
      ...large.payload,
      valueStart: large.payload.valueStart.slice().reverse(),
      valueEnd: large.payload.valueEnd.slice().reverse(),
    },
  }
  const given = [small, one, none, rewritten, scattered]
  const parts = await divided(given, { bytesMax: 1000 })
  assert.equal(parts.length, given.length)
  for (const [i, part] of parts.entries()) assert.equal(part, given[i])
})

test('rows of many columns count by their credit', async () => {
  const values = Array<string>(100).fill('{}')
  const parts = await divided([batchOf(values, 100 * 7_000)], { bytesMax: 70_000 })
  assert.equal(parts.length, 10)
})

test('parts are smaller when the operators after them are slow', async () => {
  const batch = batchOf(Array<string>(1000).fill('z'.repeat(1000)), 0)
  const count = async (bytes: number | undefined): Promise<number> =>
    (await divided([batch], { pace: { bytesFor: () => bytes } })).length
  assert.deepEqual(
    [await count(Infinity), await count(undefined), await count(100_000), await count(1)],
    [1, 4, 10, 31],
  )
})
