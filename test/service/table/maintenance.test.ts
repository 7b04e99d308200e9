import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import type { OptimizeConfig, VacuumConfig } from '../../../config/types.ts'
import type { Clock } from '../../../src/core/clock.ts'
import { Lane } from '../../../src/core/serial-queue.ts'
import type { StructType } from '../../../src/core/schema.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { type Maintenance, startMaintenance } from '../../../src/service/table/maintenance.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { dataFile, sortedRows } from '../../delta/rows-table.ts'
import { allCommits, operationOf, pathsOf } from '../../delta/table.ts'
import { structOf } from '../../support/flow/batches.ts'

const schema: StructType = structOf({ id: 'long' })

interface Line {
  readonly level: number
  readonly msg: string
  readonly code?: string
  readonly numRemovedFiles?: number
  readonly stopped?: boolean
  readonly files?: number
}

/** A log whose lines are kept, and which says when the next one is written. */
function keptLog(): { log: pino.Logger; lines: Line[]; next: () => Promise<Line> } {
  const lines: Line[] = []
  const waiting: ((line: Line) => void)[] = []
  const log = pino(
    { level: 'debug' },
    {
      write: (text: string) => {
        const line = JSON.parse(text) as Line
        lines.push(line)
        waiting.shift()?.(line)
      },
    },
  )
  return { log, lines, next: () => new Promise((resolve) => waiting.push(resolve)) }
}

/** A clock that stands still until it is told to go on. */
class StillClock implements Clock {
  #nowMs = 1_800_000_000_000
  readonly #sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>()

  now(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#sleepers.delete(sleeper)
        reject(new Error('aborted'))
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const sleeper = { atMs: this.#nowMs + ms, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', abort)
    })
  }

  async goOn(ms: number): Promise<void> {
    this.#nowMs += ms
    for (const sleeper of this.#sleepers) {
      if (sleeper.atMs > this.#nowMs) continue
      this.#sleepers.delete(sleeper)
      sleeper.wake()
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function assertLine(line: Line, expected: Readonly<Record<string, unknown>>): void {
  const all = line as unknown as Record<string, unknown>
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, all[name]])), expected)
}

interface Fixture {
  readonly store: Store
  readonly append: () => Promise<bigint>
  readonly clock: StillClock
  readonly lines: readonly Line[]
  readonly next: () => Promise<Line>
  readonly start: (
    policy: { optimize?: OptimizeConfig; vacuum?: VacuumConfig; maintenance?: 'service' | 'external' },
    options?: { isOurs?: () => boolean; lane?: Lane },
  ) => Promise<Maintenance>
}

async function fixture(store: Store = new MemoryStore()): Promise<Fixture> {
  const clock = new StillClock()
  const { log, lines, next } = keptLog()
  await createTable(store, { schema, partitionColumns: [] })
  const writer = await openTableWriter(store)
  let id = 0
  const append = async (): Promise<bigint> => {
    const outcome = await writer.append({
      adds: [await dataFile(store, schema, [{ id: id++ }], {})],
      txns: [],
      operationParameters: {},
      operationMetrics: {},
    })
    assert.ok(outcome.kind === 'committed')
    // Checkpoints are written beside.
    await writer.idle()
    return outcome.version
  }
  return {
    store,
    append,
    clock,
    lines,
    next,
    start: async (
      { optimize = {}, vacuum = {}, maintenance = 'service' },
      { isOurs = () => true, lane = new Lane() } = {},
    ) => {
      const { version } = await loadSnapshot(store)
      return startMaintenance({
        store,
        policy: { optimize, vacuum, maintenance, checkpointInterval: 10 },
        version,
        isOurs,
        lane,
        log,
        clock,
      })
    },
  }
}

test('Files are packed whenever the version passes a multiple of everyCommits, and one line says so', async () => {
  const { store, append, start, lines, next } = await fixture()
  await append()
  const maintenance = await start({ optimize: { everyCommits: 4 } })
  maintenance.committed(await append())
  maintenance.committed(await append())
  assert.equal(lines.length, 0)
  const line = next()
  maintenance.committed(await append())
  assertLine(await line, { level: 30, msg: 'Optimized', numRemovedFiles: 4, version: '5' })
  await maintenance.stop()
  assert.equal(lines.length, 1)
  assert.equal((await pathsOf((await loadSnapshot(store)).files())).length, 1)
  assert.equal((await sortedRows(store)).length, 4)
})

test('A multiple that versions of others jumped over counts too', async () => {
  const { append, start, next } = await fixture()
  const maintenance = await start({ optimize: { everyCommits: 3 } })
  await append()
  await append()
  await append()
  const line = next()
  maintenance.committed(await append())
  assert.equal((await line).numRemovedFiles, 4)
  await maintenance.stop()
})

test('A process whose turn it is not does nothing, and begins once it is', async () => {
  const { append, start, lines, next } = await fixture()
  const turn = { ours: false }
  const maintenance = await start({ optimize: { everyCommits: 2 } }, { isOurs: () => turn.ours })
  maintenance.committed(await append())
  maintenance.committed(await append())
  maintenance.committed(await append())
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(lines.length, 0)
  turn.ours = true
  const line = next()
  maintenance.committed(await append())
  assert.equal((await line).numRemovedFiles, 4)
  await maintenance.stop()
})

test('By time the first turn comes after a tenth of the pause, the others after the whole of it', async () => {
  const { append, start, clock, lines, next } = await fixture()
  await append()
  await append()
  const maintenance = await start({ optimize: { everyMs: 1_000 } })
  await clock.goOn(99)
  assert.equal(lines.length, 0)
  let line = next()
  await clock.goOn(1)
  assert.equal((await line).numRemovedFiles, 2)
  await append()
  await clock.goOn(999)
  assert.equal(lines.length, 1)
  line = next()
  await clock.goOn(1)
  assert.equal((await line).numRemovedFiles, 2)
  await maintenance.stop()
})

test('A pause longer than timers hold is waited for to its end', async () => {
  const { start, clock, lines, next } = await fixture()
  const everyMs = 400 * 86_400_000
  const maintenance = await start({ optimize: { everyMs } })
  for (let day = 1; day < 40; day++) await clock.goOn(86_400_000)
  assert.equal(lines.length, 0)
  const line = next()
  await clock.goOn(86_400_000)
  assert.equal((await line).numRemovedFiles, 0)
  await maintenance.stop()
})

test('Vacuum deletes what left the table before the retention', async () => {
  const { store, append, start, clock, next } = await fixture()
  const real = Date.now()
  await append()
  await append()
  const maintenance = await start({ optimize: { everyCommits: 3 }, vacuum: { everyMs: 1_000 } })
  let line = next()
  maintenance.committed(await append())
  assert.equal((await line).numRemovedFiles, 3)
  line = next()
  // Files of the fixture are as old as the machine's clock says.
  await clock.goOn(Math.max(real - clock.now(), 0) + 200 * 3_600_000)
  assertLine(await line, { level: 30, msg: 'Vacuumed', files: 3 })
  await maintenance.stop()
  assert.equal((await sortedRows(store)).length, 3)
})

test('What fails is a warning with its code, and tried again at the next turn', async () => {
  const fault = { armed: true }
  const store = new MemoryStore(`maintenance-${Math.random()}`, {
    fault: ({ operation, key }) =>
      fault.armed && operation === 'get' && key.endsWith('.parquet') ? 'lost' : undefined,
  })
  const { append, start, next } = await fixture(store)
  const maintenance = await start({ optimize: { everyCommits: 2 } })
  maintenance.committed(await append())
  let line = next()
  maintenance.committed(await append())
  assertLine(await line, { level: 40, code: 'KD_STORE_UNAVAILABLE' })
  fault.armed = false
  maintenance.committed(await append())
  line = next()
  maintenance.committed(await append())
  assertLine(await line, { level: 30, numRemovedFiles: 4 })
  await maintenance.stop()
})

test('A stop ends a run before its next file: nothing is replaced, nothing is left behind, and no run begins after it', async () => {
  const reads: string[] = []
  const gate = { open: (): void => undefined, reached: (): void => undefined }
  const reached = new Promise<void>((resolve) => (gate.reached = resolve))
  const opened = new Promise<void>((resolve) => (gate.open = resolve))
  const store = new MemoryStore(`maintenance-${Math.random()}`, {
    fault: async ({ operation, key }) => {
      if (operation !== 'get' || !key.endsWith('.parquet')) return undefined
      reads.push(key)
      gate.reached()
      await opened
      return undefined
    },
  })
  const { append, start, next } = await fixture(store)
  for (let file = 0; file < 3; file++) await append()
  const maintenance = await start({ optimize: { everyCommits: 4 } })
  const line = next()
  maintenance.committed(await append())
  await reached
  const stopped = maintenance.stop()
  gate.open()
  await stopped
  assertLine(await line, { msg: 'Optimized', stopped: true, numRemovedFiles: 0 })
  assert.equal(reads.length, 1)
  for (let file = 0; file < 4; file++) maintenance.committed(await append())
  assert.deepEqual(
    [...new Set((await allCommits(store)).map(operationOf))],
    ['CREATE TABLE', 'STREAMING UPDATE'],
  )
  let files = 0
  for await (const { key } of store.list('')) if (key.endsWith('.parquet') && !key.startsWith('_')) files++
  assert.equal(files, 8)
})

test('Tables of one process have their turns one after the other', async () => {
  const running = { now: 0, most: 0 }
  const slow = (): Store =>
    new MemoryStore(`maintenance-${Math.random()}`, {
      fault: async ({ operation, key }) => {
        if (operation !== 'get' || !key.endsWith('.parquet')) return undefined
        running.most = Math.max(running.most, ++running.now)
        await new Promise((resolve) => setImmediate(resolve))
        running.now--
        return undefined
      },
    })
  const lane = new Lane()
  const tables = await Promise.all([fixture(slow()), fixture(slow())])
  const all = await Promise.all(tables.map(({ start }) => start({ optimize: { everyCommits: 2 } }, { lane })))
  const lines = tables.map(({ next }) => next())
  for (const [at, { append }] of tables.entries()) {
    all[at]?.committed(await append())
    all[at]?.committed(await append())
  }
  assert.deepEqual(
    (await Promise.all(lines)).map(({ numRemovedFiles }) => numRemovedFiles),
    [2, 2],
  )
  assert.equal(running.most, 1)
  await Promise.all(all.map((maintenance) => maintenance.stop()))
})

test('The log is cleaned up at a checkpoint, unless somebody else keeps the table', async () => {
  for (const kept of ['external', 'service'] as const) {
    const { store, append, start, lines, next } = await fixture()
    const maintenance = await start({ maintenance: kept })
    for (let version = 1; version < 10; version++) maintenance.committed(await append())
    const line = next()
    maintenance.committed(await append())
    if (kept === 'service') assertLine(await line, { level: 30, msg: 'Log cleaned up', checkpoint: '10' })
    await maintenance.stop()
    assert.equal(lines.length, kept === 'service' ? 1 : 0)
    assert.equal((await loadSnapshot(store)).version, 10n)
    const keys: string[] = []
    for await (const { key } of store.list('_delta_log/')) keys.push(key)
    assert.equal(keys.includes('_delta_log/00000000000000000000.json'), kept === 'external')
    assert.ok(
      keys.some((key) => key.endsWith('10.checkpoint.parquet')),
      'checkpoints go on',
    )
  }
})

test('Small files are packed when somebody asks, whosever turn it is; who asks once more meanwhile waits for the same run', async () => {
  const { store, append, start, lines } = await fixture()
  await append()
  await append()
  const maintenance = await start({}, { isOurs: () => false })
  await Promise.all([maintenance.optimize(), maintenance.optimize()])
  assert.equal((await pathsOf((await loadSnapshot(store)).files())).length, 1)
  assert.equal(lines.length, 1)
  await maintenance.stop()
  await assert.rejects(maintenance.optimize(), { code: 'KD_COMMAND_INVALID' })
})
