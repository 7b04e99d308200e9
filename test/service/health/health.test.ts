import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Circuit } from '../../../src/core/circuit.ts'
import type { PartitionStatus } from '../../../src/kafka/source/source-options.ts'
import { Health } from '../../../src/service/health/health.ts'
import type { TopicRun } from '../../../src/service/topic/topic-run.ts'
import { createLogger } from '../../../src/telemetry/log.ts'

interface Line {
  readonly level: string
  readonly msg: string
  readonly notRunning?: number
  readonly topics?: readonly { readonly topic: string; readonly state: string; readonly next?: string }[]
}

/** A process whose topics have changeable states. */
function processOf(topics: number) {
  const clock = { nowMs: 1_000_000, now: () => clock.nowMs, sleep: () => Promise.resolve() }
  const circuits: Circuit[] = []
  const lines: Line[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Line)
  const statuses = Array.from({ length: topics }, () => ({
    state: 'running',
    isJoining: true,
    partitions: (): readonly PartitionStatus[] => [],
    inFlight: () => ({ bufferedBytes: 0, flushes: [] }),
  }))
  const runs = statuses.map(
    (status, index) =>
      ({
        name: `t${index}`,
        topic: `t${index}`,
        config: { deadLetters: { mode: 'skip' } },
        status,
      }) as unknown as TopicRun,
  )
  const health = new Health({
    stalledMs: 60_000,
    clock,
    log: createLogger({ level: 'info', pretty: false, destination: { write } }),
    circuits: () => circuits,
    needsCircuit: () => true,
  })
  health.setTopics(runs)
  return { clock, circuits, lines, statuses, runs, health }
}

test('A process is ready once the consumer of each topic has joined its group, and stays ready when a topic joins later', () => {
  const { statuses, health, runs } = processOf(2)
  const [first, second] = statuses
  assert.ok(first !== undefined && second !== undefined)
  assert.equal(health.readiness, 'starting')
  first.isJoining = false
  assert.equal(health.readiness, 'starting')
  second.isJoining = false
  assert.equal(health.readiness, 'ready')
  health.setTopics([...runs, ...processOf(3).runs.slice(2)])
  assert.equal(health.readiness, 'degraded')
})

test('The line about readiness names five topics with their servers, codes and next trials, and counts the others', () => {
  const { circuits, clock, lines, statuses, health } = processOf(7)
  for (const status of statuses) status.isJoining = false
  health.check()
  circuits.push({
    ...{ kind: 'store', name: 's3://lake', state: 'open', sinceMs: 999_000, openedCount: 1, retries: 4 },
    ...{ reason: 'refused', code: 'KD_STORE_UNAVAILABLE', trialAtMs: 1_060_000 },
  })
  health.check()
  const [ready, unavailable] = lines
  assert.deepEqual([ready?.level, ready?.msg], ['info', 'Ready'])
  assert.equal(unavailable?.level, 'warn')
  assert.match(
    unavailable.msg,
    /^Not ready: every topic waits for a server: t0 is waiting for s3:\/\/lake since 00:16:40: s3:\/\/lake: refused \(KD_STORE_UNAVAILABLE\); .*; and 2 more$/,
  )
  assert.deepEqual([unavailable.topics?.length, unavailable.notRunning], [5, 7])
  assert.match(unavailable.topics?.[0]?.next ?? '', /sent at 1970-01-01T00:17:40/)
  clock.nowMs += 5_000
  const [first] = statuses
  if (first !== undefined) first.state = 'paused'
  circuits.length = 0
  health.check()
  assert.deepEqual(lines.at(-1)?.msg, 'Ready')
})

test('A topic whose brokers are all gone waits, one that misses some of its partitions runs and says which', () => {
  const { clock, health, runs, statuses } = processOf(1)
  const [[run], [status]] = [runs, statuses]
  assert.ok(run !== undefined && status !== undefined)
  status.isJoining = false
  const obstacle = { sinceMs: clock.nowMs, reason: 'broker 2 at b:9092 does not answer' }
  const read = { partition: 0, live: true, next: 0n, committed: undefined, end: 0n }
  status.partitions = () => [read, { ...read, partition: 1, obstacle }]
  assert.equal(health.listed(run).reason, undefined)
  clock.nowMs += 6_001
  const { state, reason } = health.listed(run)
  assert.deepEqual(
    [state, reason],
    ['running', '1 of 2 partitions (1) cannot be read: broker 2 at b:9092 does not answer'],
  )
  assert.equal(health.readiness, 'ready')
  status.partitions = () => [{ ...read, obstacle }]
  assert.deepEqual(
    [health.readiness, health.listed(run).since],
    ['unavailable', new Date(1_000_000).toISOString()],
  )
})

test('A topic that is read only in part is told in one line, and in another when it is read as a whole again', () => {
  const { clock, health, lines, statuses } = processOf(1)
  const [status] = statuses
  assert.ok(status !== undefined)
  status.isJoining = false
  const read = { partition: 0, live: true, next: 0n, committed: undefined, end: 0n }
  const obstacle = { sinceMs: clock.nowMs, reason: 'it has no leader' }
  status.partitions = () => [read, { ...read, partition: 1, obstacle }]
  clock.nowMs += 6_001
  for (let check = 0; check < 3; check++) health.check()
  status.partitions = () => [read]
  for (let check = 0; check < 3; check++) health.check()
  const told = lines.filter(({ msg }) => /read/.test(msg) && !/^Ready/.test(msg)).map(({ msg }) => msg)
  assert.deepEqual(told, [
    'The topic is read only in part: 1 of 2 partitions (1) cannot be read: it has no leader',
    'The topic is read as a whole again',
  ])
})
