import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CODEC_NAMES, openCodec } from '../../../src/compression/compression.ts'
import { ByteSink } from '../../../src/kafka/produce/byte-sink.ts'
import { RecordBatchWriter, sealBatch, type OutgoingRecord } from '../../../src/kafka/produce/record-batch.ts'
import { chanceOf, type Chance } from '../../support/values/chance.ts'
import { encodeBatch, type PlainRecord } from '../records/support/encode.ts'
import { CODECS, readAll, seenOf } from '../records/support/read-all.ts'

const NOW_MS = 1_772_323_200_000

/** Lengths around those at which a variable-length integer gets one more byte. */
const LENGTHS = [0, 1, 40, 41, 62, 63, 64, 65, 255, 256, 257, 8_190, 8_191, 8_192, 8_193, 70_000]

function contentBy(chance: Chance): OutgoingRecord['value'] {
  if (chance.once(8)) return null
  const length = chance.once(3) ? chance.pick(LENGTHS) : chance.int(400)
  const text = chance.pick(['a', 'ü', '€', '😀', 'aü€']).repeat(length).slice(0, length)
  if (chance.once(3)) return Buffer.from(text)
  if (chance.once(2)) return text
  const sink = new ByteSink(1)
  sink.text(text)
  return sink
}

function bytesOf(content: OutgoingRecord['value']): Uint8Array | null {
  if (content instanceof ByteSink) return content.copy()
  return typeof content === 'string' ? Buffer.from(content) : content
}

function plainOf({ key, value, headers = {} }: OutgoingRecord, timestampMs: number): PlainRecord {
  const names = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const)
  return { key: bytesOf(key), value: bytesOf(value), timestampMs, headers: names }
}

test('A batch has the bytes that the specification demands, for contents of any length', (t) => {
  const chance = chanceOf(t)
  const writer = new RecordBatchWriter(1_000)
  for (let round = 0; round < 300; round++) {
    const records = Array.from({ length: 1 + chance.int(20) }, (): OutgoingRecord => ({
      key: contentBy(chance),
      value: contentBy(chance),
      ...(chance.once(4) ? { headers: { trace: 'x'.repeat(chance.pick(LENGTHS)), ü: '€' } } : {}),
    }))
    const times = records.map((_, index) => NOW_MS + (index === 0 ? 0 : chance.int(10_000) - 5_000))
    for (const [index, record] of records.entries()) writer.append(record, times[index] as number)
    const batch = writer.finish(undefined)
    sealBatch(batch, { id: -1n, epoch: -1 }, -1)
    const expected = encodeBatch({
      ...{ baseOffset: 0n, leaderEpoch: -1, baseTimestampMs: BigInt(NOW_MS) },
      maxTimestampMs: BigInt(Math.max(...times)),
      records: records.map((record, index) => plainOf(record, times[index] as number)),
    })
    const at = batch.findIndex((byte, index) => index > 20 && byte !== expected[index])
    assert.ok(
      batch.equals(expected),
      `byte ${at} in round ${round}: ${batch.length} and ${expected.length} bytes`,
    )
    writer.recycle(batch)
  }
})

for (const name of CODEC_NAMES)
  test(`A batch compressed with ${name} is read back`, async () => {
    const writer = new RecordBatchWriter(1_000)
    const codec = { number: CODEC_NAMES.indexOf(name) + 1, codec: await openCodec(name) }
    for (let index = 0; index < 500; index++)
      writer.append({ key: `k${index}`, value: `value ${index}` }, NOW_MS + index)
    const batch = writer.finish(codec)
    sealBatch(batch, { id: 77n, epoch: 3 }, 1_000)
    const seen = seenOf(readAll(batch, { codecs: CODECS, lastStableOffset: 500n }))
    assert.equal(seen.length, 500)
    assert.deepEqual(seen[499], {
      ...{ offset: 499n, timestampMs: NOW_MS + 499, key: 'k499', value: 'value 499' },
    })
  })

test('The memory of a batch is used again only after it is recycled', () => {
  const writer = new RecordBatchWriter(1_000)
  const batches = [0, 1, 2].map((number) => {
    writer.append({ key: null, value: String(number) }, NOW_MS)
    return writer.finish(undefined)
  })
  const [first, second, third] = batches as [Buffer, Buffer, Buffer]
  assert.equal(new Set(batches.map(({ buffer }) => buffer)).size, 3)
  writer.recycle(first)
  for (const number of [3, 4]) writer.append({ key: null, value: String(number) }, NOW_MS)
  const fourth = writer.finish(undefined)
  writer.append({ key: null, value: '5' }, NOW_MS)
  const fifth = writer.finish(undefined)
  assert.equal(fifth.buffer, first.buffer)
  for (const other of [second, third, fourth]) assert.notEqual(other.buffer, first.buffer)
})
