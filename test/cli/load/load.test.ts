import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import type { LoadTotals } from '../../../src/cli/load/report.ts'
import { formatLoadTotals, formatLoadProgress } from '../../../src/cli/load/report.ts'
import { loadTargetsOf } from '../../../src/cli/load/load.ts'
import { badEveryOf } from '../../../src/cli/load/flags.ts'
import { type LoadFlags } from '../../../src/cli/load/flags.ts'
import { showLoadProgress } from '../../../src/cli/load/progress.ts'
import { readWatermarks } from '../../kafka/watermarks.ts'
import { readTopic } from '../../../src/kafka/source/read-topic.ts'
import { SAMPLE_KINDS } from '../../../src/sample/kinds.ts'
import { PROGRAM } from '../../e2e/support/carry.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'

const FLAGS: LoadFlags = { compression: 'none', every: 10 }
const LOADED: LoadTotals = {
  seed: 7,
  records: 120_000,
  bad: 12,
  bytes: 27_600_000,
  seconds: 24,
  rate: 5_000,
  badByKind: { 'not-json': 12 },
  topics: [{ topic: 'a', kind: 'user', partitions: 4, records: 120_000, bad: 12, bytes: 27_600_000 }],
}

test('every kind has its own topic unless other topics are given', () => {
  assert.deepEqual(loadTargetsOf(FLAGS), [{ kind: 'user', topic: 'user.events.v1' }])
  assert.deepEqual(loadTargetsOf({ ...FLAGS, kind: ['order', 'web'] }), [
    { kind: 'order', topic: 'order.events.v1' },
    { kind: 'web', topic: 'web_requests' },
  ])
  assert.deepEqual(loadTargetsOf({ ...FLAGS, kind: ['web'], topic: ['a', 'b'] }), [
    { kind: 'web', topic: 'a' },
    { kind: 'web', topic: 'b' },
  ])
  assert.deepEqual(loadTargetsOf({ ...FLAGS, kind: ['order', 'web'], topic: ['a', 'b'] }), [
    { kind: 'order', topic: 'a' },
    { kind: 'web', topic: 'b' },
  ])
})

test('numbers of kinds and topics that do not match, and a topic that is given twice, are refused', () => {
  const code = 'KD_COMMAND_INVALID'
  assert.throws(() => loadTargetsOf({ ...FLAGS, kind: ['order', 'web'], topic: ['a'] }), { code })
  assert.throws(() => loadTargetsOf({ ...FLAGS, kind: ['order', 'web'], topic: ['a', 'b', 'c'] }), { code })
  assert.throws(() => loadTargetsOf({ ...FLAGS, topic: ['a', 'a'] }), { code })
  assert.throws(() => loadTargetsOf({ ...FLAGS, topic: ['a b'] }), {
    code,
    message: /--topic must consist of/,
  })
  assert.throws(() => loadTargetsOf({ ...FLAGS, kind: ['user', 'user'] }), { code })
})

test('a percentage of invalid records becomes every n-th record', () => {
  assert.equal(badEveryOf(FLAGS), undefined)
  assert.equal(badEveryOf({ ...FLAGS, badEvery: 1_000 }), 1_000)
  assert.equal(badEveryOf({ ...FLAGS, badPercent: 0.1 }), 1_000)
  assert.equal(badEveryOf({ ...FLAGS, badPercent: 100 }), 1)
  assert.equal(badEveryOf({ ...FLAGS, badPercent: 0 }), undefined)
})

test('the totals are one line, followed by a table if there are several topics', () => {
  const line =
    /^Sent 120,000 records to a in 24\.0 s: 5,000 per second, 27\.6 MB of values, 12 invalid on purpose, seed 7\n$/
  assert.match(formatLoadTotals(LOADED), line)
  const [topic] = LOADED.topics
  const text = formatLoadTotals({
    ...LOADED,
    topics: [topic, { ...topic, topic: 'b' }] as LoadTotals['topics'],
  })
  assert.match(
    text,
    /^Sent 120,000 records to 2 topics .*\ntopic +kind +partitions .*\na +user +4 +120000 +12 +27600000\nb /,
  )
  assert.equal(
    formatLoadProgress(LOADED, 4_999.6),
    '    24 s       120,000 records     5,000 per second     27.6 MB\n',
  )
})

test('without a terminal, a line is written per interval, with the rate of that interval', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const written: string[] = []
  let now = { ...LOADED, records: 0, seconds: 0 }
  const progress = showLoadProgress({ every: 10 }, () => now, { write: (text) => written.push(text) })
  for (const records of [50_000, 60_000]) {
    now = { ...now, records, seconds: now.seconds + 10 }
    t.mock.timers.tick(10_000)
  }
  progress.end()
  t.mock.timers.tick(60_000)
  assert.deepEqual(
    written.map((line) => /([\d,]+) per second/.exec(line)?.[1]),
    ['5,000', '1,000'],
  )
})

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `kafka-delta load`. Sends SIGINT once its standard error matches `signalAt`. */
async function load(args: readonly string[], signalAt?: RegExp): Promise<Ended> {
  const [command = 'node', ...before] = PROGRAM
  const env = { ...process.env, KAFKA_BOOTSTRAP_SERVERS: (await kafkaForTests()).join() }
  const child = spawn(command, [...before, 'load', ...args], { env })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (stdout += piece))
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    stderr += piece
    if (signalAt?.test(stderr) === true) child.kill('SIGINT')
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

test('a count over several topics is in Kafka as the totals say, compressed, spread evenly, the same for the same seed', async () => {
  const brokers = await kafkaForTests()
  const [first, second] = [nameForTests('load'), nameForTests('load')]
  const flags =
    '--partitions 3 --count 5001 --bad-every 100 --seed 9 --start 2026-03-01 --compression zstd --json'
  const { code, stdout, stderr } = await load([
    '-k',
    'user',
    '-k',
    'order',
    '-t',
    first,
    '-t',
    second,
    ...flags.split(' '),
  ])
  assert.equal(code, 0, stderr)
  const loaded = JSON.parse(stdout) as LoadTotals
  assert.equal(loaded.records, 5_001)
  assert.equal(loaded.bad, 50)
  assert.deepEqual(
    loaded.topics.map(({ records, partitions }) => [records, partitions]),
    [
      [2_501, 3],
      [2_500, 3],
    ],
  )
  const counts = [...(await readWatermarks({ brokers, clientId: 'test' }, first)).values()].map(
    ({ high }) => high,
  )
  assert.deepEqual(counts.sort(), [833n, 834n, 834n])
  const values = new Set<string>()
  for await (const { payload } of readTopic({ brokers, clientId: 'test', topic: second }))
    for (let record = 0; record < payload.count; record++)
      values.add(
        Buffer.from(payload.bytes.subarray(payload.valueStart[record], payload.valueEnd[record])).toString(
          'latin1',
        ),
      )
  // Events as they are generated without a rate.
  const events = SAMPLE_KINDS.order.events({
    seed: 10,
    count: 2_500,
    badEvery: 100,
    startMs: Date.UTC(2026, 2, 1),
    stepMs: 0.01,
    days: 3_650,
    traceparentEvery: 500,
  })
  const expected = new Set([...events].map(({ value }) => value.toString('latin1')))
  assert.equal(values.size, expected.size)
  assert.ok(
    [...expected].every((value) => values.has(value)),
    'each value is in Kafka as it was generated',
  )
})

test('SIGINT ends an unlimited load with its totals and exit code 0, and every counted record is in Kafka once', async () => {
  const brokers = await kafkaForTests()
  const topic = nameForTests('load')
  const flags = '--partitions 2 --rate 3000 --every 0.2 --json'
  const { code, stdout, stderr } = await load(['-t', topic, ...flags.split(' ')], /[1-9],\d{3} records/)
  assert.equal(code, 0, stderr)
  assert.match(stderr, / s +[\d,]+ records +[\d,]+ per second +[\d.]+ MB\n/)
  const { records } = JSON.parse(stdout) as LoadTotals
  const ends = await readWatermarks({ brokers, clientId: 'test' }, topic)
  assert.equal(Number([...ends.values()].reduce((sum, { high }) => sum + high, 0n)), records)
})

test('a missing topic and contradicting flags are reported with different exit codes', async () => {
  const [missing, contradicting] = await Promise.all([
    load(['-t', nameForTests('load'), '--count', '1']),
    load(['--bad-every', '5', '--bad-percent', '1']),
  ])
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /KD_TOPIC_MISSING/)
  assert.equal(contradicting.code, 2)
  assert.match(contradicting.stderr, /cannot be used with/)
})
