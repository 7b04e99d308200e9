// Goal: whatever a topic carries ends as a row, a dead letter that says why, a tombstone or a filtered message, and readers that
// we did not write find the rows with the right types and values.
// Method: 100,000 messages of JSON, CSV and Avro in three versions of their schema, with days of 500 days in all of them and one
// in fifty broken in one of many named ways; what becomes of each is known beforehand and compared one by one.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import kafkajs from 'kafkajs'
import { loadContract } from '../../../src/contract/contract.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { startWorker } from '../../integrity/support/worker.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'
import { actionsOf, outputOf, PROGRAM } from '../support/carry.ts'
import { FAULTS, type Fault } from '../support/mixed-faults.ts'
import {
  amountOf,
  avroOf,
  AVRO_SCHEMAS,
  CONTRACT,
  csvOf,
  CSV_COLUMNS,
  dateOf,
  DAY_MS,
  jsonOf,
  LATE_DAYS,
  versionOf,
  type Order,
} from '../support/mixed-messages.ts'
import { hasPython, pythonLines, pythonWithReaders } from '../support/python.ts'

const MESSAGES = 100_000
const PARTITIONS = 4
const BROKEN_EVERY = 50
const TOMBSTONE_EVERY = 997
const TEST_EVERY = 301
const PROMISED_EVERY = 7
const SCRIPT = join(import.meta.dirname, '../support', 'read_table.py')
const python = (await hasPython()) ? await pythonWithReaders() : undefined

/** What must become of a message. */
type Fate =
  | { readonly kind: 'row'; readonly row: Readonly<Record<string, unknown>> }
  | { readonly kind: 'letter'; readonly fault: Fault }
  | { readonly kind: 'tombstone' }
  | { readonly kind: 'filtered' }

interface Sent {
  readonly partition: number
  readonly offset: number
  readonly fate: Fate
}

function orderOf(index: number, nowMs: number): Order {
  const today = Math.floor(nowMs / DAY_MS)
  const version = 1 + (index % 3)
  return {
    id: index + 1,
    placedAtMs: (today - (Math.floor(index / 3) % LATE_DAYS)) * DAY_MS + (index % DAY_MS),
    cents: (index * 7_919) % 100_000_000,
    currency: (['EUR', 'USD', 'GBP'] as const)[index % 3] ?? 'EUR',
    sku: `ABC-${String(index % 10_000).padStart(4, '0')}`,
    email: `user${index % 1_000}@example.org`,
    dueDays: today + (index % 90),
    quantity: 1 + (index % 100),
    ...(version >= 2 ? { channel: ['web', 'shop', 'phone'][(index >> 4) % 3] ?? 'web' } : {}),
    ...(version === 3 ? { city: `City ${index % 50}` } : {}),
  }
}

function rowOf(
  order: Order,
  place: { partition: number; offset: number },
  cob: string,
  promised?: string,
): object {
  const at = `${new Date(order.placedAtMs).toISOString().slice(0, -1)}000Z`
  return {
    id: order.id,
    placed_at: at,
    amount: Number(amountOf(order.cents)),
    currency: order.currency,
    sku: order.sku,
    email: order.email,
    due: dateOf(order.dueDays),
    quantity: order.quantity,
    channel: order.channel ?? null,
    address: order.city === undefined ? null : { city: order.city },
    promised: promised ?? null,
    from: { partition: place.partition, offset: place.offset },
    placed_date: at.slice(0, 10),
    cob_date: cob,
  }
}

/** The order as version 1 knows it. */
function firstVersionOf(order: Order): Order {
  const known = Object.entries(order).filter(([name]) => name !== 'channel' && name !== 'city')
  return Object.fromEntries(known) as unknown as Order
}

/** Message `index` as it is sent, and what must become of it. */
function messageOf(index: number, place: { partition: number; offset: number }, nowMs: number) {
  const order = orderOf(index, nowMs)
  const cob = dateOf(Math.floor(nowMs / DAY_MS) - (index % LATE_DAYS))
  if (index % BROKEN_EVERY === 0) {
    const fault = FAULTS[(index / BROKEN_EVERY) % FAULTS.length] as Fault
    const made = fault.make(order, nowMs)
    return {
      fate: { kind: 'letter', fault } as Fate,
      value: made.value,
      cob: made.cob === undefined ? cob : made.cob,
    }
  }
  if (index % TOMBSTONE_EVERY === 0) return { fate: { kind: 'tombstone' } as Fate, value: null, cob }
  if (index % TEST_EVERY === 0) {
    const value = Buffer.from(jsonOf({ ...order, channel: 'test' }))
    return { fate: { kind: 'filtered' } as Fate, value, cob }
  }
  const way = Math.floor(index / 3) % 3
  if (way === 1) {
    const first = firstVersionOf(order)
    return {
      fate: { kind: 'row', row: rowOf(first, place, cob) } as Fate,
      value: Buffer.from(csvOf(first)),
      cob,
    }
  }
  if (way === 2)
    return { fate: { kind: 'row', row: rowOf(order, place, cob) } as Fate, value: avroOf(order), cob }
  const promised = index % PROMISED_EVERY === 0 ? '2026-12-31' : undefined
  const value = Buffer.from(jsonOf(order, promised === undefined ? {} : { promise: '"31.12.2026"' }))
  return { fate: { kind: 'row', row: rowOf(order, place, cob, promised) } as Fate, value, cob }
}

async function produce(brokers: readonly string[], topic: string, nowMs: number): Promise<Sent[]> {
  await createTopic({ brokers, clientId: 'test' }, topic, { partitions: PARTITIONS })
  const client = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: 'test',
    logLevel: kafkajs.logLevel.NOTHING,
  })
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const sent: Sent[] = []
  const batch = 5_000
  for (let start = 0; start < MESSAGES; start += batch) {
    const messages = Array.from({ length: batch }, (_, each) => {
      const index = start + each
      const place = { partition: index % PARTITIONS, offset: Math.floor(index / PARTITIONS) }
      const { fate, value, cob } = messageOf(index, place, nowMs)
      sent.push({ ...place, fate })
      const headers = cob === null ? {} : { headers: { cob } }
      return { partition: place.partition, key: String(index), value, timestamp: String(nowMs), ...headers }
    })
    await producer.send({ topic, messages })
  }
  await producer.disconnect()
  return sent
}

/** A table as a data engineer made it, with a constraint that no contract knows. */
async function createOrders(path: string): Promise<void> {
  const contract = loadContract(CONTRACT, { source: 'test' })
  const days = ['placed_date', 'cob_date'].map(
    (name) => ({ name, type: 'date', nullable: true, metadata: {} }) as const,
  )
  await createTable(new LocalStore(path), {
    schema: { type: 'struct', fields: [...contract.schema.fields, ...days] },
    partitionColumns: ['placed_date'],
  })
  const log = join(path, '_delta_log')
  const lines = readFileSync(join(log, `${'0'.repeat(20)}.json`), 'utf8')
    .trim()
    .split('\n')
  const first = lines.map((line) => JSON.parse(line) as { metaData?: object })
  const metaData = {
    ...first.find((action) => action.metaData !== undefined)?.metaData,
    configuration: { 'delta.constraints.handful': 'quantity < 1000' },
  }
  const actions = [
    { commitInfo: { timestamp: 0, operation: 'ADD CONSTRAINT' } },
    { protocol: { minReaderVersion: 1, minWriterVersion: 3 } },
    { metaData },
  ]
  const text = actions.map((action) => `${JSON.stringify(action)}\n`).join('')
  await writeFile(join(log, `${'1'.padStart(20, '0')}.json`), text)
}

describe('a topic of every kind of message', () => {
  let folder: string
  let sent: Sent[]
  const table = (): string => join(folder, 'orders')

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mixed-'))
    const brokers = await kafkaForTests()
    const topic = nameForTests('mixed')
    sent = await produce(brokers, topic, Date.now())
    await mkdir(join(folder, 'avro'))
    for (const [index, schema] of AVRO_SCHEMAS.entries())
      await writeFile(join(folder, 'avro', `v${index + 1}.avsc`), JSON.stringify(schema))
    await writeFile(join(folder, 'contract.json'), JSON.stringify(CONTRACT))
    await createOrders(table())
    const config = join(folder, 'config.json')
    await writeFile(
      config,
      JSON.stringify({
        kafka: { brokers, groupId: topic },
        topics: {
          orders: {
            topic,
            formats: ['json', 'csv', 'avro'],
            avro: { schemas: 'avro' },
            csv: { columns: CSV_COLUMNS },
            contract: 'contract.json',
            rules: [
              {
                name: 'no free pounds',
                when: "currency == 'GBP' && amount == `0`",
                error: 'pounds cost something',
              },
            ],
            filter: "channel != 'test'",
            transforms: {
              'from.partition': 'kafka.partition',
              'from.offset': 'kafka.offset',
              promised: "promise && parse_date(promise, 'dd.MM.yyyy')",
            },
            drop: ['promise'],
            derive: { placed_date: 'date(placed_at)' },
            cobDate: { from: 'header:cob', daysBackMax: LATE_DAYS },
            table: { uri: 'orders', partitionColumns: ['placed_date'] },
            deadLetters: { table: 'letters' },
          },
        },
      }),
    )
    const worker = startWorker(PROGRAM, ['run', '--config', config, '--until', 'latest'])
    assert.equal(await worker.ended, 0, worker.lines.slice(-15).join('\n'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  test('ends as rows, dead letters, tombstones and filtered messages, which are all that came', () => {
    const sums = { records: 0, rows: 0, deadLetters: 0, tombstones: 0, filtered: 0 }
    for (const { commitInfo } of actionsOf(table(), versionsOf(table()))) {
      const metrics = (commitInfo?.['operationMetrics'] ?? {}) as Record<string, string>
      sums.records += Number(metrics['numRecords'] ?? 0)
      sums.rows += Number(metrics['numOutputRows'] ?? 0)
      sums.deadLetters += Number(metrics['numDeadLetters'] ?? 0)
      sums.tombstones += Number(metrics['numTombstones'] ?? 0)
      sums.filtered += Number(metrics['numFiltered'] ?? 0)
    }
    const count = (kind: Fate['kind']): number => sent.filter(({ fate }) => fate.kind === kind).length
    assert.deepEqual(sums, {
      records: MESSAGES,
      rows: count('row'),
      deadLetters: count('letter'),
      tombstones: count('tombstone'),
      filtered: count('filtered'),
    })
    assert.equal(sums.rows + sums.deadLetters + sums.tombstones + sums.filtered, MESSAGES)
    assert.ok(sums.tombstones > 0 && sums.filtered > 0, 'some of each')
  })

  test('each dead letter has the reason of its fault, and says it', async () => {
    const letters = (await outputOf(['table', 'cat', join(folder, 'letters')])).map(
      (line) => JSON.parse(line) as Readonly<Record<string, unknown>>,
    )
    const expected = new Map<string, Fault>(
      sent.flatMap(({ partition, offset, fate }) =>
        fate.kind === 'letter' ? [[`${partition} ${offset}`, fate.fault] as const] : [],
      ),
    )
    const wrong: string[] = []
    for (const letter of letters) {
      const place = `${String(letter['partition'])} ${String(letter['offset'])}`
      const fault = expected.get(place)
      expected.delete(place)
      const right =
        fault !== undefined && letter['reason'] === fault.reason && fault.says.test(String(letter['error']))
      if (!right)
        wrong.push(`${fault?.name ?? 'no fault'}: ${String(letter['reason'])}: ${String(letter['error'])}`)
    }
    assert.deepEqual([...new Set(wrong)], [])
    assert.deepEqual(
      [...expected.values()].map(({ name }) => name),
      [],
    )
    assert.ok(FAULTS.length >= 30, 'thirty ways at least')
  })

  const readers = python === undefined ? [] : ['delta-rs', 'duckdb']
  for (const reader of ['table cat', ...readers]) {
    test(`is read by ${reader} with every value as it was meant`, async () => {
      const lines =
        reader === 'table cat'
          ? await outputOf(['table', 'cat', table()])
          : await pythonLines(await pythonWithReaders(), [SCRIPT, reader, table()])
      const rows = new Map(
        lines.map((line) => {
          const row = JSON.parse(line) as Readonly<Record<string, unknown>>
          return [row['id'], row] as const
        }),
      )
      assert.equal(rows.size, lines.length, 'each once')
      const wanted = sent.flatMap(({ fate }) => (fate.kind === 'row' ? [fate.row] : []))
      assert.equal(lines.length, wanted.length)
      for (const row of wanted) assert.deepEqual(rows.get(row['id']), row)
    })
  }

  test('has a directory for each of the days, and all versions of the schema', async () => {
    const days = new Set(sent.flatMap(({ fate }) => (fate.kind === 'row' ? [fate.row['placed_date']] : [])))
    assert.equal(days.size, LATE_DAYS)
    assert.deepEqual(
      [...new Set(Array.from({ length: 9 }, (_, index) => versionOf(orderOf(index, Date.now()))))].sort(),
      [1, 2, 3],
    )
    const files = (await outputOf(['table', 'files', table(), '--json'])).map(
      (line) => JSON.parse(line) as { partitionValues: Record<string, string> },
    )
    assert.deepEqual(new Set(files.map(({ partitionValues }) => partitionValues['placed_date'])), days)
  })
})

function versionsOf(path: string): number {
  return readdirSync(join(path, '_delta_log')).filter((name) => /^\d{20}\.json$/.test(name)).length
}
