import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstValueFrom, of, toArray } from 'rxjs'
import { bufferTimeOrCount } from '../../operators/buffer-time-or-count.ts'
import { decode } from '../../operators/decode.ts'
import { partitionBy } from '../../operators/partition-by.ts'
import { validate } from '../../operators/validate.ts'
import { loadContract } from '../../src/contract/contract.ts'
import { addCounts, NO_COUNTS } from '../../src/core/batch.ts'
import { jsonFormat } from '../../src/formats/json/format.ts'
import type { Decoded, Format } from '../../src/formats/format.ts'
import { slowCountsOf } from '../../src/formats/slow-counts.ts'
import { rawBatch, rawOf } from '../support/flow/batches.ts'

const contract = loadContract({ type: 'object', properties: { a: { type: 'integer' } } }, { source: 'test' })
const json = jsonFormat({ schema: contract.schema, plain: undefined })
/** Returns a batch as a format returns it that does not count. */
function decoded(...values: (string | null)[]): Decoded {
  const { raw, objects, records, deadLetters, tombstones } = json.decode(rawOf(values))
  return { raw, validated: undefined, objects, records, deadLetters, tombstones }
}

test('A format that does not count has the reason path for messages and undecodable records, not for tombstones', () => {
  assert.deepEqual(slowCountsOf(decoded('{"a":1}', 'x', null, '{}')), { path: 3 })
  assert.equal(slowCountsOf(decoded(null, null)), undefined)
})

test('Counts of a format are kept, also when they are empty', () => {
  assert.deepEqual(slowCountsOf({ ...decoded('{}'), slow: { value: 1 } }), { value: 1 })
  assert.deepEqual(slowCountsOf({ ...decoded('{}'), slow: {} }), {})
})

test('The counts of all batches reach the flush', async () => {
  const slows = [{ value: 1, field: 1 }, undefined, { value: 1 }]
  const format: Format = {
    name: 'test',
    decode: (raw) => ({
      ...decoded('{"a":1}', '{"a":2}'),
      raw,
      slow: slows[Number(raw.offsets[0]) / 2] ?? {},
    }),
  }
  const batches = slows.map((_, first) => rawBatch(['{"a":1}', '{"a":2}'], { first: BigInt(first * 2) }))
  const [flush] = await firstValueFrom(
    of(...batches).pipe(
      decode(format),
      validate(contract),
      partitionBy([]),
      bufferTimeOrCount({ count: 1e6, bytes: 1e9, ageMs: 1e6 }),
      toArray(),
    ),
  )
  assert.deepEqual(flush?.counts.slow, { value: 2, field: 1 })
})

test('Sums of counts have the reasons of both', () => {
  const a = { ...NO_COUNTS, slow: { value: 1 } }
  assert.deepEqual(addCounts(a, { ...NO_COUNTS, slow: { path: 2, value: 3 } }).slow, { value: 4, path: 2 })
  assert.deepEqual(addCounts(a, NO_COUNTS).slow, { value: 1 })
  assert.equal('slow' in addCounts(NO_COUNTS, NO_COUNTS), false)
})
