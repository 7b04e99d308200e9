// Goal: command lines written for kafka-delta-ingest give the tables that it documents, and tables that it began go on
// without a gap or a duplicate.
// Method: its documented example with its own flags against the real broker; a log written by hand as it writes one; delta-rs
// with its transaction identifiers before and after us, where Python is there.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import avsc from 'avsc'
import { Command } from 'commander'
import kafkajs from 'kafkajs'
import { addIngest, normalizeIngestArguments } from '../../src/cli/ingest.ts'
import { readRowLines } from '../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { createTopic } from '../../src/kafka/client/admin.ts'
import { openStore } from '../../src/storage/open/open.ts'
import { startRegistry } from '../support/servers/registry.ts'
import { startWorker } from '../integrity/support/worker.ts'
import { kafkaForTests, nameForTests } from '../support/servers/servers.ts'
import { outputOf, PROGRAM } from './support/carry.ts'
import { hasPython, pythonLines, pythonWithReaders } from './support/python.ts'

const SCRIPT = join(import.meta.dirname, 'support', 'ingest_table.py')
const python = (await hasPython()) ? await pythonWithReaders() : undefined
const brokers = await kafkaForTests()
const registry = await startRegistry()
after(() => registry.stop())
const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-ingest-'))
after(() => rm(folder, { recursive: true, force: true }))

interface Request {
  readonly meta: { readonly producer: { readonly timestamp: unknown } }
  readonly method: unknown
  readonly session_id: string
  readonly status: unknown
  readonly url: string
  readonly uuid: string
}

function request(number: number, over: Partial<Request> = {}): Request {
  const day = 24 + (number % 3)
  return {
    meta: { producer: { timestamp: `2021-03-${day}T15:06:17.321710+00:00` } },
    method: number % 2 === 0 ? 'GET' : 'DELETE',
    session_id: `session-${number}`,
    status: 200 + (number % 5),
    url: 'http://www.example.com',
    uuid: `uuid-${number}`,
    ...over,
  }
}

const nullable = (name: string, type: unknown): object => ({ name, type, nullable: true, metadata: {} })
const struct = (...fields: object[]): object => ({ type: 'struct', fields })
const REQUESTS = struct(
  nullable(
    'meta',
    struct(
      nullable('producer', struct(nullable('timestamp', 'string'))),
      nullable(
        'kafka',
        struct(nullable('offset', 'long'), nullable('topic', 'string'), nullable('partition', 'integer')),
      ),
    ),
  ),
  ...['method', 'session_id'].map((name) => nullable(name, 'string')),
  nullable('status', 'integer'),
  ...['url', 'uuid', 'date'].map((name) => nullable(name, 'string')),
)
const DATE = 'date: substr(meta.producer.timestamp, `0`, `10`)'
const PLACE = ['offset', 'partition', 'topic'].map((name) => `meta.kafka.${name}: kafka.${name}`)

/** Writes the first version of a table as the other program's examples bring it along. */
async function tableAt(
  uri: string,
  schema: object,
  partitionColumns: readonly string[] = ['date'],
): Promise<void> {
  const lines = [
    { commitInfo: { timestamp: 1_564_524_295_023, operation: 'CREATE TABLE', isBlindAppend: true } },
    { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
    {
      metaData: {
        id: '22ef18ba-191c-4c36-a606-3dad5cdf3830',
        format: { provider: 'parquet', options: {} },
        schemaString: JSON.stringify(schema),
        partitionColumns,
        configuration: {},
        createdTime: 1_564_524_294_376,
      },
    },
  ]
  await mkdir(join(uri, '_delta_log'), { recursive: true })
  await writeFile(
    join(uri, '_delta_log', `${'0'.repeat(20)}.json`),
    lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  )
}

async function produce(topic: string, values: readonly Value[]): Promise<void> {
  await createTopic({ brokers, clientId: 'test' }, topic, { partitions: 1 })
  if (values.length > 0) await send(topic, values)
}

type Value = Buffer | object | string | null

async function send(topic: string, values: readonly Value[]): Promise<void> {
  const client = new kafkajs.Kafka({ brokers, clientId: 'test', logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const messages = values.map((value) => ({
    value:
      typeof value === 'string' || value === null || Buffer.isBuffer(value) ? value : JSON.stringify(value),
  }))
  await producer.send({ topic, messages })
  await producer.disconnect()
}

const caughtUp = (topic: string, uri: string, args: readonly string[]): readonly string[] => [
  ...['ingest', topic, uri, '-k', brokers.join(), '-g', topic, '-e', '-s', '', ...args],
]

/** Runs the command, in this process, until it has caught up; `args` stand behind topic and table. The exit code. */
async function ingest(topic: string, uri: string, args: readonly string[]): Promise<number> {
  let exitCode = -1
  const program = new Command('kafka-delta').exitOverride()
  addIngest(program, (code) => (exitCode = code))
  const words = ['node', 'kafka-delta', ...caughtUp(topic, uri, args), '--set', 'log.level=fatal']
  await program.parseAsync([...normalizeIngestArguments(words)])
  return exitCode
}

type Row = Readonly<Record<string, unknown>>

async function rowsOf(uri: string): Promise<Row[]> {
  const store = await openStore(uri)
  const rows: Row[] = []
  for await (const line of readRowLines(store, await loadSnapshot(store))) rows.push(JSON.parse(line) as Row)
  return rows
}

test('its web_requests example gives a table partitioned by date, with the place of each message', async () => {
  const topic = nameForTests('web_requests')
  const uri = join(folder, topic)
  await tableAt(uri, REQUESTS)
  await produce(
    topic,
    Array.from({ length: 100 }, (_, number) => request(number)),
  )
  const statsd = createSocket('udp4')
  after(() => statsd.close())
  const metrics: string[] = []
  statsd.on('message', (message) => metrics.push(...message.toString().trim().split('\n')))
  statsd.bind(0, '127.0.0.1')
  await once(statsd, 'listening')
  // As its README writes them.
  const worker = startWorker(
    PROGRAM,
    caughtUp(topic, uri, [
      ...['--allowed_latency', '60', '--app_id', 'web_requests'],
      ...[DATE, ...PLACE].flatMap((transform) => ['--transform', transform]),
      ...['--auto_offset_reset', 'earliest'],
      ...['--statsd_endpoint', `127.0.0.1:${statsd.address().port}`],
    ]),
  )
  assert.equal(await worker.ended, 0, worker.lines.slice(-15).join('\n'))
  const rows = await rowsOf(uri)
  assert.equal(rows.length, 100)
  const sent = (name: string): readonly string[] =>
    metrics.filter((line) => line.startsWith(`kafka_delta_ingest.${name}:`))
  assert.deepEqual(sent('messages.transform.completed'), [
    'kafka_delta_ingest.messages.transform.completed:100|c',
  ])
  assert.equal(sent('delta.add.size').length, 3, 'one for each file')
  assert.deepEqual(sent('delta.write.lag.total'), ['kafka_delta_ingest.delta.write.lag.total:0|g'])
  for (const row of rows) {
    const { meta } = row as { meta: { kafka: { offset: number } } }
    const { offset } = meta.kafka
    const { meta: sent, ...rest } = request(offset)
    assert.deepEqual(row, {
      meta: { ...sent, kafka: { offset, topic, partition: 0 } },
      ...rest,
      date: `2021-03-${24 + (offset % 3)}`,
    })
  }
  const folders = (await readdir(uri)).filter((name) => name.startsWith('date=')).sort()
  assert.deepEqual(folders, ['date=2021-03-24', 'date=2021-03-25', 'date=2021-03-26'])
})

test('a quiet and an empty topic end, and a start again brings nothing twice', async () => {
  const topic = nameForTests('quiet')
  const uri = join(folder, topic)
  await tableAt(uri, REQUESTS)
  await produce(topic, [request(0), request(1)])
  const args = ['-a', 'quiet', '-t', DATE]
  assert.equal(await ingest(topic, uri, args), 0)
  assert.equal(await ingest(topic, uri, args), 0)
  assert.equal((await rowsOf(uri)).length, 2)
  const empty = nameForTests('empty')
  await produce(empty, [])
  assert.equal(await ingest(empty, uri, ['-a', 'empty', '-t', DATE]), 0)
  assert.equal((await rowsOf(uri)).length, 2)
})

test('what does not fit a column is one dead letter each in the table for them, a null stays null, a start again adds none', async () => {
  const topic = nameForTests('wrong')
  const [uri, letters] = [join(folder, topic), join(folder, `${topic}-letters`)]
  await tableAt(uri, REQUESTS)
  // As the other program's documentation says that it must be.
  await tableAt(
    letters,
    struct(
      ...['base64_bytes', 'json_string', 'error'].map((name) => nullable(name, 'string')),
      nullable('timestamp', 'timestamp'),
      nullable('date', 'string'),
    ),
  )
  const timeless = { meta: { producer: { timestamp: null } } }
  await produce(topic, [
    request(0, { method: null }),
    request(1, { status: { code: 200 } }),
    request(2, timeless),
    'no json',
    request(4, { method: ['a', 1], status: '204' }),
    null,
    request(6, { status: true }),
    'no json either',
  ])
  const args = [
    ...['-a', 'wrong', '-t', DATE, '--dlq_table_location', letters],
    ...['--dlq_transform', 'date: substr(epoch_micros_to_iso8601(timestamp), `0`, `10`)'],
  ]
  assert.equal(await ingest(topic, uri, args), 0)
  assert.equal(await ingest(topic, uri, args), 0)
  const rows = (await rowsOf(uri)).map(({ uuid, method, status }) => [uuid, method, status])
  assert.deepEqual(rows.sort(), [
    ['uuid-0', null, 200],
    ['uuid-4', '["a",1]', 204],
  ])
  const found = await rowsOf(letters)
  const texts = found.map((row) => {
    const bytes = row['base64_bytes']
    return typeof bytes === 'string' ? Buffer.from(bytes, 'base64').toString() : String(row['json_string'])
  })
  const wanted = [
    JSON.stringify(request(1, { status: { code: 200 } })),
    JSON.stringify(request(2, timeless)),
    'no json',
    JSON.stringify(request(6, { status: true })),
    'no json either',
  ]
  assert.deepEqual(texts.sort(), wanted.sort())
  const today = new Date().toISOString().slice(0, 10)
  for (const { error, date } of found) {
    assert.ok(typeof error === 'string' && error !== '', 'each says why')
    // The day may end between the two.
    assert.ok(String(date) <= today && String(date) > '2020', String(date))
  }
})

test('offsets to seek are noted once in the table, and reading goes on behind them', async () => {
  const topic = nameForTests('seek')
  const uri = join(folder, topic)
  await tableAt(uri, REQUESTS)
  await produce(
    topic,
    Array.from({ length: 10 }, (_, number) => request(number)),
  )
  const args = ['-a', 'seek', '-t', DATE, '--seek_offsets', '{"0":6}']
  assert.equal(await ingest(topic, uri, args), 0)
  const seen = (await rowsOf(uri)).map(({ uuid }) => uuid)
  assert.deepEqual(seen.sort(), ['uuid-7', 'uuid-8', 'uuid-9'])
  assert.equal(await ingest(topic, uri, args), 0)
  assert.equal((await rowsOf(uri)).length, 3)
  const beyond = startWorker(PROGRAM, caughtUp(topic, uri, ['-a', 'seek', '--seek_offsets', '{"0":20}']))
  assert.equal(await beyond.ended, 2, beyond.lines.join('\n'))
  assert.match(beyond.lines.join('\n'), /partition 0: the table is at 9, --seek_offsets says 20/)
})

test('a table that is not there is refused, and none is made', async () => {
  const uri = join(folder, 'nowhere')
  assert.equal(await ingest('none', uri, []), 1)
  await assert.rejects(readdir(uri))
})

if (python !== undefined) {
  test('a table that delta-rs began is continued, and continued again by delta-rs, without gap or duplicate', async () => {
    const topic = nameForTests('taken')
    const uri = join(folder, topic)
    const messages = Array.from({ length: 30 }, (_, number) => request(number))
    await produce(topic, messages)
    const byDeltaRs = (from: number, to: number): Promise<readonly string[]> =>
      carryByDeltaRs(uri, from, messages.slice(from, to))
    assert.deepEqual(await byDeltaRs(0, 12), ['none'])
    const args = [
      ...['-a', 'taken', '-t', DATE, '-t', 'offset: kafka.offset'],
      ...['-t', 'at: kafka.timestamp', '--max_messages_per_batch', '4'],
    ]
    assert.equal(await ingest(topic, uri, args), 0)
    const rows = await rowsOf(uri)
    assert.deepEqual(
      rows.map(({ offset }) => offset as number).sort((a, b) => a - b),
      messages.map((_, number) => number),
    )
    for (const { offset, uuid, at } of rows) {
      assert.equal(uuid, `uuid-${String(offset)}`)
      assert.equal(
        typeof at,
        Number(offset) < 12 ? 'object' : 'string',
        'the time of a message that we carried',
      )
    }
    const more = Array.from({ length: 5 }, (_, number) => request(30 + number))
    assert.deepEqual(await carryByDeltaRs(uri, 30, more), ['29'])
    assert.equal((await rowsOf(uri)).length, 35)
    await outputOf(['table', 'verify', uri])
  })
}

async function carryByDeltaRs(
  uri: string,
  first: number,
  messages: readonly object[],
): Promise<readonly string[]> {
  const input = join(folder, 'messages.jsonl')
  await writeFile(input, messages.map((message) => `${JSON.stringify(message)}\n`).join(''))
  return pythonLines(python ?? 'python3', [SCRIPT, uri, 'taken', String(first), input])
}

test('Avro in containers and by a registry fills the columns of the table, with transforms over the numbers of times', async () => {
  const topic = nameForTests('avro')
  const uri = join(folder, topic)
  const columns = [...['id', 'millis'].map((name) => nullable(name, 'long')), nullable('at', 'timestamp')]
  await tableAt(uri, struct(...columns), [])
  const schema: avsc.Schema = {
    type: 'record',
    name: 'Event',
    fields: [
      { name: 'id', type: 'long' },
      { name: 'millis', type: { type: 'long', logicalType: 'timestamp-millis' } },
    ],
  }
  const event = (id: number): { id: number; millis: number } => ({ id, millis: 1_700_000_000_000 + id })
  const container = await containerOf(avsc.Type.forSchema(schema), [event(1), event(2)])
  await produce(topic, [container, 'no container'])
  const args = ['-a', 'avro', '-t', 'at: epoch_millis_to_micro(millis)']
  assert.equal(await ingest(topic, uri, [...args, '--avro', '']), 0)

  const client = new SchemaRegistry({ host: registry.url })
  const { id } = await client.register(
    { type: SchemaType.AVRO, schema: JSON.stringify(schema) },
    { subject: `${topic}-value` },
  )
  await send(topic, [await client.encode(id, event(3)), 'no id'])
  assert.equal(await ingest(topic, uri, [...args, '--avro', registry.url]), 0)
  assert.deepEqual(
    (await rowsOf(uri)).sort((a, b) => Number(a['id']) - Number(b['id'])),
    [1, 2, 3].map((number) => ({ ...event(number), at: `2023-11-14T22:13:20.00${number}000Z` })),
  )
})

function containerOf(type: avsc.Type, records: readonly object[]): Promise<Buffer> {
  const encoder = new avsc.streams.BlockEncoder(type)
  const pieces: Buffer[] = []
  return new Promise((resolve, reject) => {
    encoder
      .on('data', (piece: Buffer) => pieces.push(piece))
      .on('end', () => resolve(Buffer.concat(pieces)))
      .on('error', reject)
    for (const record of records) encoder.write(record)
    encoder.end()
  })
}
