// Goal: while a disk takes no writes, the topics on it wait, say why and continue by themselves; other topics continue.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadConfig } from '../../config/load/load.ts'
import type { Circuit } from '../../src/core/circuit.ts'
import { Circuits } from '../../src/resilience/circuit-registry.ts'
import { Health } from '../../src/service/health/health.ts'
import { needsCircuit } from '../../src/service/health/server-outage.ts'
import { runTopics } from '../../src/service/supervision/run-topics.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { openStore } from '../../src/storage/open/open.ts'
import { faultyDisk } from '../support/flow/faulty-disk.ts'
import { LiveSource, LiveTopic } from '../support/flow/live-source.ts'
import { versionsOf } from '../support/values/table-rows.ts'

const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-full-'))
const contract = join(folder, 'ids.schema.json')
await writeFile(
  contract,
  JSON.stringify({ type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] }),
)
after(() => rm(folder, { recursive: true, force: true }))

const NAMES = ['first', 'second', 'elsewhere'] as const
const OPEN_MS = 300

const texts = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `{"id":${from + index}}`)

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 20_000
  while (!holds()) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Runs two topics on a disk and one elsewhere. */
function start(disk: string, other: string) {
  const uris = {
    first: join(disk, 'first'),
    second: join(disk, 'second'),
    elsewhere: join(other, 'elsewhere'),
  }
  const config = loadConfig({
    object: {
      kafka: { brokers: ['127.0.0.1:1'] },
      topics: Object.fromEntries(
        NAMES.map((name) => [
          name,
          {
            contract,
            kafkaColumns: true,
            table: { uri: uris[name] },
            flush: { count: 50, ageMs: 50 },
            retry: { attempts: 2, baseMs: 1, capMs: 10, deadlineMs: 500 },
          },
        ]),
      ),
    },
  })
  const abandoning = new AbortController()
  const circuits = new Circuits({ openMs: OPEN_MS }, { signal: abandoning.signal })
  const log = createLogger({ level: 'silent' })
  const health = new Health({
    stalledMs: 60_000,
    log,
    circuits: () => circuits.all(),
    needsCircuit: (topic, circuit) => needsCircuit(topic.config, circuit, config.storage),
  })
  const topics = Object.fromEntries(NAMES.map((name) => [name, new LiveTopic()]))
  const rows = new Map<string, number>()
  const stopping = new AbortController()
  const run = runTopics(config, {
    until: 'stopped',
    log,
    circuits,
    signal: stopping.signal,
    connectors: {
      source: (options) => new LiveSource(topics[options.topic] ?? new LiveTopic(), options),
      deadLetters: () => ({
        write: (found) => Promise.resolve({ written: found.length, skipped: 0 }),
        close: () => Promise.resolve(),
      }),
    },
    onOpen: (opened) => health.setTopics(opened),
    onCommit: ({ counts }, { name }) => rows.set(name, (rows.get(name) ?? 0) + counts.rows),
  })
  run.catch(() => undefined)
  const topicOf = (name: string) => {
    const found = health.topics.find((topic) => topic.name === name)
    assert.ok(found)
    return found
  }
  return {
    uris,
    circuits,
    push: (from: number, to: number) => {
      for (const name of NAMES) topics[name]?.push(texts(from, to))
    },
    has: (name: string, count: number) => (): boolean => rows.get(name) === count,
    state: (name: string) => health.stateOf(topicOf(name)),
    restarts: () => NAMES.map((name) => topicOf(name).status.restarts),
    readiness: () => health.readiness,
    abandon: () => abandoning.abort(),
    stop: async () => {
      stopping.abort()
      await run
    },
  }
}

async function assertWhole(uri: string, records: number): Promise<void> {
  const store = await openStore(uri)
  const found = (await versionsOf(store)).flatMap(({ rows }) => rows).sort()
  await store.close()
  assert.deepEqual(found, Array.from({ length: records }, (_, offset) => `0/${offset}`).sort())
  const names = await readdir(uri, { recursive: true })
  assert.deepEqual(
    names.filter((name) => name.endsWith('.tmp')),
    [],
    'partial files are removed',
  )
}

for (const [code, reason, bytesMax] of [
  ['ENOSPC', /the disk under .*first is full.*ENOSPC.*free space/, 0],
  // Small files still fit, such as commits and the first data file.
  ['ENOSPC', /is full/, 1_000],
  ['EDQUOT', /quota/, 0],
  ['EROFS', /read-only.*EROFS.*mount it writable/, 0],
  ['EACCES', /cannot be accessed.*EACCES.*permissions/, 0],
  ['EPERM', /cannot be accessed.*EPERM/, 0],
  ['EIO', /reports a fault.*EIO/, 0],
] as const) {
  test(`While writes fail with ${code} (above ${bytesMax} bytes), the topics on the disk wait without a restart; afterwards every row is there once`, async () => {
    const root = await mkdtemp(join(folder, `${code}-`))
    const disk = faultyDisk(join(root, 'disk'))
    const service = start(join(root, 'disk'), join(root, 'other'))
    try {
      service.push(0, 100)
      for (const name of NAMES) await until('the first rows', service.has(name, 100))
      disk.setFault(code, bytesMax)
      service.push(100, 300)
      await until('the rows elsewhere', service.has('elsewhere', 300))
      for (const name of ['first', 'second'])
        await until(`${name} to wait`, () => service.state(name) === 'waiting')
      assert.deepEqual([service.state('elsewhere'), service.readiness()], ['running', 'degraded'])
      // Contracts are read at once, so any of the tables may be opened first.
      const first = (): Circuit | undefined =>
        service.circuits.all().find(({ name }) => name === `file://${service.uris.first}`)
      await until('several trials', () => (first()?.openedCount ?? 0) >= 3)
      assert.match(first()?.reason ?? '', reason)
      assert.ok(disk.failures() < 40, `${disk.failures()} writes`)
      disk.setFault(undefined)
      service.push(300, 400)
      for (const name of NAMES) await until('all rows', service.has(name, 400))
      for (const name of NAMES) await until('the end of the outage', () => service.state(name) === 'running')
      assert.deepEqual(service.restarts(), [0, 0, 0])
    } finally {
      disk.restore()
    }
    await service.stop()
    for (const name of NAMES) await assertWhole(service.uris[name], 400)
  })
}

test('A table on a full disk is opened once there is space', async () => {
  const root = await mkdtemp(join(folder, 'start-'))
  const disk = faultyDisk(join(root, 'disk'))
  const service = start(join(root, 'disk'), join(root, 'other'))
  try {
    disk.setFault('ENOSPC')
    service.push(0, 100)
    await until('the topic to wait', () => service.state('first') === 'waiting')
    await until('the rows elsewhere', service.has('elsewhere', 100))
    disk.setFault(undefined)
    for (const name of NAMES) await until('all rows', service.has(name, 100))
    assert.deepEqual(service.restarts(), [0, 0, 0])
  } finally {
    disk.restore()
  }
  await service.stop()
})

test('A service that stops while its disk is full does not wait for space', async () => {
  const root = await mkdtemp(join(folder, 'stop-'))
  const disk = faultyDisk(join(root, 'disk'))
  const service = start(join(root, 'disk'), join(root, 'other'))
  try {
    service.push(0, 100)
    for (const name of NAMES) await until('the first rows', service.has(name, 100))
    disk.setFault('ENOSPC')
    service.push(100, 200)
    await until('the topic to wait', () => service.state('first') === 'waiting')
    service.abandon()
    // Records that were read and not committed are read again after the next start.
    await assert.rejects(service.stop(), { code: /^KD_STORE_(UNAVAILABLE|BLOCKED)$/ })
  } finally {
    disk.restore()
  }
})
