import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadContract } from '../../../src/contract/contract.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import type { Format } from '../../../src/formats/format.ts'
import { openFormat } from '../../../src/formats/open/open.ts'
import { formatContract } from '../../contracts/format.ts'
import { containerOf } from '../../support/values/avro-containers.ts'
import { encoderOf } from '../../support/values/avro-values.ts'
import { rawOf } from '../../support/flow/batches.ts'
import { chanceOf } from '../../support/values/chance.ts'
import { VALUES } from '../../support/values/csv.ts'
import { decodedRows, outcomesOf } from '../../support/flow/outcomes.ts'

const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-told-apart-'))
after(() => rm(folder, { recursive: true, force: true }))

const contract = loadContract(
  {
    type: 'object',
    properties: { id: { type: 'integer' }, name: { type: ['string', 'null'] } },
    required: ['id'],
  },
  { source: 'test' },
)
const SCHEMA = {
  type: 'record',
  name: 'Row',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'name', type: 'string' },
  ],
}
const path = join(folder, 'row.avsc')
await writeFile(path, JSON.stringify(SCHEMA))
const encode = encoderOf(SCHEMA)
const record = (id: number, name: string): Buffer => encode({ id: BigInt(id), name })

const open = (formats: readonly string[], settings: object = {}): Promise<Format> =>
  openFormat(
    { ...VALUES, format: 'json', framing: 'none', decompress: 'none', formats, ...settings },
    contract,
  )
const all = await open(['json', 'jsonl', 'csv', 'avro'], { avro: { schema: path } })

formatContract({
  name: 'detection of JSON, JSON Lines, CSV and Avro',
  open: () => all,
  contract,
  good: [
    { bytes: Buffer.from('{"id":1,"name":"a"}'), row: { id: 1, name: 'a' } },
    { bytes: Buffer.from('2,zwei'), row: { id: 2, name: 'zwei' } },
    {
      bytes: Buffer.from('{"id":3}\n{"id":4}'),
      rows: [
        { id: 3, name: null },
        { id: 4, name: null },
      ],
    },
    {
      bytes: containerOf(SCHEMA, [[record(5, 'x'), record(6, 'y')]]),
      rows: [
        { id: 5, name: 'x' },
        { id: 6, name: 'y' },
      ],
    },
    { bytes: record(300, 'bare'), row: { id: 300, name: 'bare' } },
  ],
  bad: [
    Buffer.from('{"id":'),
    Buffer.from('a,b,c'),
    Buffer.from('x,y'),
    Buffer.of(0xff, 1),
    Buffer.from('Obj\x01'),
  ],
})

test('Records keep the order of their messages, whatever their formats', (t) => {
  const chance = chanceOf(t)
  const expected: number[] = []
  const values = Array.from({ length: 300 }, (_, i) => {
    const id = 1000 + 2 * i
    const kind = chance.int(6)
    if (kind === 5) return chance.pick([null, 'x', '{', 'a,b,c,d'])
    expected.push(id)
    switch (kind) {
      case 0:
        return `{"id":${id}}`
      case 1:
        return `${id},n`
      case 2:
        expected.push(id + 1)
        return containerOf(SCHEMA, [[record(id, '')], [record(id + 1, '')]])
      case 3:
        expected.push(id + 1)
        return `{"id":${id}}\n{"id":${id + 1}}`
      default:
        return record(id, 'n')
    }
  })
  const outcomes = outcomesOf(all, contract, rawOf(values))
  const ids = outcomes.flatMap((outcome) =>
    typeof outcome === 'object' && 'row' in outcome ? [outcome.row['id']] : [],
  )
  assert.deepEqual(ids, expected)
})

test('Values of several formats are decoded into the same columns, and a batch with one format is not copied', async () => {
  const format = await open(['json', 'csv'])
  const mixed = format.decode(rawOf(['{"id":1}', '2,b', '{"id":3}']))
  assert.deepEqual([[...(mixed.validated?.records ?? [])], mixed.records], [[0, 1, 2], []])
  const raw = rawOf(['{"id":1}', '{"id":2}'])
  assert.equal(format.decode(raw).raw, raw)
})

test('A value that no format can decode lists the fault of each format', async () => {
  const format = await open(['json', 'csv', 'avro'])
  const { deadLetters } = format.decode(rawOf(['a,b,c', '{"id":']))
  assert.deepEqual(deadLetters.map(({ message }) => message).sort(), [
    'expected JSON: Unexpected end of JSON input',
    'no format matches: csv: expected 2 fields, got 3; json: expected a brace first; avro container: expected the magic bytes of a container',
  ])
})

test('Magic bytes decide: a broken container is not tried as text', async () => {
  const format = await open(['text', 'avro', 'json'])
  const rows = decodedRows(format, contract, rawOf(['Obj\x01 and nothing']))
  assert.deepEqual([rows.columns.length, rows.deadLetters.length], [0, 1])
})

test('Of several matching formats the first in the list decodes the value', async () => {
  const pretty = '{\n"id":1\n}'
  const names = async (formats: readonly string[], value: string) => {
    const decoded = (await open(formats)).decode(rawOf([value]))
    return [decoded.deadLetters.length, decoded.raw.count]
  }
  assert.deepEqual(await names(['json', 'jsonl'], pretty), [0, 1])
  assert.deepEqual(await names(['jsonl', 'json'], pretty), [0, 1])
  assert.deepEqual(await names(['json', 'jsonl'], '{"id":1}\n{"id":2}'), [0, 2])
})

test('A format without the settings to decode it is refused', async () => {
  await assert.rejects(
    open(['json', 'protobuf']),
    (error) => error instanceof PipelineError && error.code === 'KD_CONFIG_INVALID',
  )
})

test('The JSON null is a tombstone, as with JSON as the only format', async () => {
  const format = await open(['json', 'csv'])
  const decoded = format.decode(rawOf(['null', '1,a', null]))
  assert.deepEqual([decoded.tombstones, decoded.nullTombstones], [2, [0]])
  assert.deepEqual(decoded.validated?.records, Int32Array.of(1))
})

test('A byte order mark may precede JSON, lines of JSON and null', () => {
  const values = ['\ufeff{"id":1}', '\ufeff {"id":2}\n{"id":3}', '\ufeffnull', '\ufeff4,vier']
  const { raw, records, validated, tombstones, deadLetters } = all.decode(rawOf(values))
  assert.deepEqual(deadLetters, [])
  assert.deepEqual([raw.count, records.length + (validated?.records.length ?? 0), tombstones], [5, 4, 1])
})

test('A record that several candidates tried is counted once', () => {
  const { slow } = all.decode(rawOf(['{"id":1}', '2,zwei', 'nothing of these', '3,drei']))
  assert.deepEqual(slow, { value: 1 })
})
