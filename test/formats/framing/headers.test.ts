// Goal: only the headers of the records that need them are decoded, whatever a format does with the values.
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { test } from 'node:test'
import { deadLetterOf } from '../../../src/core/dead-letter.ts'
import { lazyHeaders, type Raw } from '../../../src/core/raw.ts'
import { loadContract } from '../../../src/contract/contract.ts'
import { openFormat, type FormatChoice } from '../../../src/formats/open/open.ts'
import { traceparentsOf } from '../../../src/kafka/source/pack-records.ts'
import { headerTextOf } from '../../../src/transforms/record.ts'
import { rawOf } from '../../support/flow/batches.ts'
import { VALUES } from '../../support/values/csv.ts'

const contract = loadContract(
  { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] },
  { source: 'test' },
)

/** Returns a batch whose headers note which records they are decoded for. */
function noting(values: readonly (string | Uint8Array)[]): { raw: Raw; decoded: number[] } {
  const decoded: number[] = []
  const headers = lazyHeaders(values.length, (i) => {
    decoded.push(i)
    return { name: Buffer.from(`header ${i}`), traceparent: Buffer.from(`trace ${i}`) }
  })
  return { raw: { ...rawOf(values), headers }, decoded }
}

async function decode(choice: Partial<FormatChoice>, raw: Raw): Promise<{ raw: Raw; letters: unknown[] }> {
  const format = await openFormat(
    {
      ...VALUES,
      ...{ format: 'json', decompress: 'none', decompressedBytesMax: 1_000, framing: 'none' },
      ...choice,
    },
    contract,
  )
  await format.prepare?.(raw)
  const { raw: after, deadLetters } = format.decode(raw)
  return {
    raw: after,
    letters: deadLetters.map(({ headers }) => String(Buffer.from(headers?.['name'] as Uint8Array))),
  }
}

test('a dead letter decodes the headers of its record alone', async () => {
  const { raw, decoded } = noting(['{"id":1}', '{"id":', '{"id":3}'])
  assert.deepEqual((await decode({}, raw)).letters, ['header 1'])
  assert.deepEqual(decoded, [1])
})

test('decompression decodes no headers of readable records', async () => {
  const zip = (text: string): Uint8Array => gzipSync(text)
  const { raw, decoded } = noting([zip('{"id":1}'), zip('{"id":2}'), Buffer.from('plain'), zip('{"id":4}')])
  const { letters, raw: after } = await decode({ decompress: 'gzip' }, raw)
  assert.deepEqual(letters, ['header 2'])
  assert.deepEqual(decoded, [2])
  assert.equal(headerTextOf(after, 3, 'name'), 'header 3')
  assert.deepEqual(decoded, [2, 3])
})

test('several records in a message share its headers, decoded where they are read', async () => {
  const { raw, decoded } = noting(['{"id":1}\n{"id":2}', '{"id":3}\n{"id":4}\n{"id":5}', '{"id":6}'])
  const { raw: after } = await decode({ format: 'jsonl' }, raw)
  assert.equal(after.count, 6)
  assert.deepEqual(decoded, [])
  assert.equal(headerTextOf(after, 3, 'name'), 'header 1')
  assert.equal(deadLetterOf(after, 4, 'rule', 'a reason').headers, raw.headers?.[1])
  assert.deepEqual(decoded, [1])
})

test('sampled traceparents decode the headers of the sampled records alone', () => {
  const { raw, decoded } = noting(Array.from({ length: 1_280 }, () => '{}'))
  assert.equal(traceparentsOf(raw).length, 128)
  assert.deepEqual(
    decoded,
    Array.from({ length: 128 }, (_, i) => i * 10),
  )
})
