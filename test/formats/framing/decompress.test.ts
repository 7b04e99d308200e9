import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CODEC_NAMES, openCodec } from '../../../src/compression/compression.ts'
import { loadContract } from '../../../src/contract/contract.ts'
import type { Format } from '../../../src/formats/format.ts'
import { openFormat, type FormatChoice } from '../../../src/formats/open/open.ts'
import { VALUES } from '../../support/values/csv.ts'
import { formatContract } from '../../contracts/format.ts'
import { rawOf } from '../../support/flow/batches.ts'
import { outcomesOf } from '../../support/flow/outcomes.ts'

const contract = loadContract(
  { type: 'object', properties: { id: { type: 'integer' }, name: { type: 'string' } }, required: ['id'] },
  { source: 'test' },
)

function open(decompress: FormatChoice['decompress'], decompressedBytesMax = 1000): Promise<Format> {
  return openFormat(
    { ...VALUES, format: 'json', decompress, decompressedBytesMax, framing: 'none' },
    contract,
  )
}

const text = (value: string): Uint8Array => Buffer.from(value)
const codecs = new Map(
  await Promise.all(CODEC_NAMES.map(async (name) => [name, await openCodec(name)] as const)),
)
const formats = new Map(
  await Promise.all(
    (['auto', ...CODEC_NAMES] as const).map(async (name) => [name, await open(name)] as const),
  ),
)

for (const [name, codec] of codecs) {
  const good = [
    { bytes: codec.compress(text('{"id":1,"name":"é"}')), row: { id: 1, name: 'é' } },
    // Its escape forces the slow path.
    { bytes: codec.compress(text('{"id":2,"name":"\\u00e9"}')), row: { id: 2, name: 'é' } },
  ]
  const bad = [
    codec.compress(text('{"id":"x"}')),
    codec.compress(text('{')),
    codec.compress(text('')),
    codec.compress(text(`{"id":1,"name":"${'x'.repeat(1000)}"}`)),
    codec.compress(text('{"id":1}')).subarray(0, -1),
    text('{"id":1}'),
    text(''),
  ]
  formatContract({
    name: `JSON of which each value is compressed with ${name}`,
    open: () => formats.get(name) as Format,
    contract,
    good,
    bad,
  })
}

formatContract({
  name: 'JSON of which some values are compressed',
  open: () => formats.get('auto') as Format,
  contract,
  good: [
    { bytes: text('{"id":0}'), row: { id: 0, name: null } },
    ...[...codecs]
      // Without framing nothing distinguishes snappy from other bytes.
      .filter(([name]) => name !== 'snappy')
      .map(([, codec], id) => ({ bytes: codec.compress(text(`{"id":${id}}`)), row: { id, name: null } })),
  ],
  bad: [text(''), text('{'), Buffer.from('1f8b08', 'hex'), Buffer.from('28b52ffd', 'hex')],
})

test('Dead letters contain the original value, whichever stage refuses it', async () => {
  const format = await open('gzip')
  const gzip = await openCodec('gzip')
  const values = ['{', '{"id":"x"}', `{"id":1,"name":"${'x'.repeat(2000)}"}`].map((value) =>
    gzip.compress(text(value)),
  )
  const raw = rawOf([...values, text('no gzip'), null])
  const decoded = format.decode(raw)
  assert.equal(decoded.raw, raw)
  assert.equal(decoded.tombstones, 1)
  assert.deepEqual(
    decoded.deadLetters.map(({ offset, value }) => [
      Number(offset),
      Buffer.from(value ?? []).toString('hex'),
    ]),
    [2, 3, 0].map((i) => [i, Buffer.from(values[i] ?? text('no gzip')).toString('hex')]),
  )
  const [cut, typed, long, none] = outcomesOf(format, contract, raw)
  assert.match(JSON.stringify(cut), /expected JSON/)
  assert.match(JSON.stringify(typed), /\/id/)
  assert.match(JSON.stringify(long), /gzip: expected at most 1000 bytes after decompression, got more/)
  assert.match(JSON.stringify(none), /gzip: incorrect header check/)
})
