import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastValueFrom, of } from 'rxjs'
import { decode } from '../../../operators/decode.ts'
import { enrich } from '../../../operators/enrich.ts'
import { validate } from '../../../operators/validate.ts'
import { objectsOf, type Rows } from '../../../src/arrow/rows.ts'
import { rowAt } from '../../../src/arrow/values.ts'
import { loadContract } from '../../../src/contract/contract.ts'
import { contractOfTable } from '../../../src/contract/table-contract.ts'
import type { Contract } from '../../../src/contract/contract.ts'
import type { Raw } from '../../../src/core/raw.ts'
import { deletedColumn } from '../../../src/enrichments/deleted-flag.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { withoutSchemaIds } from '../../../src/formats/framing/registry-framing.ts'
import { withTombstones, type TombstoneOptions } from '../../../src/formats/open/tombstones.ts'
import { pack } from '../../../src/kafka/source/pack-records.ts'
import { provenanceOf, structOf } from '../../support/flow/batches.ts'

const CONTRACT = loadContract(
  {
    type: 'object',
    required: ['id', 'name'],
    properties: {
      id: { type: 'integer' },
      name: { type: 'string' },
      price: { type: ['number', 'null'], 'x-delta-type': 'decimal(6,2)' },
    },
  },
  { source: 'test' },
)

type Message = readonly [key: string | Buffer | null, value: string | Buffer | null]

function rawOf(messages: readonly Message[]): Raw {
  const bytes = (part: string | Buffer | null): Buffer | null => (part === null ? null : Buffer.from(part))
  const records = messages.map(([key, value], offset) => {
    return { key: bytes(key), value: bytes(value), timestamp: '0', offset: String(offset) }
  })
  return pack('t', 0, records, 0n)
}

async function rowsOf(
  messages: readonly Message[],
  options: TombstoneOptions,
  { contract = CONTRACT, framed = false }: { contract?: Contract; framed?: boolean } = {},
): Promise<Rows> {
  const payload = rawOf(messages)
  const inner = framed ? withoutSchemaIds(jsonFormat(contract)) : jsonFormat(contract)
  const format = withTombstones(inner, options, contract)
  const batch = { provenance: provenanceOf({ records: messages.length }), payload }
  const flags = options.tombstones === 'row' ? [deletedColumn()] : []
  const { payload: rows } = await lastValueFrom(
    of(batch).pipe(decode(format), validate(contract), enrich(flags)),
  )
  const { length } = rows.columns
  const became = length + rows.deadLetters.length + rows.tombstones + rows.filtered
  assert.equal(became, messages.length, 'every record becomes one thing')
  return rows
}

const MESSAGES: readonly Message[] = [
  ['{"id":1}', '{"id":1,"name":"a"}'],
  ['{"id":1}', null],
  ['{"id":2}', ' null '],
  ['{"id":3}', '{"id":"x"}'],
]

test('Tombstones and null values are ignored and counted, or are dead letters', async () => {
  const ignored = await rowsOf(MESSAGES, { tombstones: 'ignore' })
  assert.deepEqual([ignored.columns.length, ignored.tombstones, ignored.deadLetters.length], [1, 2, 1])
  const refused = await rowsOf(MESSAGES, { tombstones: 'deadLetter' })
  assert.deepEqual(refused.deadLetters.map(({ offset, reason }) => `${offset} ${reason}`).sort(), [
    '1 tombstone',
    '2 tombstone',
    '3 contract',
  ])
  assert.equal(
    Buffer.from(refused.deadLetters.find(({ offset }) => offset === 2n)?.value ?? []).toString(),
    ' null ',
  )
})

test('Tombstones become rows made from their keys, regardless of the contract, and all rows have the deleted column', async () => {
  const rows = await rowsOf(MESSAGES, { tombstones: 'row' })
  assert.deepEqual(
    objectsOf(rows).map(({ id, name, price, _deleted }) => [Number(id), name, price, _deleted]),
    [
      [1, 'a', null, false],
      [1, null, null, true],
      [2, null, null, true],
    ],
  )
  assert.deepEqual([...rows.records], [0, 1, 2])
  assert.deepEqual(
    rows.deadLetters.map(({ reason }) => reason),
    ['contract'],
  )
})

test('A batch of only tombstones has the same columns as others', async () => {
  const rows = await rowsOf([['{"id":1}', null]], { tombstones: 'row' })
  assert.deepEqual(
    rows.columns.schema.fields.map(({ name }) => name),
    ['id', 'name', 'price', '_deleted'],
  )
})

test('A key is decoded as an object, as a Kafka Connect object, as text for the configured column, or is ignored', async () => {
  const framed = Buffer.concat([Buffer.of(0, 0, 0, 0, 7), Buffer.from('{"id":5}')])
  const long = Buffer.alloc(8)
  long.writeBigInt64BE(65n)
  const cases: readonly (readonly [string | Buffer | null, string | undefined, unknown])[] = [
    ['{"ID":5,"other":[1],"price":1.25}', undefined, { id: 5n, price: { text: '1.25' } }],
    ['{"schema":{"type":"struct"},"payload":{"id":5}}', undefined, { id: 5n }],
    ['{"schema":{"type":"double"},"payload":1e400}', undefined, {}],
    [framed, undefined, { id: 5n }],
    // A big-endian integer begins with a zero byte too.
    [long, 'name', { name: '\0'.repeat(7) + 'A' }],
    ['9007199254740993', 'id', { id: 9007199254740993n }],
    ['5', undefined, {}],
    ['"k\\u00e9"', 'name', { name: 'ké' }],
    ['{k', 'name', { name: '{k' }],
    ['', 'name', { name: '' }],
    [Buffer.of(0xff), 'name', {}],
    [null, 'name', {}],
    ['1.5', 'price', { price: { text: '1.50' } }],
  ]
  for (const [key, tombstoneKey, expected] of cases) {
    const options = {
      tombstones: 'row',
      mayFrameKeys: true,
      ...(tombstoneKey === undefined ? {} : { tombstoneKey }),
    } as const
    const rows = await rowsOf([[key, null]], options)
    const { _deleted, ...row } = objectsOf(rows)[0] ?? {}
    assert.equal(_deleted, true)
    const all = { id: null, name: null, price: null, ...(expected as object) }
    const text = (value: unknown): string =>
      JSON.stringify(value, (_, each: unknown) =>
        typeof each === 'bigint' ? String(each) : each,
      ).replaceAll('"', '')
    assert.equal(text(row), text(all), String(key))
  }
})

test('The first bytes of a key are its own when the values have no schema ids', async () => {
  const key = Buffer.from('\0\0\0\0\x075')
  const nameOf = async (mayFrameKeys: boolean): Promise<unknown> => {
    const rows = await rowsOf([[key, null]], { tombstones: 'row', tombstoneKey: 'name', mayFrameKeys })
    return objectsOf(rows)[0]?.['name']
  }
  assert.equal(await nameOf(false), '\0\0\0\0\x075')
  assert.equal(await nameOf(true), '5')
})

test('A key that does not fit its columns, or leaves a NOT NULL column empty, makes a dead letter', async () => {
  const type = structOf({ id: 'long', name: 'string' })
  const strict = contractOfTable({
    ...type,
    fields: type.fields.map((field) => ({ ...field, nullable: field.name !== 'id' })),
  })
  const rows = await rowsOf(
    [
      ['{"id":"x"}', null],
      ['{"name":"x"}', null],
      ['{"id":1}', null],
    ],
    { tombstones: 'row' },
    { contract: strict },
  )
  assert.deepEqual(
    rows.deadLetters.map(({ offset, reason, message }) => `${offset} ${reason} ${message}`),
    [
      '0 tombstone the key makes no row: /id expected an integer, got "x"',
      '1 tombstone the key makes no row: /id expected a value, got null',
    ],
  )
  assert.deepEqual([...rows.records], [2])
})

test('With rewritten values a tombstone stays one, and an undecodable value does not become one', async () => {
  const rows = await rowsOf(
    [
      ['{"id":1}', null],
      ['{"id":2}', 'no frame'],
      ['{"id":3}', Buffer.concat([Buffer.of(0, 0, 0, 0, 1), Buffer.from('null')])],
    ],
    { tombstones: 'row' },
    { framed: true },
  )
  assert.deepEqual([...rows.records], [0, 2])
  assert.deepEqual(
    rows.deadLetters.map(({ offset, reason }) => `${offset} ${reason}`),
    ['1 decode'],
  )
})

test('A batch without tombstones is returned unchanged', () => {
  const properties = { id: { type: 'integer' }, name: { type: 'string' } }
  const plain = loadContract({ type: 'object', properties }, { source: 'test' })
  const wrapped = withTombstones(jsonFormat(plain), { tombstones: 'row' }, plain)
  const decoded = wrapped.decode(rawOf([['k', '{"id":1,"name":"a"}']]))
  assert.equal(decoded.deletions, undefined)
  assert.ok(decoded.validated !== undefined, 'rows stay in columns')
})

test('Rows are made with the columns as of their batch', () => {
  let columns = { schema: structOf({ id: 'long' }) }
  const inner = jsonFormat({ ...columns, plain: undefined })
  const format = withTombstones(inner, { tombstones: 'row' }, { current: () => columns })
  const rowsOf = (): unknown => {
    const { deletions } = format.decode(rawOf([['{"id":1,"name":"a"}', null]]))
    return deletions && rowAt(deletions.columns, 0)
  }
  assert.deepEqual(rowsOf(), { id: 1 })
  columns = { schema: structOf({ id: 'long', name: 'string' }) }
  assert.deepEqual(rowsOf(), { id: 1, name: 'a' })
})

test('The names of fields that keys have and columns lack are passed on with the columns of the batch', async () => {
  const { droppedPaths = [] } = await rowsOf(
    [
      ['{"id":1,"Region":"eu"}', null],
      ['{"id":2}', null],
    ],
    { tombstones: 'row' },
  )
  assert.deepEqual(
    droppedPaths.map(({ of, paths }) => [of, [...paths]]),
    [[CONTRACT.schema, ['region']]],
  )
})

test('A key may begin with a byte order mark, and with its schema id in a header it has no prefix', () => {
  const format = withTombstones(jsonFormat(CONTRACT), { tombstones: 'row', mayFrameKeys: true }, CONTRACT)
  const raw = rawOf([
    ['\ufeff{"id":1}', null],
    ['{"id":2}', null],
    ['\0\0\0\0\x07{"id":3}', null],
  ])
  const id = { __key_schema_id: Buffer.of(0, 0, 0, 0, 7) }
  const { deletions, deadLetters } = format.decode({ ...raw, headers: [undefined, id, undefined] })
  assert.deepEqual(deadLetters, [])
  assert.ok(deletions !== undefined)
  assert.deepEqual(
    [0, 1, 2].map((i) => rowAt(deletions.columns, i)['id']),
    [1, 2, 3],
  )
})
