// Goal: a replayed dead letter is committed once, wherever replays crash and however many run.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { filterRows } from '../../../operators/rows/filter-rows.ts'
import { mapRows } from '../../../operators/rows/map-rows.ts'
import type { Row } from '../../../src/arrow/rows.ts'
import { readRowLines } from '../../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import type { DeadLetter } from '../../../src/core/batch.ts'
import { recordsOf } from '../../../src/kafka/dead-letters/letter-records.ts'
import { LetterJoiner } from '../../../src/stored-letters/letter-joiner.ts'
import type { StoredLetter } from '../../../src/stored-letters/stored.ts'
import type { TopicExtensions } from '../../../src/service/operators/extensions.ts'
import { openReplayLedger, readReplayLedger } from '../../../src/service/replay/replay-ledger.ts'
import { replayDeadLetters, type ReplayResult } from '../../../src/service/replay/replay.ts'
import { TablePool } from '../../../src/service/table/table-pool.ts'
import { openTarget } from '../../../src/service/table/target.ts'
import { MemoryStore, type MemoryFault, type MemoryRequest } from '../../../src/storage/memory.ts'
import { createLogger } from '../../../src/telemetry/log.ts'

const NOW_MS = 1_772_323_200_000
const clock = { now: () => NOW_MS, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) }
const log = createLogger({ level: 'silent' })
const folder = mkdtempSync(join(tmpdir(), 'kafka-delta-replay-'))
after(() => rmSync(folder, { recursive: true }))

type Fault = (request: MemoryRequest) => MemoryFault | undefined

function tablesOf(fault?: Fault): TablePool {
  return new TablePool((uri) =>
    Promise.resolve(
      new MemoryStore(uri.slice('memory:'.length), {
        now: () => NOW_MS,
        ...(fault === undefined ? {} : { fault }),
      }),
    ),
  )
}

let names = 0
/** Creates a stream whose service has committed partition 0 up to offset 99, all of it dead letters. */
async function newStream(
  transforms: Readonly<Record<string, string>> = {},
): Promise<{ config: Config; topic: TopicConfig; uri: string }> {
  const contract = join(folder, 'contract.json')
  writeFileSync(
    contract,
    JSON.stringify({ type: 'object', required: ['v'], properties: { v: { type: 'integer' } } }),
  )
  const uri = `memory:replay-${process.pid}-${++names}`
  const config = loadConfig({
    object: {
      topics: { events: { table: { uri }, contract, kafkaColumns: true, appId: 'app', transforms } },
    },
  })
  const topic = config.topics['events'] as TopicConfig
  const target = await openTarget(topic, config, { clock }, tablesOf())
  const outcome = await target.table.append({
    adds: [],
    txns: [{ appId: 'app-0', version: 99n, follows: undefined }],
    operationParameters: {},
    operationMetrics: {},
  })
  assert.equal(outcome.kind, 'committed')
  await target.release()
  return { config, topic, uri }
}

function letter(
  offset: bigint,
  facts: Partial<StoredLetter> & { ordinal?: number; partition?: number } = {},
): StoredLetter {
  const { ordinal = 0, partition = 0, ...more } = facts
  return {
    position: { topic: 'events', partition, offset, ordinal },
    reason: 'contract',
    stage: 'schema',
    message: 'was bad',
    key: Buffer.from('k'),
    value: Buffer.from(`{"v":${offset}}`),
    headers: undefined,
    timestampMs: NOW_MS - 5000,
    writtenMs: NOW_MS,
    unplayable: undefined,
    traceId: undefined,
    ...more,
  }
}

async function* each(letters: readonly StoredLetter[]): AsyncGenerator<StoredLetter> {
  for (const one of letters) yield await Promise.resolve(one)
}

async function run(
  stream: { config: Config; topic: TopicConfig },
  letters: readonly StoredLetter[],
  options: {
    tables?: TablePool
    isDry?: boolean
    lettersMax?: number
    failures?: string[]
    extensions?: TopicExtensions
  } = {},
): Promise<ReplayResult> {
  const { tables = tablesOf(), isDry = false, lettersMax, failures, extensions } = options
  return await replayDeadLetters({
    ...stream,
    extensions,
    tables,
    letters: each(letters),
    isDry,
    log,
    clock,
    onFailure: ({ position, message }) => failures?.push(`${position.offset}: ${message}`),
    ...(lettersMax === undefined ? {} : { lettersMax }),
  })
}

async function rowsIn(uri: string): Promise<Record<string, unknown>[]> {
  const store = new MemoryStore(uri.slice('memory:'.length))
  const rows: Record<string, unknown>[] = []
  for await (const line of readRowLines(store, await loadSnapshot(store)))
    rows.push(JSON.parse(line) as Record<string, unknown>)
  return rows.sort((a, b) => Number(a['_kafka_offset']) - Number(b['_kafka_offset']))
}

const offsetsIn = async (uri: string): Promise<unknown[]> =>
  (await rowsIn(uri)).map((row) => row['_kafka_offset'])
const all = Array.from({ length: 7 }, (_, i) => letter(BigInt(i * 3)))
const ALL_OFFSETS = [0, 3, 6, 9, 12, 15, 18]

test('Letters that pass are committed with the offset and time of their record, and a second replay commits nothing', async () => {
  const stream = await newStream()
  const first = await run(stream, all)
  assert.deepEqual([first.landed, first.rows, first.failed, first.settled], [7, 7, 0, 0])
  const [row] = await rowsIn(stream.uri)
  assert.deepEqual(row, {
    v: 0,
    _kafka_topic: 'events',
    _kafka_partition: 0,
    _kafka_offset: 0,
    _kafka_timestamp: '2026-02-28T23:59:55.000000Z',
    _kafka_key: 'k',
  })
  const second = await run(stream, all)
  assert.deepEqual([second.landed, second.settled, second.versions], [0, 7, []])
  assert.deepEqual(await offsetsIn(stream.uri), ALL_OFFSETS)
})

test('The operators of the topic run on the rows of letters, as in the service', async () => {
  const stream = await newStream()
  const rows = [
    filterRows(({ v }: Row) => v !== 3),
    mapRows((row: Row) => ({ ...row, v: Number(row['v']) * 10 })),
  ]
  const done = await run(stream, all.slice(0, 3), { extensions: { rows } })
  assert.deepEqual([done.landed, done.rows, done.failed], [3, 2, 0])
  assert.deepEqual(
    (await rowsIn(stream.uri)).map(({ v }) => v),
    [0, 60],
  )
})

test('A dry run reports the same and writes nothing', async () => {
  const stream = await newStream()
  const failures: string[] = []
  const dry = await run(stream, [...all, letter(20n, { value: Buffer.from('{"v":"x"}') })], {
    isDry: true,
    failures,
  })
  assert.deepEqual([dry.landed, dry.rows, dry.failed], [7, 7, 1])
  assert.equal(failures.length, 1)
  assert.deepEqual(await offsetsIn(stream.uri), [])
  assert.equal((await run(stream, all)).landed, 7)
})

test('Letters that fail again stay open with their new reason, and are committed once they pass', async () => {
  const stream = await newStream()
  const failures: string[] = []
  const bad = letter(5n, { value: Buffer.from('{"v":"x"}') })
  const first = await run(stream, [letter(1n), bad], { failures })
  assert.deepEqual([first.landed, first.failed], [1, 1])
  assert.match(failures[0] ?? '', /^5: .*integer/)
  const second = await run(stream, [letter(1n), letter(5n)])
  assert.deepEqual([second.landed, second.settled], [1, 1])
  assert.deepEqual(await offsetsIn(stream.uri), [1, 5])
})

test('Letters of one message are distinct, and a duplicate letter is committed once', async () => {
  const stream = await newStream()
  const twins = [letter(4n), letter(4n, { ordinal: 1, value: Buffer.from('{"v":41}') }), letter(4n)]
  const done = await run(stream, twins)
  assert.deepEqual([done.landed, done.settled], [2, 1])
  assert.deepEqual((await rowsIn(stream.uri)).map((row) => row['v']).sort(), [4, 41])
})

test('Letters that cannot be replayed, or not yet, are left and reported', async () => {
  const stream = await newStream()
  const done = await run(stream, [
    letter(1n, { unplayable: 'value truncated in the envelope, 5000 bytes in Kafka' }),
    letter(3n, { unplayable: 'value truncated in the envelope, 6000 bytes in Kafka' }),
    letter(2n, {
      position: undefined,
      unplayable: 'the table does not say which record it was',
    }),
    letter(100n),
    letter(1n, { partition: 7 }),
  ])
  assert.deepEqual([done.landed, done.early], [0, 2])
  assert.deepEqual(
    [...done.unplayable],
    [
      ['value truncated in the envelope, … bytes in Kafka', 2],
      ['the table does not say which record it was', 1],
    ],
  )
  assert.deepEqual(await offsetsIn(stream.uri), [])
})

test('Wherever a replay crashes, after the next one each letter is committed once', async () => {
  let deaths = 0
  for (let at = 0; ; at++) {
    for (const kind of ['lost', 'answer-lost'] as const) {
      const stream = await newStream()
      await run(stream, [letter(50n)])
      let requests = 0
      let isDead = false
      // A crash at a read equals a crash before the write that follows.
      const fault = ({ operation }: MemoryRequest): MemoryFault | undefined => {
        if (isDead) return 'refused'
        if (operation !== 'put' && operation !== 'putIfAbsent') return undefined
        if (requests++ !== at) return undefined
        isDead = true
        return kind
      }
      await run(stream, all, { tables: tablesOf(fault), lettersMax: 4 }).catch(() => undefined)
      const died = isDead as boolean
      await run(stream, all, { lettersMax: 4 })
      assert.deepEqual(await offsetsIn(stream.uri), [...ALL_OFFSETS, 50], `${kind} at request ${at}`)
      assert.equal((await run(stream, all)).settled, 7)
      if (!died) {
        assert.ok(deaths > 10, `${deaths} places to die at`)
        return
      }
      deaths++
    }
  }
})

test('Concurrent replays commit each letter once', async () => {
  const stream = await newStream()
  const done = await Promise.all([1, 2, 3].map(() => run(stream, all, { tables: tablesOf(), lettersMax: 2 })))
  assert.equal(
    done.reduce((sum, { landed }) => sum + landed, 0),
    7,
  )
  assert.deepEqual(await offsetsIn(stream.uri), ALL_OFFSETS)
})

test('A replay that was suspended during another one commits none of the same letters', async () => {
  const stream = await newStream()
  let slept = false
  const letters = async function* (): AsyncGenerator<StoredLetter> {
    yield letter(3n)
    // By now it has read the table and the ledger.
    if (!slept) assert.equal((await run(stream, all)).landed, 7)
    slept = true
    yield letter(30n)
  }
  const done = await replayDeadLetters({
    ...stream,
    tables: tablesOf(),
    letters: letters(),
    isDry: false,
    log,
    clock,
  })
  assert.deepEqual([done.landed, done.settled], [1, 1])
  assert.deepEqual(await offsetsIn(stream.uri), [...ALL_OFFSETS, 30])
})

test('A ledger that lacks a replay of the table stops the next replay', async () => {
  const stream = await newStream()
  await run(stream, all)
  const elsewhere = {
    ...stream.topic,
    deadLetters: { ...stream.topic.deadLetters, replayLedger: `${stream.uri}-other` },
  }
  await assert.rejects(run({ ...stream, topic: elsewhere }, all), { code: 'KD_COMMAND_INVALID' })
  assert.deepEqual(await offsetsIn(stream.uri), ALL_OFFSETS)
})

test('Discarded letters are not replayed', async () => {
  const stream = await newStream()
  const uri = `${stream.uri}-marks`
  const ledger = await openReplayLedger(tablesOf(), { uri, appId: 'app', clock })
  await ledger.append('discard', undefined, [{ topic: 'events', partition: 0, offset: 3n, ordinal: 0 }])
  await ledger.release()
  assert.deepEqual([(await run(stream, all)).landed, await offsetsIn(stream.uri)], [6, [0, 6, 9, 12, 15, 18]])
  const read = await readReplayLedger(tablesOf(), { uri, appId: 'app' }, 2n)
  assert.equal(read.stateOf({ topic: 'events', partition: 0, offset: 3n, ordinal: 0 }), 'discarded')
  assert.equal(read.stateOf({ topic: 'events', partition: 0, offset: 6n, ordinal: 0 }), 'replayed')
})

test('Headers of a replayed letter are those of its record: null stays null, empty stays empty', async () => {
  const stream = await newStream({
    none: 'kafka.headers.none',
    empty: 'kafka.headers.empty',
    last: 'kafka.headers.many',
  })
  const headers = { none: null, empty: Buffer.from(''), many: [Buffer.from('1'), null] }
  assert.equal((await run(stream, [letter(1n, { headers })])).landed, 1)
  const [row] = await rowsIn(stream.uri)
  assert.deepEqual([row?.['none'] ?? null, row?.['empty'], row?.['last'] ?? null], [null, '', null])
})

test('A letter in parts is replayed whole, and one that lacks a part is left and reported', async () => {
  const stream = await newStream({ note: 'note', header: 'kafka.headers.big' })
  const big = 'x'.repeat(3_000_000)
  const recordsFor = (offset: bigint): readonly Buffer[] => {
    const written: DeadLetter = {
      reason: 'contract',
      message: 'was bad',
      topic: 'events',
      partition: 0,
      offset,
      timestampMs: NOW_MS - 5000,
      key: Buffer.from('k'.repeat(100_000)),
      value: Buffer.from(JSON.stringify({ v: Number(offset), note: big })),
      headers: { big: Buffer.from('h'.repeat(200_000)), none: null },
    }
    const options = { partition: 0, valueBytesMax: 100_000, nowMs: NOW_MS, traceId: undefined }
    return [...recordsOf(written, 0, options)].map(({ message }) => message.value as Buffer)
  }
  const joiner = new LetterJoiner()
  const records = [...recordsFor(1n), ...recordsFor(2n).filter((_, index) => index !== 5)]
  const letters = records.flatMap((value) => joiner.add(value, undefined) ?? [])
  const done = await run(stream, [...letters, ...joiner.end()])
  assert.deepEqual([done.landed, [...done.unplayable.values()]], [1, [1]])
  const [row, ...more] = await rowsIn(stream.uri)
  assert.equal(more.length, 0)
  assert.equal(row?.['note'], big)
  assert.equal(String(row['header']).length, 200_000)
  assert.equal(String(row['_kafka_key']).length, 100_000)
})
