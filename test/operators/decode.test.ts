import assert from 'node:assert/strict'
import { test } from 'node:test'
import { from, lastValueFrom, tap } from 'rxjs'
import { decode } from '../../operators/decode.ts'
import type { Format } from '../../src/formats/format.ts'
import { jsonFormat } from '../../src/formats/json/format.ts'
import { rawBatch, structOf } from '../support/flow/batches.ts'
import { errorOf, operatorContract, outputsOf } from '../support/flow/operator-contract.ts'

const format = jsonFormat({ schema: structOf({ a: 'long' }), plain: undefined })
operatorContract('decode', () => decode(format))

test('Every batch is read by the format, and keeps its provenance', () => {
  const batches = [rawBatch(['{"a":1}', 'x', null]), rawBatch([], { first: 3n })]
  const [one, none] = outputsOf(decode(format), batches)
  assert.equal(one?.provenance, batches[0]?.provenance)
  assert.deepEqual(one?.payload.objects, [{ a: 1 }])
  assert.deepEqual(
    [one.payload.deadLetters[0]?.offset, one.payload.deadLetters[0]?.reason, one.payload.tombstones],
    [1n, 'decode', 1],
  )
  assert.deepEqual([none?.payload.objects, none?.provenance.first], [[], 3n])
})

test('A format that throws stops the stream', () => {
  const broken: Format = {
    name: 'broken',
    decode: () => {
      throw new Error('a bug')
    },
  }
  assert.match(String(errorOf(decode(broken), rawBatch(['x']))), /a bug/)
})

test('A batch whose format must fetch schemas holds back later batches until it is decoded', async () => {
  let fetched = false
  const format: Format = {
    ...jsonFormat({ schema: structOf({ a: 'long' }), plain: undefined }),
    prepare: (raw) => {
      if (raw.offsets[0] !== 0n || fetched) return undefined
      return Promise.resolve().then(() => {
        fetched = true
      })
    },
  }
  const firsts: bigint[] = []
  await lastValueFrom(
    from([rawBatch(['{"a":1}']), rawBatch(['{"a":2}'], { first: 1n })]).pipe(
      decode(format),
      tap((batch) => {
        assert.ok(fetched)
        firsts.push(batch.provenance.first)
      }),
    ),
  )
  assert.deepEqual(firsts, [0n, 1n])
})

test('A failed fetch stops the stream', async () => {
  const format: Format = {
    ...jsonFormat({ schema: structOf({ a: 'long' }), plain: undefined }),
    prepare: () => Promise.reject(new Error('the registry is gone')),
  }
  await assert.rejects(
    lastValueFrom(from([rawBatch(['{"a":1}'])]).pipe(decode(format))),
    /the registry is gone/,
  )
})
