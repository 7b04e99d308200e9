import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from '../../../operators/decode.ts'
import { enrich } from '../../../operators/enrich.ts'
import { isPromiseLike, withoutPromise } from '../../../src/core/stage/promise-like.ts'
import type { Enrichment } from '../../../src/enrichments/enrichment.ts'
import type { Format } from '../../../src/formats/format.ts'
import { provenanceOf, rawBatch, rowsOf, structOf } from '../../support/flow/batches.ts'
import { errorOf } from '../../support/flow/operator-contract.ts'

test('Promises and thenables are recognised, and nothing else', () => {
  for (const value of [Promise.resolve(), { then: () => undefined }]) assert.ok(isPromiseLike(value))
  for (const value of [undefined, null, 1, {}, { then: 1 }, []]) assert.ok(!isPromiseLike(value))
})

test('A promise in place of a value is refused by name, and its rejection is not unhandled', async () => {
  assert.equal(withoutPromise(1, 'mine'), 1)
  const refused = { code: 'KD_OPERATOR_INVALID', message: /mine returned a promise, and a value is expected/ }
  assert.throws(() => withoutPromise(Promise.reject(new Error('lost')), 'mine'), refused)
  await new Promise((resolve) => setImmediate(resolve))
})

test('A format and an enrichment that return promises are refused by name', () => {
  const format = { name: 'mine', decode: () => Promise.resolve() } as unknown as Format
  assert.match(
    String(errorOf(decode(format), rawBatch(['1']))),
    /decode of the format mine returned a promise/,
  )
  const schema = structOf({ v: 'long' })
  const enrichment = { fields: schema.fields, columns: () => Promise.resolve([]) } as unknown as Enrichment
  const batch = { provenance: provenanceOf(), payload: rowsOf(schema, [{ v: 1 }]) }
  assert.match(
    String(errorOf(enrich([enrichment]), batch)),
    /columns of the enrichment for v returned a promise/,
  )
})
