import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from '../../operators/decode.ts'
import type { Format } from '../../src/formats/format.ts'
import { jsonFormat } from '../../src/formats/json.ts'
import { rawBatch, structOf } from '../support/batches.ts'
import { errorOf, operatorContract, outputsOf } from '../support/operator-contract.ts'

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

test('A format that throws, which none should, stops the stream', () => {
  const broken: Format = {
    name: 'broken',
    decode: () => {
      throw new Error('a bug')
    },
  }
  assert.match(String(errorOf(decode(broken), rawBatch(['x']))), /a bug/)
})
