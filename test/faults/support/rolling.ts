import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { readWatermarks } from '../../kafka/watermarks.ts'
import { startWorker, type Worker } from '../../integrity/support/worker.ts'
import { nameForTests } from '../../support/servers/servers.ts'
import { droppedFlushes, movedSince, ownedNow } from './ownership.ts'
import { assertExact, BUDGET_BYTES, topicOf, type Setting } from './scenario.ts'
import { startSteadyLoad, type SteadyLoad } from './steady-load.ts'
import { longestGapMs, TableLog } from './table-log.ts'

const WAIT_MS_MAX = 120_000
/** Time between commits of a partition in which nothing is paused: a flush takes this long to form. */
const FLUSH_MS = 500
const CALM_MS = 5_000
/** Longer than any restart, also on a machine that does a lot besides. */
const SESSION_MS = 120_000

/** Properties of a broker for sessions as long with KIP-848. */
export const LONG_SESSIONS = {
  'group.consumer.session.timeout.ms': String(SESSION_MS),
  'group.consumer.max.session.timeout.ms': String(SESSION_MS),
}

/** How the workers take part in their group, and how they are restarted. */
export interface RollingOptions {
  readonly brokers: string[]
  readonly protocol: 'classic' | 'consumer'
  /** Whether the workers have instance ids. */
  readonly isStatic: boolean
  readonly workers: number
  readonly partitions: number
  readonly signals: readonly ('SIGTERM' | 'SIGKILL')[]
  /** Longest pause of a partition that does not move, and longest time from a start to the first row, in milliseconds. */
  readonly pauseMsMax?: number
  readonly startMsMax?: number
}

/**
 * The workers of a group are restarted one by one under load. Partitions that do not move keep their flushes; those of a
 * static member do not move at all, whether it is stopped or killed; and in the end the table is exact.
 */
export async function rollingRestart(setting: Setting & RollingOptions): Promise<void> {
  const { brokers, rate, seed, say, folder, partitions, protocol, isStatic } = setting
  const topic = nameForTests(`rolling-${protocol}`)
  await createTopic({ brokers, clientId: 'faults' }, topic, { partitions })
  const perSend = Math.max(1, Math.round(rate / (partitions * 20)))
  const load = await startSteadyLoad(brokers, topic, { partitions, perSend, seed })
  const uri = join(folder, topic)
  const log = new TableLog(uri)
  const start = async (index: number): Promise<Worker> => {
    const config = {
      log: { level: 'debug' },
      kafka: {
        ...{ brokers, groupId: topic, groupProtocol: protocol, heartbeatMs: 1_000 },
        ...(isStatic ? { groupInstanceId: `w${index}`, sessionTimeoutMs: SESSION_MS } : {}),
      },
      budget: { bytes: BUDGET_BYTES },
      topics: { events: topicOf(topic, uri, { flush: { ageMs: FLUSH_MS } }) },
    }
    const path = join(folder, `${topic}-${index}.json`)
    await writeFile(path, JSON.stringify(config))
    return startWorker(setting.program, ['run', '--config', path], { KAFKA_BOOTSTRAP_SERVERS: '' })
  }
  const workers: Worker[] = []
  try {
    for (let index = 0; index < setting.workers; index++) workers.push(await start(index))
    await settledGroup(workers, partitions)
    await inTable(load, log)
    await load.sendBad()
    const calmMs = Date.now()
    await sleep(CALM_MS)
    const calm = [...(await log.commits()).values()].map((each) => longestGapMs(each, calmMs, Date.now()))
    say(
      `  ${protocol}, ${isStatic ? 'with' : 'without'} instance ids; at rest at most ${Math.max(...calm)} ms between commits:`,
    )
    for (const signal of setting.signals)
      for (let index = 0; index < workers.length; index++)
        await restartOne({ ...setting, workers, load, log, start: () => start(index) }, index, signal)
    await load.sendBad()
    await load.stop()
    // Not by a run with `--until latest`: static members that are away keep their partitions.
    const ends = await readWatermarks({ brokers, clientId: 'faults' }, topic)
    await isCommitted(log, new Map([...ends].map(([partition, { high }]) => [partition, high - 1n])))
    for (const worker of workers) worker.kill('SIGTERM')
    for (const worker of workers) assert.equal(await worker.ended, 0, worker.lines.slice(-15).join('\n'))
    await assertExact(setting, { brokers, topic, uri })
  } finally {
    for (const worker of workers) worker.kill('SIGKILL')
    await load.stop().catch(() => undefined)
  }
}

/** Ends one worker and starts it again; resolves once records that were acknowledged after that are in the table. */
async function restartOne(
  run: Setting &
    Omit<RollingOptions, 'workers'> & {
      readonly workers: Worker[]
      readonly load: SteadyLoad
      readonly log: TableLog
      readonly start: () => Promise<Worker>
    },
  index: number,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<void> {
  const { workers, load, log, isStatic, partitions } = run
  const old = workers[index] ?? assert.fail()
  const had = ownedNow(old)
  const beganMs = Date.now()
  old.kill(signal)
  const code = await old.ended
  if (signal === 'SIGTERM') assert.equal(code, 0, old.lines.slice(-15).join('\n'))
  const endedMs = Date.now()
  const worker = await run.start()
  workers[index] = worker
  await settledGroup(workers, partitions)
  await inTable(load, log)
  const nowMs = Date.now()
  const others = workers.filter((one) => one !== worker)
  const moved = new Set([...had, ...others.flatMap((one) => [...movedSince(one, beganMs)])])
  const commits = await log.commits()
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const stayed = all.filter((partition) => !moved.has(partition))
  const gaps = stayed.map((partition) => longestGapMs(commits.get(partition) ?? [], beganMs, nowMs))
  const first = Math.min(
    ...[...ownedNow(worker)].map(
      (partition) => commits.get(partition)?.find(({ atMs }) => atMs > endedMs)?.atMs ?? Infinity,
    ),
  )
  const loggedMs = timeOf(worker.lines[0] ?? '{}')
  run.say(
    `    ${signal} of worker ${index}: first rows ${first - endedMs} ms after its start, ${first - loggedMs} ms after its first line; ${stayed.length} of ${partitions} partitions stayed, at most ${Math.max(0, ...gaps)} ms between their commits`,
  )
  for (const one of [...others, old]) assert.deepEqual(droppedFlushes(one), [], 'no flush is thrown away')
  if (isStatic) {
    for (const one of others)
      assert.deepEqual(
        [...movedSince(one, beganMs)],
        [],
        [one, old, worker].map((each) => groupLines(each, beganMs)).join('\n'),
      )
    assert.deepEqual([...ownedNow(worker)].sort(), [...had].sort(), 'it has its partitions again')
    assert.ok(
      first - endedMs <= (run.startMsMax ?? Infinity),
      `rows flow ${first - endedMs} ms after its start`,
    )
  }
  const pauseMs = Math.max(0, ...gaps) - FLUSH_MS
  assert.ok(pauseMs <= (run.pauseMsMax ?? Infinity), `partitions that stay are paused for ${pauseMs} ms`)
}

function timeOf(line: string): number {
  return Date.parse((JSON.parse(line) as { readonly time: string }).time)
}

/** What the log of a worker says of its group since a time. */
function groupLines({ lines }: Worker, sinceMs: number): string {
  const found = lines.filter((line) => line.includes('"Consumer group"') && timeOf(line) >= sinceMs)
  return `nothing moves, from ${new Date(sinceMs).toISOString()}:\n${found.slice(-30).join('\n')}`
}

/** Waits until the workers own all partitions, each once, with even loads. */
async function settledGroup(workers: readonly Worker[], partitions: number): Promise<void> {
  const untilMs = Date.now() + WAIT_MS_MAX
  for (;;) {
    const owned = workers.map((worker) => ownedNow(worker))
    const sizes = owned.map(({ size }) => size)
    const isShared =
      new Set(owned.flatMap((each) => [...each])).size === partitions &&
      sizes.reduce((sum, size) => sum + size, 0) === partitions
    if (isShared && Math.max(...sizes) - Math.min(...sizes) <= 1) return
    const lines = workers.map((worker) => worker.lines.slice(-8).join('\n')).join('\n---\n')
    assert.ok(Date.now() < untilMs, `the group is shared, got ${sizes.join()}\n${lines}`)
    await sleep(50)
  }
}

/** Waits until records that are sent from now on are in the table. */
async function inTable(load: SteadyLoad, log: TableLog): Promise<void> {
  await isCommitted(log, await load.acknowledged())
}

/** Waits until these offsets are in the table. */
async function isCommitted(log: TableLog, offsets: ReadonlyMap<number, bigint>): Promise<void> {
  const untilMs = Date.now() + WAIT_MS_MAX
  for (const [partition, offset] of offsets) {
    while ((await log.last(partition)) < offset) {
      assert.ok(Date.now() < untilMs, `offset ${offset} of partition ${partition} is in the table`)
      await sleep(50)
    }
  }
}
