import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openCodec } from '../../../src/compression/compression.ts'
import { loadContract } from '../../../src/contract/contract.ts'
import { kafkaColumns } from '../../../src/enrichments/kafka-columns.ts'
import { valueAt } from '../../../src/arrow/values.ts'
import { plainContractOf } from '../../../src/evolution/plain.ts'
import { jsonLinesFormat } from '../../../src/formats/json/lines.ts'
import { openFormat } from '../../../src/formats/open/open.ts'
import { withoutSchemaIds } from '../../../src/formats/framing/registry-framing.ts'
import { formatContract } from '../../contracts/format.ts'
import { rawOf, structOf } from '../../support/flow/batches.ts'
import { VALUES } from '../../support/values/csv.ts'
import { decodedRows, outcomesOf } from '../../support/flow/outcomes.ts'

const contract = loadContract(
  {
    type: 'object',
    properties: { id: { type: 'integer' }, name: { type: ['string', 'null'] } },
    required: ['id'],
  },
  { source: 'test' },
)
const open = (recordsMax = 1000) => jsonLinesFormat(contract, recordsMax)
const textOf = (value: Uint8Array | undefined) => Buffer.from(value ?? '').toString()

formatContract({
  name: 'JSON lines',
  open,
  contract,
  good: [
    {
      bytes: Buffer.from('{"id":1}\n\n \r\n{"id":2,"name":"é"}\r\n{"id":3,"name":"\\u00e9"}'),
      rows: [
        { id: 1, name: null },
        { id: 2, name: 'é' },
        { id: 3, name: 'é' },
      ],
    },
    { bytes: Buffer.from(' {"id":4}\n'), row: { id: 4, name: null } },
  ],
  bad: ['{', '{"id":"x"}\n', '5', '\n{"name":"x"}', '{"id":1}{"id":2}'].map((text) => Buffer.from(text)),
})

test('Lines are decoded from bytes into columns without objects', () => {
  const { validated, objects } = open().decode(rawOf(['{"id":1}\n{"id":2}', '{"id":3}']))
  assert.deepEqual([validated?.columns.length, objects.length], [3, 0])
})

test('A bad line is a dead letter with that line as its value; the other lines are rows', () => {
  const rows = decodedRows(open(), contract, rawOf([null, '{"id":1}\nx\n{"id":"y"}\n{"id":2}\n', '']))
  assert.deepEqual(
    rows.deadLetters.map(({ offset, part, reason, value }) => [offset, part, reason, textOf(value)]),
    [
      [1n, 1, 'decode', 'x'],
      [1n, 2, 'contract', '{"id":"y"}'],
    ],
  )
  assert.deepEqual([rows.columns.length, rows.tombstones, [...rows.records]], [2, 1, [1, 4]])
  // Five records in two messages, and a third message without records.
  assert.deepEqual([rows.raw.count, rows.raw.parts?.messageCount], [5, 3])
})

test('Rows of one message have its key, offset and timestamp, and their own index', () => {
  const names = ['_kafka_offset', '_kafka_key', '_kafka_part']
  const rows = decodedRows(
    open(),
    contract,
    rawOf(['{"id":1}\nx\n{"id":2}', '{"id":3}'], { first: 7n, keys: ['a', 'b'] }),
  )
  const columns = kafkaColumns(names).columns(rows, () => assert.fail('no row is refused'))
  assert.deepEqual(
    columns.map((column) => [0, 1, 2].map((row) => valueAt(column, row))),
    [
      [7, 7, 8],
      ['a', 'a', 'b'],
      [0, 2, 0],
    ],
  )
})

test('A message with too many lines is one dead letter, and the messages around it are rows', () => {
  const many = '{"id":1}\n'.repeat(4)
  const rows = decodedRows(open(3), contract, rawOf(['{"id":1}', many, '{"id":2}\n'.repeat(3)]))
  assert.deepEqual(
    rows.deadLetters.map(({ part, message, value }) => [part, message, textOf(value)]),
    [[undefined, 'expected at most 3 records in one message, got more', many]],
  )
  assert.deepEqual([...rows.records], [0, 2, 3, 4])
  assert.equal(rows.tombstones, 0)
})

test('With a codec or a schema id, a dead letter is a line in the same encoding', async () => {
  const gzip = await openCodec('gzip')
  const format = await openFormat(
    { ...VALUES, format: 'jsonl', framing: 'none', decompress: 'gzip' },
    contract,
  )
  const value = gzip.compress(Buffer.from('{"id":1}\nx\n{"id":2}'))
  const rows = decodedRows(format, contract, rawOf([value, Buffer.from('none'), null]))
  const [none, line] = rows.deadLetters
  assert.equal(textOf(none?.value), 'none')
  assert.equal(textOf(gzip.decompress(line?.value ?? value, 100)), 'x')
  assert.deepEqual([rows.columns.length, rows.tombstones, rows.raw.count], [2, 1, 5])
  assert.deepEqual(
    outcomesOf(format, contract, rawOf([line?.value ?? ''])).map((outcome) => typeof outcome),
    ['object'],
  )

  const framed = withoutSchemaIds(open())
  const [letter] = decodedRows(framed, contract, rawOf([Buffer.from('\0\0\0\0\x07{"id":1}\nx')])).deadLetters
  assert.equal(textOf(letter?.value), '\0\0\0\0\x07x')
})

test('A byte order mark before the first line is no part of it', () => {
  const rows = decodedRows(
    open(),
    contract,
    rawOf(['\ufeff{"id":1}\n{"id":2}', '\ufeff\n{"id":3}', '\ufeff']),
  )
  assert.deepEqual(
    [0, 1, 2].map((row) => valueAt(rows.columns.columns[0] as never, row)),
    [1, 2, 3],
  )
  assert.equal(rows.deadLetters.length, 0)
})

test('Lines are read into columns like values, and a message that is refused is counted as one that was not', () => {
  const columns = structOf({ n: 'integer', d: 'decimal(5,2)' })
  const lines = jsonLinesFormat({ schema: columns, plain: plainContractOf(columns, undefined) }, 2)
  assert.deepEqual(lines.objectReasons?.(), [])
  const values = ['{"n":1,"d":1.5}\n{"n":2}', '{"n":3}\n{"n":1e3}', '{}\n{}\n{}']
  const { validated, slow } = lines.decode(rawOf(values))
  assert.equal(validated?.records.length, 3)
  assert.deepEqual(slow, { value: 2 })
})
