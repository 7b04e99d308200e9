// Goal: each dead letter is in the table once, despite failures and crashes between commits and despite other writers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ROOT_CONTEXT } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import type { DeadLetter, OffsetRange } from '../../../src/core/batch.ts'
import { inSpan } from '../../../src/core/stage/span.ts'
import { letterOfRow } from '../../../src/stored-letters/stored.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { readRowLines } from '../../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import type { DeadLetterTopic } from '../../../src/kafka/dead-letters/dead-letters.ts'
import { openDeadLetterTable } from '../../../src/service/dead-letters/dead-letter-table.ts'
import { TablePool } from '../../../src/service/table/table-pool.ts'
import { MemoryStore, type MemoryFault, type MemoryRequest } from '../../../src/storage/memory.ts'
import { startTelemetryWith } from '../../../src/telemetry/tracing/tracing.ts'
import { structOf } from '../../support/flow/batches.ts'

const NOW_MS = 1_772_323_200_000
const clock = { now: () => NOW_MS, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) }

function letter(offset: bigint, facts: Partial<DeadLetter> = {}): DeadLetter {
  return {
    reason: 'contract',
    message: `/v expected an integer, got "${offset}"`,
    topic: 'events',
    partition: 0,
    offset,
    timestampMs: NOW_MS - 1000,
    key: Buffer.from(`k${offset}`),
    value: Buffer.from(`{"v":"${offset}"}`),
    ...facts,
  }
}

function range(last: bigint, partition = 0): OffsetRange {
  return { topic: 'events', partition, follows: undefined, first: 0n, last }
}

let names = 0
/** Opens a store as a separate process would; `fault` can make requests fail. */
function storeNamed(name: string, fault?: (request: MemoryRequest) => MemoryFault | undefined): MemoryStore {
  return new MemoryStore(name, { now: () => NOW_MS, ...(fault === undefined ? {} : { fault }) })
}

async function open(
  name: string,
  options: {
    fault?: (request: MemoryRequest) => MemoryFault | undefined
    bytesMax?: number
    evolves?: boolean
  } = {},
): ReturnType<typeof openDeadLetterTable> {
  const { fault, bytesMax, evolves = true } = options
  return await openDeadLetterTable(new TablePool(() => Promise.resolve(storeNamed(name, fault))), {
    uri: `memory:${name}`,
    appId: 'app',
    evolves,
    clock,
    random: () => 0,
    ...(bytesMax === undefined ? {} : { commitBytesMax: bytesMax }),
  })
}

async function rowsOf(name: string): Promise<Record<string, unknown>[]> {
  const store = storeNamed(name)
  const rows: Record<string, unknown>[] = []
  for await (const line of readRowLines(store, await loadSnapshot(store)))
    rows.push(JSON.parse(line) as Record<string, unknown>)
  return rows.sort(
    (a, b) => Number(a['partition']) - Number(b['partition']) || Number(a['offset']) - Number(b['offset']),
  )
}

const newName = (): string => `dlq-${process.pid}-${++names}`
const offsets = (rows: readonly Record<string, unknown>[]): unknown[] => rows.map((row) => row['offset'])

test('A letter is a row with its full value, key, headers, origin and error', async () => {
  const name = newName()
  const sink = await open(name)
  const value = Buffer.alloc(700_000, 0x7b)
  const written = await sink.write(
    [
      letter(4n, { headers: { trace: Buffer.from('abc') } }),
      letter(5n, { reason: 'decode', message: 'expected JSON', value, key: undefined }),
      letter(6n, { reason: 'type', value: Buffer.from([0xff, 0x00]) }),
      letter(7n, { reason: 'tombstone', value: undefined, timestampMs: -1 }),
    ],
    [range(9n)],
  )
  assert.deepEqual(written, { written: 4, skipped: 0 })
  await sink.close()
  const [first, second, third, fourth] = await rowsOf(name)
  assert.deepEqual(first, {
    base64_bytes: null,
    json_string: '{"v":"4"}',
    error: '/v expected an integer, got "4"',
    timestamp: '2026-03-01T00:00:00.000000Z',
    date: '2026-03-01',
    topic: 'events',
    partition: 0,
    offset: 4,
    ordinal: 0,
    kafka_timestamp: '2026-02-28T23:59:59.000000Z',
    key: Buffer.from('k4').toString('base64'),
    headers: [{ name: 'trace', value: Buffer.from('abc').toString('base64') }],
    error_class: 'ContractError',
    reason: 'contract',
    stage: 'schema',
    trace_id: null,
  })
  assert.equal(second?.['base64_bytes'], value.toString('base64'))
  assert.deepEqual([second['json_string'], second['key'], second['stage']], [null, null, 'bytes'])
  assert.equal(third?.['base64_bytes'], '/wA=')
  assert.deepEqual(
    [fourth?.['json_string'], fourth?.['base64_bytes'], fourth?.['kafka_timestamp']],
    [null, null, null],
  )
})

test('Letters of a traced flush carry its trace id', async () => {
  const telemetry = startTelemetryWith(new SimpleSpanProcessor(new InMemorySpanExporter()))
  const name = newName()
  const sink = await open(name)
  const traceId = await inSpan(ROOT_CONTEXT, 'dead letters', {}, async (span) => {
    await sink.write([letter(4n)], [range(4n)])
    return span.spanContext().traceId
  })
  await telemetry.shutdown()
  await sink.write([letter(5n)], [range(5n)])
  await sink.close()
  const rows = await rowsOf(name)
  assert.deepEqual(
    rows.map((row) => row['trace_id']),
    [traceId, null],
  )
  assert.deepEqual(
    rows.map((row) => letterOfRow(row).traceId),
    [traceId, undefined],
  )
})

test('A flush repeated after a crash before its commit writes no letter twice', async () => {
  const name = newName()
  const all = Array.from({ length: 20 }, (_, i) => letter(BigInt(i)))
  const first = await open(name)
  assert.deepEqual(await first.write(all.slice(0, 12), [range(11n)]), { written: 12, skipped: 0 })
  // The process that takes over flushes different ranges.
  const next = await open(name)
  assert.deepEqual(await next.write(all, [range(25n)]), { written: 8, skipped: 12 })
  assert.deepEqual(await next.write(all, [range(25n)]), { written: 0, skipped: 20 })
  assert.deepEqual(offsets(await rowsOf(name)), [...Array(20).keys()])
})

test('Wherever a process crashes, after its successor the table holds each letter once', async () => {
  const all = [0, 1].flatMap((partition) => [0, 1, 2, 3, 4, 5].map((i) => letter(BigInt(i), { partition })))
  const ranges = [range(7n, 0), range(7n, 1)]
  let deaths = 0
  for (let at = 0; ; at++) {
    for (const kind of ['lost', 'answer-lost'] as const) {
      const name = newName()
      await (await open(name)).close()
      let requests = 0
      let dead = false
      const isDead = (): boolean => dead
      // A crash at a read equals a crash before the write that follows.
      const fault = ({ operation }: MemoryRequest): MemoryFault | undefined => {
        if (dead) return 'refused'
        if (operation !== 'put' && operation !== 'putIfAbsent') return undefined
        if (requests++ !== at) return undefined
        dead = true
        return kind
      }
      const dying: DeadLetterTopic | undefined = await open(name, { fault, bytesMax: 2500 }).catch(
        () => undefined,
      )
      await dying?.write(all, ranges).catch(() => undefined)
      if (!isDead()) {
        assert.ok(deaths > 10, `${deaths} places to die at`)
        return
      }
      deaths++
      const successor = await open(name, { bytesMax: 2500 })
      await successor.write(all, ranges)
      const rows = await rowsOf(name)
      assert.deepEqual(offsets(rows), [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5], `${kind} at request ${at}`)
    }
  }
})

test('A member that lost its partition does not repeat letters of its successor', async () => {
  const name = newName()
  const zombie = await open(name)
  await zombie.write([letter(0n)], [range(0n)])
  const successor = await open(name)
  await successor.write([letter(1n), letter(3n)], [range(5n)])
  // Its last known offset is still 0.
  assert.deepEqual(await zombie.write([letter(1n), letter(3n), letter(6n)], [range(6n)]), {
    written: 1,
    skipped: 2,
  })
  assert.deepEqual(offsets(await rowsOf(name)), [0, 1, 3, 6])
})

test('Two members that write the same letters at once write each letter once', async () => {
  const name = newName()
  const members = await Promise.all([open(name), open(name)])
  const all = Array.from({ length: 30 }, (_, i) => letter(BigInt(i)))
  const counts = await Promise.all(members.map((member) => member.write(all, [range(30n)])))
  assert.equal(
    counts.reduce((sum, { written }) => sum + written, 0),
    30,
  )
  assert.deepEqual(offsets(await rowsOf(name)), [...Array(30).keys()])
})

test('Letters of one message are in one commit, however small commits are', async () => {
  const name = newName()
  const sink = await open(name, { bytesMax: 1 })
  const all = [letter(0n), letter(1n, { message: 'a' }), letter(1n, { message: 'b' }), letter(1n), letter(2n)]
  assert.deepEqual(await sink.write(all, [range(2n)]), { written: 5, skipped: 0 })
  const rows = await rowsOf(name)
  assert.deepEqual(offsets(rows), [0, 1, 1, 1, 2])
  assert.deepEqual(
    new Set(rows.filter((row) => row['offset'] === 1).map((row) => row['ordinal'])),
    new Set([0, 1, 2]),
  )
  assert.equal((await loadSnapshot(storeNamed(name))).version, 3n)
})

const KDI = {
  base64_bytes: 'string',
  json_string: 'string',
  error: 'string',
  timestamp: 'timestamp',
  date: 'string',
} as const

for (const evolves of [true, false]) {
  test(`A table of kafka-delta-ingest is continued, ${evolves ? 'with the missing columns added' : 'with its own columns only'}`, async () => {
    const name = newName()
    await createTable(storeNamed(name), { schema: structOf(KDI), partitionColumns: ['date'] }, clock)
    const sink = await open(name, { evolves })
    await sink.write([letter(4n)], [range(4n)])
    assert.deepEqual(await sink.write([letter(4n)], [range(4n)]), { written: 0, skipped: 1 })
    const [row] = await rowsOf(name)
    assert.deepEqual(
      [row?.['json_string'], row?.['error'], row?.['timestamp'], row?.['date']],
      ['{"v":"4"}', '/v expected an integer, got "4"', '2026-03-01T00:00:00.000000Z', '2026-03-01'],
    )
    assert.equal(row?.['offset'], evolves ? 4 : undefined)
    assert.equal(Object.keys(row ?? {}).length, evolves ? 16 : 5)
  })
}

test('A table whose column has the name of ours but another type is refused at the start', async () => {
  const name = newName()
  await createTable(
    storeNamed(name),
    { schema: structOf({ error: 'boolean', timestamp: 'timestamp' }), partitionColumns: [] },
    clock,
  )
  await assert.rejects(open(name), {
    code: 'KD_SCHEMA_MISMATCH',
    message: /column error: expected string, got boolean/,
  })
})

test('Letters of many partitions look up what the table holds of them in one listing of the log', async () => {
  const name = newName()
  let listings = 0
  const sink = await open(name, {
    fault: ({ operation }) => {
      if (operation === 'list') listings++
      return undefined
    },
  })
  listings = 0
  const partitions = Array.from({ length: 12 }, (_, partition) => partition)
  const letters = partitions.map((partition) => letter(3n, { partition }))
  await sink.write(
    letters,
    partitions.map((partition) => range(3n, partition)),
  )
  assert.equal(listings, 1)
  assert.equal((await rowsOf(name)).length, 12)
  await sink.close()
})
