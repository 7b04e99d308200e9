// Goal: records that are late by up to 500 days lie in the right partitions in one commit, and those whose close-of-business
// date breaks a rule are dead letters. Method: from the real broker into a table, read by delta-rs and DuckDB.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import kafkajs from 'kafkajs'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { startWorker } from '../../integrity/support/worker.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'
import { actionsOf, outputOf, PROGRAM } from '../support/carry.ts'
import { hasPython, pythonLines, pythonWithReaders } from '../support/python.ts'

const RECORDS = 1_500
const DAYS = 500
const DAY_MS = 86_400_000
/** 2026-01-15T23:30:00Z: half past midnight of the next day in Berlin, and an hour later still in summer. */
const NEWEST_MS = Date.UTC(2026, 0, 15, 23, 30)

const brokers = await kafkaForTests()
const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-late-'))
after(() => rm(folder, { recursive: true, force: true }))

const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
const atOf = (id: number): number => NEWEST_MS - (id % DAYS) * DAY_MS

/** Every seventh key breaks a rule: absent, malformed, in the future, too old. */
function keyOf(id: number): string | null {
  const cob = isoDay(atOf(id) - DAY_MS).replaceAll('-', '')
  if (id % 7 !== 0) return `book-${id % 3}|${cob}`
  return [null, 'book-0', 'book-0|20270101', 'book-0|20200101'][(id / 7) % 4] ?? null
}

async function produce(topic: string): Promise<void> {
  await createTopic({ brokers, clientId: 'test' }, topic, { partitions: 1 })
  const client = new kafkajs.Kafka({ brokers, clientId: 'test', logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const messages = Array.from({ length: RECORDS }, (_, id) => ({
    key: keyOf(id),
    value: JSON.stringify({ id, user: `user-${id % 7}`, at: new Date(atOf(id)).toISOString() }),
    timestamp: String(NEWEST_MS),
  }))
  await producer.send({ topic, messages })
  await producer.disconnect()
}

test('Late records lie in the partitions of their days, which other engines prune, and rule breakers are dead letters', async () => {
  const topic = nameForTests('late')
  await produce(topic)
  const uri = join(folder, 'table')
  const contract = {
    type: 'object',
    properties: {
      id: { type: 'integer' },
      user: { type: 'string' },
      at: { type: 'string', format: 'date-time' },
    },
    required: ['id', 'user', 'at'],
  }
  await writeFile(join(folder, 'contract.json'), JSON.stringify(contract))
  const config = join(folder, 'config.json')
  await writeFile(
    config,
    JSON.stringify({
      kafka: { brokers, groupId: topic },
      topics: {
        [topic]: {
          contract: 'contract.json',
          derive: {
            day: "date(at, 'Europe/Berlin')",
            hour: "hour(at, 'Europe/Berlin')",
            shard: 'bucket(user, 2)',
          },
          cobDate: { from: 'key', pattern: '\\|(\\d+)$', format: 'YYYYMMDD', daysBackMax: DAYS },
          table: { uri, partitionColumns: ['day', 'shard'] },
        },
      },
    }),
  )
  const worker = startWorker(PROGRAM, ['run', '--config', config, '--until', 'latest'])
  assert.equal(await worker.ended, 0, worker.lines.slice(-15).join('\n'))

  const rows = (await outputOf(['table', 'cat', uri])).map(
    (line) => JSON.parse(line) as Record<string, unknown>,
  )
  const good = Array.from({ length: RECORDS }, (_, id) => id).filter((id) => id % 7 !== 0)
  assert.deepEqual(
    rows.map(({ id }) => id as number).sort((a, b) => a - b),
    good,
  )
  for (const { id, day, hour, cob_date } of rows) {
    const local = new Intl.DateTimeFormat('sv-SE', {
      timeZone: 'Europe/Berlin',
      dateStyle: 'short',
      timeStyle: 'short',
    }).format(atOf(id as number))
    assert.deepEqual([day, hour], [local.slice(0, 10), Number(local.slice(11, 13))], `row ${String(id)}`)
    assert.equal(cob_date, isoDay(atOf(id as number) - DAY_MS))
  }

  const [commit, info] = [1, 1].map((version) => actionsOf(uri, version + 1))
  const adds = (commit ?? []).flatMap(({ add }) => (add === undefined ? [] : [add]))
  const places = new Set(rows.map(({ day, shard }) => `day=${String(day)}/shard=${String(shard)}`))
  assert.equal(adds.length, places.size, 'one file for each partition of the flush')
  assert.ok(places.size > DAYS, `${places.size} partitions`)
  const metrics = (info ?? []).flatMap(({ commitInfo }) => commitInfo?.['operationMetrics'] ?? []).at(-1)
  assert.equal((metrics as Record<string, string>)['numDeadLetters'], String(RECORDS - good.length))

  // Python is no prerequisite; without it, what our own reader says stands alone.
  if (!(await hasPython())) return
  const script = join(import.meta.dirname, '../support', 'read_partitions.py')
  const asked = [...places].sort().filter((_, index) => index % 100 === 0)
  const lines = await pythonLines(await pythonWithReaders(), [script, uri, ...asked])
  for (const [index, line] of lines.entries()) {
    const place = asked[index] ?? ''
    const ids = rows
      .filter(({ day, shard }) => `day=${String(day)}/shard=${String(shard)}` === place)
      .map(({ id }) => id as number)
      .sort((a, b) => a - b)
    assert.deepEqual(JSON.parse(line), { files: 1, deltaRs: ids, duckdb: ids }, place)
  }
  assert.equal(lines.length, asked.length)
})
