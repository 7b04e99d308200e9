import assert from 'node:assert/strict'
import { test } from 'node:test'
import avsc from 'avsc'
import type { Columns } from '../../../src/arrow/column.ts'
import { rowAt } from '../../../src/arrow/values.ts'
import { openCodec } from '../../../src/compression/compression.ts'
import { loadContract } from '../../../src/contract/contract.ts'
import type { Decoded, Format } from '../../../src/formats/format.ts'
import { openFormat } from '../../../src/formats/open/open.ts'
import { formatContract } from '../../contracts/format.ts'
import { BLOCK_CODECS, blockOf, containerOf, headerOf, SYNC } from '../../support/values/avro-containers.ts'
import { encoderOf } from '../../support/values/avro-values.ts'
import { rawOf } from '../../support/flow/batches.ts'
import { VALUES } from '../../support/values/csv.ts'
import { decodedRows, outcomesOf } from '../../support/flow/outcomes.ts'

const SCHEMA = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'note', type: ['null', 'string'] },
  ],
}
const encode = encoderOf(SCHEMA)
const order = (id: number, note?: string): Buffer =>
  encode({ id: BigInt(id), note: note === undefined ? null : { string: note } })
const contract = loadContract(
  {
    type: 'object',
    properties: { id: { type: 'integer', maximum: 1000 }, note: { type: ['string', 'null'] } },
    required: ['id'],
  },
  { source: 'test' },
)
const open = (settings: object = {}): Promise<Format> =>
  openFormat({ ...VALUES, format: 'avro', framing: 'container', decompress: 'none', ...settings }, contract)
const format = await open()

const lettersOf = ({ deadLetters }: Pick<Decoded, 'deadLetters'>) =>
  deadLetters.map(({ offset, part, message }) => [offset, part, message])
/** The ids of all rows in the order of their records, whether they are in columns or objects. */
const idsOf = ({ objects, records, validated }: Decoded): readonly unknown[] => {
  const rows = objects.map((object, i) => [records[i] ?? -1, (object as { id: number }).id] as const)
  const direct = Array.from(validated?.records ?? [], (record, row) => {
    const { id } = rowAt(validated?.columns as Columns, row)
    return [record, id] as const
  })
  return [...rows, ...direct].sort(([a], [b]) => a - b).map(([, id]) => id)
}

for (const codec of Object.keys(BLOCK_CODECS)) {
  formatContract({
    name: `Avro containers compressed with ${codec}`,
    open: () => format,
    contract,
    good: [
      {
        bytes: containerOf(SCHEMA, [[order(1), order(2, 'é')], [order(3)]], codec),
        rows: [
          { id: 1, note: null },
          { id: 2, note: 'é' },
          { id: 3, note: null },
        ],
      },
      { bytes: containerOf(SCHEMA, [[order(4)]], codec), row: { id: 4, note: null } },
    ],
    bad: [
      Buffer.from('junk'),
      headerOf(SCHEMA, codec).subarray(0, 40),
      headerOf('int', codec),
      headerOf(SCHEMA, 'none'),
      containerOf(SCHEMA, [[order(1), order(2)]], codec).subarray(0, -1),
      containerOf(SCHEMA, [[order(5000)]], codec),
    ],
  })
}

test('All records of a container written by another library are decoded', async () => {
  const value = await new Promise<Buffer>((resolve, reject) => {
    const encoder = new avsc.streams.BlockEncoder(SCHEMA as avsc.Schema, { codec: 'deflate', blockSize: 64 })
    const pieces: Buffer[] = []
    encoder.on('data', (piece: Buffer) => pieces.push(piece))
    encoder.on('end', () => resolve(Buffer.concat(pieces)))
    encoder.on('error', reject)
    for (let id = 0; id < 100; id++) encoder.write({ id, note: null })
    encoder.end()
  })
  assert.deepEqual(idsOf(format.decode(rawOf([value]))), [...Array(100).keys()])
})

test('Unsupported codecs are refused by name', () => {
  const decoded = format.decode(rawOf([headerOf(SCHEMA, 'bzip2'), headerOf(SCHEMA, 'xz')]))
  assert.deepEqual(lettersOf(decoded), [
    [
      0n,
      0,
      'expected a container with the codec null, deflate, snappy, zstandard, got bzip2, which is not supported',
    ],
    [
      1n,
      0,
      'expected a container with the codec null, deflate, snappy, zstandard, got xz, which is not supported',
    ],
  ])
})

test('An undecodable record makes the rest of its block a dead letter, and the other blocks are decoded', () => {
  const value = Buffer.concat([
    headerOf(SCHEMA),
    blockOf([order(1), Buffer.from('0203', 'hex'), order(2)]),
    blockOf([order(3)]),
  ])
  const decoded = format.decode(rawOf(['x', value]))
  assert.deepEqual(idsOf(decoded), [1, 3])
  assert.deepEqual([...decoded.records, ...(decoded.validated?.records ?? [])], [1, 3])
  const [, letter] = decoded.deadLetters
  assert.deepEqual(lettersOf(decoded)[1], [
    1n,
    1,
    'expected one of 2 branches of a union, got number -2, and 1 more after it in the block',
  ])
  const rest = Buffer.concat([Buffer.from('0203', 'hex'), order(2)])
  assert.ok(
    Buffer.from(letter?.value ?? '').includes(Buffer.concat([Buffer.of(2 * 2, 2 * rest.length), rest, SYNC])),
    'the dead letter is a container of the two remaining records',
  )
  const again = format.decode(rawOf([letter?.value ?? '']))
  assert.deepEqual([again.objects, again.deadLetters.length], [[], 1])
})

test('The dead letter of a record that the contract refuses is a container with only that record', () => {
  const value = containerOf(SCHEMA, [[order(1), order(2000, 'x'), order(3)]], 'deflate')
  const rows = decodedRows(format, contract, rawOf([value]))
  assert.equal(rows.columns.length, 2)
  const [letter] = rows.deadLetters
  assert.deepEqual([letter?.reason, letter?.part], ['contract', 1])
  assert.deepEqual(format.decode(rawOf([letter?.value ?? ''])).objects, [{ id: 2000, note: 'x' }])
})

test('A wrong sync marker ends the container: earlier records are rows, the rest is one dead letter', () => {
  const broken = Buffer.from(containerOf(SCHEMA, [[order(1)], [order(2)], [order(3)]]))
  broken.writeUInt8(0, broken.lastIndexOf(SYNC, broken.length - 17) + 3)
  const decoded = format.decode(rawOf([broken]))
  assert.deepEqual(idsOf(decoded), [1])
  assert.deepEqual(lettersOf(decoded), [[0n, 1, 'expected the sync marker of the container, got another']])
  assert.equal(decoded.raw.count, 2)
})

test('A block that cannot be decompressed is one dead letter, and the following blocks are decoded', () => {
  const value = Buffer.concat([
    headerOf(SCHEMA, 'snappy'),
    blockOf([order(1)], 'snappy'),
    blockOf([order(2)], 'null'),
    blockOf([order(3)], 'snappy'),
  ])
  const decoded = format.decode(rawOf([value]))
  assert.deepEqual(idsOf(decoded), [1, 3])
  assert.match(String(lettersOf(decoded)[0]?.[2]), /^snappy: /)
})

test('A container without records is counted as filtered', () => {
  const rows = decodedRows(format, contract, rawOf([headerOf(SCHEMA), containerOf(SCHEMA, [[]])]))
  assert.deepEqual([rows.raw.count, rows.raw.parts?.messageCount, rows.deadLetters], [0, 2, []])
})

test('Records without bytes, decompression bombs and oversized schemas take neither memory nor time', async () => {
  const small = await open({ recordsPerMessageMax: 10, decompressedBytesMax: 1000 })
  const empty = { type: 'record', name: 'E', fields: [{ name: 'n', type: 'null' }] }
  const doubled = [...Array(40).keys()].reduce<unknown>(
    (inner, i) => ({
      type: 'record',
      name: `R${i}`,
      fields: [
        { name: 'a', type: inner },
        { name: 'b', type: i === 0 ? 'null' : `R${i - 1}` },
      ],
    }),
    'null',
  )
  const decoded = small.decode(
    rawOf([
      Buffer.concat([headerOf(empty), blockOf([], 'null', 2 ** 50)]),
      containerOf(SCHEMA, [[order(1, 'x'.repeat(100_000))]], 'deflate'),
      headerOf(doubled),
      containerOf(SCHEMA, [Array.from({ length: 11 }, () => order(1))]),
    ]),
  )
  assert.deepEqual(
    decoded.deadLetters.map(({ message }) => message),
    [
      'expected at most 10 records in one message, got more',
      'deflate: expected at most 1000 bytes after decompression, got more',
      'The contract cannot be used: /: holds more than 100000 nested types (source the header of the container)',
      'expected at most 10 records in one message, got more',
    ],
  )
})

test('Dead letters of a compressed container are compressed with the same codec', async () => {
  const gzip = await open({ decompress: 'gzip' })
  const codec = await openCodec('gzip')
  const value = codec.compress(containerOf(SCHEMA, [[order(1), order(2000)]]))
  const rows = decodedRows(gzip, contract, rawOf([value]))
  const letter = rows.deadLetters[0]?.value ?? new Uint8Array(0)
  assert.deepEqual(outcomesOf(gzip, contract, rawOf([letter])).length, 1)
  assert.deepEqual(gzip.decode(rawOf([letter])).objects, [{ id: 2000, note: null }])
})
