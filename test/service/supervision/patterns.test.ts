// Goal: topics that match a pattern run, each into its own table, from their appearance until their deletion.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { throwError } from 'rxjs'
import { loadConfig } from '../../../config/load/load.ts'
import type { Config } from '../../../config/types.ts'
import { type ErrorCode, PipelineError } from '../../../src/core/errors.ts'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { discoverTopics, reportInvalidTopics } from '../../../src/service/supervision/discover.ts'
import type { TopicRun } from '../../../src/service/topic/topic-run.ts'
import { runTopics } from '../../../src/service/supervision/run-topics.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { LiveSource, LiveTopic } from '../../support/flow/live-source.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'

const VALUE = '{"id":1}'

function configOf(topics: object, kafka: object = {}): Config {
  return loadConfig({ object: { kafka, topics } })
}

const found = (config: Config, names: readonly string[], kept: readonly string[] = []): string[] =>
  discoverTopics(config, names, new Set(kept)).found.map(({ name, topic }) => `${name} → ${topic.table.uri}`)

test('A pattern matches whole names, but no internal topics, dead-letter topics or topics with an entry', () => {
  const config = configOf({
    all: { pattern: '.*', table: { uri: 's3://lake/{name}/{topic}' } },
    own: { topic: 'orders.own', table: { uri: 's3://lake/own' } },
  })
  const names = ['orders.b', 'orders.a', 'orders.a-dlq', 'orders.own', 'orders.own-dlq', '__consumer_offsets']
  assert.deepEqual(found(config, names), [
    'all/orders.a → s3://lake/all/orders.a',
    'all/orders.b → s3://lake/all/orders.b',
  ])
  const narrow = configOf({ some: { pattern: 'orders', table: { uri: 's3://lake/{topic}' } } })
  assert.deepEqual(found(narrow, names), [])
})

test('Dead-letter topics with custom names are left out too, and a topic belongs to the first matching pattern', () => {
  const config = configOf({
    a: { pattern: 'a.*', deadLetters: { topic: 'a-bad-{topic}' }, table: { uri: 's3://lake/{topic}' } },
    b: { pattern: '.*', table: { uri: 's3://other/{topic}' } },
  })
  assert.deepEqual(found(config, ['a1', 'a-bad-a1', 'b1']), ['a/a1 → s3://lake/a1', 'b/b1 → s3://other/b1'])
})

test('Topics beyond topicsMax are left out, running topics take precedence; at the start they are a fault', async () => {
  const config = configOf({ p: { pattern: '.*', topicsMax: 2, table: { uri: 's3://lake/{topic}' } } })
  assert.deepEqual(discoverTopics(config, ['a', 'b', 'c'], new Set(['c'])).overLimit, { p: ['b'] })
  const log = createLogger({ level: 'silent' })
  const topicNames = (): Promise<string[]> => Promise.resolve(['a', 'b', 'c'])
  await assert.rejects(runTopics(config, { until: 'latest', log, topicNames }), {
    code: 'KD_CONFIG_INVALID',
    message: /topics\.p\.pattern: matches 3 topics, more than topicsMax \(2\)/,
  })
})

test('A topic whose name makes options invalid is not read and takes no place of topicsMax; it is logged once', async () => {
  const [long, other] = ['a'.repeat(246), 'c'.repeat(249)]
  const config = configOf({
    p: {
      pattern: '.*',
      topicsMax: 1,
      table: { uri: 's3://lake/{topic}' },
      deadLetters: { table: 's3://lake/bad', to: 'both' },
    },
  })
  const topics = discoverTopics(config, [long, other, 'bad', 'good'])
  assert.deepEqual(
    topics.found.map(({ name }) => name),
    ['p/good'],
  )
  assert.deepEqual(topics.overLimit, {})
  assert.deepEqual(
    topics.invalid.map(({ topic, faults }) => [topic, faults.length]),
    [
      [long, 1],
      ['bad', 1],
      [other, 1],
    ],
  )
  const logged: unknown[] = []
  const log = { error: (fields: unknown): unknown => logged.push((fields as { topic: string }).topic) }
  const reported = new Set<string>()
  reportInvalidTopics(topics, reported, log as never)
  reportInvalidTopics(topics, reported, log as never)
  assert.deepEqual(logged, [long, 'bad', other])
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const topicNames = (): Promise<string[]> => Promise.resolve([long])
  await runTopics(config, {
    until: 'latest',
    log: createLogger({ level: 'info', pretty: false, destination }),
    topicNames,
  })
  assert.match(lines.join(''), /is not read, because its name makes options invalid.*/)
})

/** Runs one topic that a pattern matches, over sources that fail with the codes in turn and then read one record. */
async function withMatchedTopic(
  codes: readonly ErrorCode[],
  topicNames: () => Promise<string[]>,
  check: (run: () => TopicRun | undefined, rows: () => number) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-patterns-'))
  const contract = join(folder, 'contract.json')
  await writeFile(contract, '{"type":"object","properties":{"id":{"type":"integer"}}}')
  const config = configOf(
    { p: { pattern: '.*', contract, table: { uri: join(folder, '{topic}') }, flush: { ageMs: 10 } } },
    { discoverEveryMs: 100 },
  )
  const kafka = new LiveTopic()
  kafka.push([VALUE])
  const failing = [...codes]
  const stopping = new AbortController()
  let live: readonly TopicRun[] = []
  let rows = 0
  const running = runTopics(config, {
    until: 'stopped',
    log: createLogger({ level: 'silent' }),
    signal: stopping.signal,
    topicNames,
    connectors: {
      source: (options) => {
        const code = failing.shift()
        const source = new LiveSource(kafka, options)
        if (code === undefined) return source
        const batches = throwError(() => new PipelineError(code, 'expected the topic'))
        return Object.assign(source, { batches })
      },
      deadLetters: () => ({
        write: () => Promise.resolve({ written: 0, skipped: 0 }),
        close: () => Promise.resolve(),
      }),
    },
    onOpen: (opened) => (live = opened),
    onCommit: ({ counts }) => (rows += counts.rows),
  })
  try {
    await check(
      () => live[0],
      () => rows,
    )
  } finally {
    stopping.abort()
    await running
    await rm(folder, { recursive: true })
  }
}

async function waitUntil(holds: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 30_000
  while (!holds()) {
    if (Date.now() > deadlineMs) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('A topic that was deleted and created again between two looks is read again', async () => {
  const topicNames = (): Promise<string[]> => Promise.resolve(['events'])
  await withMatchedTopic(['KD_TOPIC_MISSING'], topicNames, async (_run, rows) => {
    await waitUntil(() => rows() === 1)
  })
})

test('The failure of a matched topic is seen at once when no broker answers the question whether it exists', async () => {
  let asked = 0
  let answer: (names: string[]) => void = () => undefined
  const topicNames = (): Promise<string[]> =>
    ++asked === 1
      ? Promise.resolve(['events'])
      : new Promise((resolve) => {
          answer = resolve
        })
  await withMatchedTopic(['KD_KAFKA_UNREACHABLE'], topicNames, async (run) => {
    await waitUntil(() => run()?.status.state === 'restarting')
    // The next look at the topics waits for the brokers.
    await waitUntil(() => asked === 2)
    answer(['events'])
  })
})

test('A new topic starts without a restart, and a deleted one ends while the others continue', async () => {
  const brokers = await kafkaForTests()
  const prefix = nameForTests('pattern')
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-patterns-'))
  const client = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
  const [admin, producer] = [
    client.admin(),
    client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner }),
  ]
  await Promise.all([admin.connect(), producer.connect()])
  const create = async (name: string): Promise<string> => {
    const topic = `${prefix}.${name}`
    await createTopic({ brokers, clientId: 'test' }, topic, { partitions: 1 })
    await producer.send({ topic, messages: [{ value: VALUE }, { value: VALUE }] })
    return topic
  }
  const stopping = new AbortController()
  const rows = new Map<string, number>()
  const lines: string[] = []
  let live: readonly TopicRun[] = []
  let running: Promise<unknown> | undefined
  try {
    const contract = join(folder, 'contract.json')
    await writeFile(contract, '{"type":"object","properties":{"id":{"type":"integer"}}}')
    const first = await create('first')
    const config = configOf(
      {
        all: {
          pattern: `${prefix.replaceAll('.', '\\.')}\\..*`,
          contract,
          table: { uri: join(folder, '{topic}') },
          flush: { ageMs: 200 },
        },
      },
      { brokers, groupId: prefix, discoverEveryMs: 300, heartbeatMs: 500, sessionTimeoutMs: 6_000 },
    )
    running = runTopics(config, {
      until: 'stopped',
      log: createLogger({
        level: 'info',
        pretty: false,
        destination: { write: (line) => void lines.push(line) },
      }),
      signal: stopping.signal,
      onOpen: (topics) => (live = topics),
      onCommit: ({ counts }, { topic }) => rows.set(topic, (rows.get(topic) ?? 0) + counts.rows),
    })
    const ended = running.then(() => assert.fail('it ended by itself'))
    ended.catch(() => undefined)
    const until = (what: string, holds: () => boolean): Promise<void> =>
      Promise.race([ended, waitFor(what, holds)])
    await until('the rows of the first topic', () => rows.get(first) === 2)
    const second = await create('second')
    await until('the rows of the new topic', () => rows.get(second) === 2)
    await admin.deleteTopics({ topics: [first] })
    const isLogged = (line: string): boolean => line.includes('The topic was deleted') && line.includes(first)
    await until('the line on the deleted topic', () => lines.some(isLogged))
    assert.deepEqual(
      live.map(({ topic }) => topic),
      [second],
    )
    await producer.send({ topic: second, messages: [{ value: VALUE }] })
    await until('the next row of the other', () => rows.get(second) === 3)
    stopping.abort()
    const summaries = await running
    assert.deepEqual(Object.keys(summaries as object).sort(), [`all/${first}`, `all/${second}`])
  } finally {
    stopping.abort()
    await Promise.allSettled([running])
    await Promise.all([admin.disconnect(), producer.disconnect()])
    await rm(folder, { recursive: true, force: true })
  }
})

async function waitFor(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
