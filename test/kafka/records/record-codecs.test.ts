import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openCodec, type CodecName } from '../../../src/compression/compression.ts'
import { codecsFor } from '../../../src/kafka/records/record-codecs.ts'
import { encodeBatchAround, encodeWrapper } from './support/encode.ts'

const NAMES: readonly CodecName[] = ['lz4', 'snappy', 'gzip']
const codecs = Object.fromEntries(
  await Promise.all(NAMES.map(async (name) => [name, await openCodec(name)] as const)),
) as Record<CodecName, Awaited<ReturnType<typeof openCodec>>>

test('A codec is loaded once, and not before log entries name it', async () => {
  const message = { magic: 1, offset: 0n, key: null, value: Buffer.from('v'), timestampMs: 0n } as const
  const batchOf = (codec?: CodecName): Buffer =>
    encodeBatchAround(
      { baseOffset: 0n, records: [], ...(codec === undefined ? {} : { codec }) },
      Buffer.alloc(9),
    )
  const plain = codecsFor(batchOf())
  assert.ok(!(plain instanceof Promise))
  assert.deepEqual(Object.keys(plain), [])
  for (const [name, entry] of [
    ['lz4', batchOf('lz4')],
    ['snappy', encodeWrapper('snappy', [message], codecs)],
  ] as const) {
    const records = Buffer.concat([batchOf(), entry])
    const loading = codecsFor(records)
    assert.ok(loading instanceof Promise)
    assert.ok((await loading)[name] !== undefined)
    assert.ok(!(codecsFor(records) instanceof Promise))
    assert.ok(!(codecsFor(records.subarray(0, records.length - 1)) instanceof Promise))
  }
  assert.deepEqual(Object.keys(plain).sort(), ['lz4', 'snappy'])
})

test('Truncated and malformed entries need no codec', () => {
  for (const length of [0, 1, 17, 22, 60]) assert.ok(!(codecsFor(Buffer.alloc(length)) instanceof Promise))
})
