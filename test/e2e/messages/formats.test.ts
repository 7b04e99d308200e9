import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import kafkajs from 'kafkajs'
import { openCodec } from '../../../src/compression/compression.ts'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { startRegistry } from '../../support/servers/registry.ts'
import { startWorker } from '../../integrity/support/worker.ts'
import { containerOf } from '../../support/values/avro-containers.ts'
import { encoderOf } from '../../support/values/avro-values.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'
import { outputOf, PROGRAM } from '../support/carry.ts'

// At the top level: a hook that is registered inside a test does not run at the end of the file.
const brokers = await kafkaForTests()
const registry = await startRegistry()
after(() => registry.stop())
const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-formats-'))
after(() => rm(folder, { recursive: true, force: true }))

const SCHEMA = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
    { name: 'note', type: ['null', 'string'], default: null },
  ],
}

async function produce(topic: string, values: readonly (Buffer | null)[]): Promise<void> {
  await createTopic({ brokers, clientId: 'test' }, topic, { partitions: 1 })
  const client = new kafkajs.Kafka({ brokers, clientId: 'test', logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic, messages: values.map((value) => ({ value })) })
  await producer.disconnect()
}

test('Avro bare, by registry and in containers, CSV, JSON lines, compressed JSON and several of them go from Kafka into tables of their own schemas', async () => {
  const encode = encoderOf(SCHEMA)
  const order = (id: number): object => ({
    id: BigInt(id),
    at: 1_700_000_000_000n,
    price: Buffer.from('04d2', 'hex'),
    note: id === 1 ? { string: 'é' } : null,
  })
  const row = (id: number): object => ({
    id,
    at: '2023-11-14T22:13:20.000000Z',
    price: 12.34,
    note: id === 1 ? 'é' : null,
  })
  await writeFile(join(folder, 'order.avsc'), JSON.stringify(SCHEMA))
  const contract = {
    type: 'object',
    properties: { id: { type: 'integer' }, name: { type: 'string' } },
    required: ['id'],
  }
  await writeFile(join(folder, 'contract.json'), JSON.stringify(contract))
  const names = {
    bare: nameForTests('bare'),
    framed: nameForTests('framed'),
    csv: nameForTests('csv'),
    json: nameForTests('json'),
    lines: nameForTests('lines'),
    mixed: nameForTests('mixed'),
  }

  await produce(names.bare, [encode(order(1)), Buffer.from('no avro'), encode(order(2)), null])

  const client = new SchemaRegistry({ host: registry.url })
  const { id } = await client.register(
    { type: SchemaType.AVRO, schema: JSON.stringify({ ...SCHEMA, fields: SCHEMA.fields.slice(0, 1) }) },
    { subject: `${names.framed}-value` },
  )
  await produce(names.framed, [await client.encode(id, { id: 7 }), Buffer.from('\0\0\0\0\x63x', 'latin1')])

  await produce(names.csv, [Buffer.from('3;"a;b"'), Buffer.from('x;y'), Buffer.from('4;NULL')])

  const zstd = await openCodec('zstd')
  const gzip = await openCodec('gzip')
  const text = (value: string): Buffer => Buffer.from(value)
  await produce(names.json, [
    Buffer.from(zstd.compress(text('{"id":5,"name":"z"}'))),
    Buffer.from(gzip.compress(text('{"id":6}'))),
    text('{"id":8}'),
    Buffer.from('1f8b08', 'hex'),
  ])

  await produce(names.lines, [text('{"id":1}\nx\n{"id":2,"name":"b"}\n'), null, text(''), text('{"id":3}')])
  await produce(names.mixed, [
    text('{"id":1}'),
    text('2;"b"'),
    containerOf(SCHEMA, [[encode(order(3))], [encode(order(4)), encode(order(5))]], 'snappy'),
    text('no format'),
    text('{"id":6}'),
  ])

  const table = (name: string): { table: { uri: string } } => ({ table: { uri: join(folder, name) } })
  const config = join(folder, 'config.json')
  await writeFile(
    config,
    JSON.stringify({
      kafka: { brokers, groupId: nameForTests('formats') },
      schemaRegistry: { url: registry.url },
      topics: {
        [names.bare]: { format: 'avro', avro: { schema: 'order.avsc' }, ...table('bare') },
        [names.framed]: { format: 'avro', framing: 'registry', ...table('framed') },
        [names.csv]: {
          format: 'csv',
          csv: { delimiter: ';', nullWords: ['NULL'] },
          contract: 'contract.json',
          ...table('csv'),
        },
        [names.json]: { decompress: 'auto', contract: 'contract.json', ...table('json') },
        [names.lines]: { format: 'jsonl', contract: 'contract.json', kafkaColumns: true, ...table('lines') },
        [names.mixed]: {
          formats: ['json', 'csv', 'avro'],
          csv: { delimiter: ';' },
          contract: 'contract.json',
          ...table('mixed'),
          table: { uri: join(folder, 'mixed'), schemaEvolution: 'none' },
        },
      },
    }),
  )
  const worker = startWorker(PROGRAM, ['run', '--config', config, '--until', 'latest'])
  assert.equal(await worker.ended, 0, worker.lines.slice(-15).join('\n'))

  const rows = async (name: string): Promise<unknown[]> =>
    (await outputOf(['table', 'cat', join(folder, name)])).map((line) => JSON.parse(line) as unknown)
  assert.deepEqual(await rows('bare'), [row(1), row(2)])
  assert.deepEqual(await rows('framed'), [{ id: 7 }])
  assert.deepEqual(await rows('csv'), [
    { id: 3, name: 'a;b' },
    { id: 4, name: null },
  ])
  assert.deepEqual(await rows('json'), [
    { id: 5, name: 'z' },
    { id: 6, name: null },
    { id: 8, name: null },
  ])
  const lines = (await rows('lines')) as Record<string, unknown>[]
  assert.deepEqual(
    lines.map(({ id, name, _kafka_offset, _kafka_part }) => [id, name, _kafka_offset, _kafka_part]),
    [
      [1, null, 0, 0],
      [2, 'b', 0, 2],
      [3, null, 3, 0],
    ],
  )
  assert.deepEqual(
    ((await rows('mixed')) as { id: number }[]).map(({ id }) => id),
    [1, 2, 3, 4, 5, 6],
  )
  const metrics = async (name: string): Promise<Record<string, string>> => {
    const text = await readFile(join(folder, name, '_delta_log', `${'1'.padStart(20, '0')}.json`), 'utf8')
    const actions = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const info = actions.find((action) => 'commitInfo' in action)?.['commitInfo']
    return (info as { operationMetrics: Record<string, string> }).operationMetrics
  }
  for (const [name, counts] of Object.entries({
    // Messages + records beyond one each = rows + dead letters + tombstones + messages without a record.
    lines: { records: 4, expanded: 2, rows: 3, letters: 1, tombstones: 1, filtered: 1 },
    mixed: { records: 5, expanded: 2, rows: 6, letters: 1, tombstones: 0, filtered: 0 },
  })) {
    const all = await metrics(name)
    const number = (key: string): number => Number(all[key])
    assert.deepEqual(
      {
        records: number('numRecords'),
        expanded: number('numExpandedRecords'),
        rows: number('numOutputRows'),
        letters: number('numDeadLetters'),
        tombstones: number('numTombstones'),
        filtered: number('numFiltered'),
      },
      counts,
    )
  }
  await outputOf(['table', 'verify', join(folder, 'lines')])
})
