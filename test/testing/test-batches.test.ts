import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastValueFrom, toArray } from 'rxjs'
import { objectsOf } from '../../src/arrow/rows.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { keyOf, valueOf } from '../../src/core/raw.ts'
import { columns } from '../../src/rows/row-schema.ts'
import { batchesOf, rowsOf } from '../../src/testing/test-batches.ts'

const textOf = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString()

test('Values of every kind become the bytes of records, with keys, in batches that follow one another', async () => {
  const values = ['text', { n: 2n ** 60n }, null, new Uint8Array([65])]
  const batches = await lastValueFrom(
    batchesOf(values, { firstOffset: 5n, batchRecords: 3, keyOf: (_, index) => `k${index}` }).pipe(toArray()),
  )
  assert.deepEqual(
    batches.map(({ payload }) =>
      Array.from({ length: payload.count }, (_, i) => textOf(valueOf(payload, i))),
    ),
    [['text', '{"n":1152921504606846976}', undefined], ['A']],
  )
  assert.deepEqual(
    batches.map(({ payload }) => textOf(keyOf(payload, 0))),
    ['k0', 'k3'],
  )
  assert.deepEqual(
    batches.map(({ provenance: { follows, first, last, records } }) => [follows, first, last, records]),
    [
      [4n, 5n, 7n, 3],
      [7n, 8n, 8n, 1],
    ],
  )
})

test('Rows have the values that operators see, and a row that does not fit is refused with its number', () => {
  const schema = columns({ id: 'long', at: 'timestamp?' })
  const { payload, provenance } = rowsOf(schema, [{ id: 1, at: '2026-03-01T00:00:00Z' }, { id: 2 }])
  assert.equal(provenance.records, 2)
  const [first, second] = objectsOf(payload)
  assert.ok(first !== undefined)
  assert.equal(first.id, 1)
  assert.match(String(first.at), /^2026-03-01T00:00:00/)
  assert.deepEqual(second, { id: 2, at: null })
  assert.throws(
    () => rowsOf(schema, [{ id: 1 }, { id: 'one' as unknown as number }]),
    (error) => error instanceof PipelineError && /row 1: /.test(error.message),
  )
})
