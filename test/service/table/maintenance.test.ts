import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import type { OptimizeConfig, VacuumConfig } from '../../../config/types.ts'
import type { Clock } from '../../../src/core/clock.ts'
import { SerialQueue } from '../../../src/core/serial-queue.ts'
import type { StructType } from '../../../src/core/schema.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { type TableMaintenance, startTableMaintenance } from '../../../src/service/table/maintenance.ts'
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

/** Creates a log that keeps its lines and can await the next one. */
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

/** A clock that advances only when the test says so. */
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
    options?: { isOurs?: () => boolean; lane?: SerialQueue },
  ) => Promise<TableMaintenance>
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
    // Checkpoints are written in the background.
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
      { isOurs = () => true, lane = new SerialQueue() } = {},
    ) => {
      const { version } = await loadSnapshot(store)
      return startTableMaintenance({
        store,
        policy: { optimize, vacuum, maintenance, checkpointInterval: 10 },
        version,
        checkTable: () => writer.txns(),
        isOurTurn: isOurs,
        queue: lane,
        log,
        clock,
      })
    },
  }
}

test('Files are compacted whenever the version passes a multiple of everyCommits, with one log line', async () => {
  const { store, append, start, lines, next } = await fixture()
  await append()
  const maintenance = await start({ optimize: { everyCommits: 4 } })
  maintenance.onCommit(await append())
  maintenance.onCommit(await append())
  assert.equal(lines.length, 0)
  const line = next()
  maintenance.onCommit(await append())
  assertLine(await line, { level: 30, msg: 'Table optimized', numRemovedFiles: 4, version: '5' })
  await maintenance.stop()
  assert.equal(lines.length, 1)
  assert.equal((await pathsOf((await loadSnapshot(store)).files())).length, 1)
  assert.equal((await sortedRows(store)).length, 4)
})

test('A multiple that versions of other writers skipped counts too', async () => {
  const { append, start, next } = await fixture()
  const maintenance = await start({ optimize: { everyCommits: 3 } })
  await append()
  await append()
  await append()
  const line = next()
  maintenance.onCommit(await append())
  assert.equal((await line).numRemovedFiles, 4)
  await maintenance.stop()
})

test('A process that does not hold the turn does nothing, and starts once it does', async () => {
  const { append, start, lines, next } = await fixture()
  const turn = { ours: false }
  const maintenance = await start({ optimize: { everyCommits: 2 } }, { isOurs: () => turn.ours })
  maintenance.onCommit(await append())
  maintenance.onCommit(await append())
  maintenance.onCommit(await append())
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(lines.length, 0)
  turn.ours = true
  const line = next()
  maintenance.onCommit(await append())
  assert.equal((await line).numRemovedFiles, 4)
  await maintenance.stop()
})

test('The first timed run comes after a tenth of the interval, later ones after the full interval', async () => {
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

test('An interval beyond the maximum of a timer is waited for in full', async () => {
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

test('Vacuum deletes files that left the table before the retention period', async () => {
  const { store, append, start, clock, next } = await fixture()
  const real = Date.now()
  await append()
  await append()
  const maintenance = await start({ optimize: { everyCommits: 3 }, vacuum: { everyMs: 1_000 } })
  let line = next()
  maintenance.onCommit(await append())
  assert.equal((await line).numRemovedFiles, 3)
  line = next()
  // Files of the fixture have ages by the machine's clock.
  await clock.goOn(Math.max(real - clock.now(), 0) + 200 * 3_600_000)
  assertLine(await line, { level: 30, msg: 'Table vacuumed', files: 3 })
  await maintenance.stop()
  assert.equal((await sortedRows(store)).length, 3)
})

test('A failed run is a warning with its code, and is tried again when next due', async () => {
  const fault = { armed: true }
  const store = new MemoryStore(`maintenance-${Math.random()}`, {
    fault: ({ operation, key }) =>
      fault.armed && operation === 'get' && key.endsWith('.parquet') ? 'lost' : undefined,
  })
  const { append, start, next } = await fixture(store)
  const maintenance = await start({ optimize: { everyCommits: 2 } })
  maintenance.onCommit(await append())
  let line = next()
  maintenance.onCommit(await append())
  assertLine(await line, { level: 40, code: 'KD_STORE_UNAVAILABLE' })
  fault.armed = false
  maintenance.onCommit(await append())
  line = next()
  maintenance.onCommit(await append())
  assertLine(await line, { level: 30, numRemovedFiles: 4 })
  await maintenance.stop()
})

test('A run that compacts nothing because a data file is missing has failed', async () => {
  const { store, append, start, next } = await fixture()
  const maintenance = await start({ optimize: { everyCommits: 2 } })
  maintenance.onCommit(await append())
  for (const path of await pathsOf((await loadSnapshot(store)).files())) await store.delete(path)
  const line = next()
  maintenance.onCommit(await append())
  assertLine(await line, { level: 40, code: 'KD_COMMIT_CONFLICT' })
  await assert.rejects(maintenance.optimize(), /no small files were compacted: .*a data file is missing/)
  await maintenance.stop()
})

test('A stop ends a run before its next file: no file is replaced or orphaned, and no run starts afterwards', async () => {
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
  maintenance.onCommit(await append())
  await reached
  const stopped = maintenance.stop()
  gate.open()
  await stopped
  assertLine(await line, { msg: 'Table optimized', stopped: true, numRemovedFiles: 0 })
  assert.equal(reads.length, 1)
  for (let file = 0; file < 4; file++) maintenance.onCommit(await append())
  assert.deepEqual(
    [...new Set((await allCommits(store)).map(operationOf))],
    ['CREATE TABLE', 'STREAMING UPDATE'],
  )
  let files = 0
  for await (const { key } of store.list('')) if (key.endsWith('.parquet') && !key.startsWith('_')) files++
  assert.equal(files, 8)
})

test('Runs for the tables of one process come one after the other', async () => {
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
  const lane = new SerialQueue()
  const tables = await Promise.all([fixture(slow()), fixture(slow())])
  const all = await Promise.all(tables.map(({ start }) => start({ optimize: { everyCommits: 2 } }, { lane })))
  const lines = tables.map(({ next }) => next())
  for (const [at, { append }] of tables.entries()) {
    all[at]?.onCommit(await append())
    all[at]?.onCommit(await append())
  }
  assert.deepEqual(
    (await Promise.all(lines)).map(({ numRemovedFiles }) => numRemovedFiles),
    [2, 2],
  )
  assert.equal(running.most, 1)
  await Promise.all(all.map((maintenance) => maintenance.stop()))
})

test('Expired log files are deleted after a checkpoint, unless maintenance is external', async () => {
  for (const kept of ['external', 'service'] as const) {
    const { store, append, start, lines, next } = await fixture()
    const maintenance = await start({ maintenance: kept })
    for (let version = 1; version < 10; version++) maintenance.onCommit(await append())
    const line = next()
    maintenance.onCommit(await append())
    if (kept === 'service')
      assertLine(await line, { level: 30, msg: 'Expired log files deleted', checkpoint: '10' })
    await maintenance.stop()
    assert.equal(lines.length, kept === 'service' ? 1 : 0)
    assert.equal((await loadSnapshot(store)).version, 10n)
    const keys: string[] = []
    for await (const { key } of store.list('_delta_log/')) keys.push(key)
    assert.equal(keys.includes('_delta_log/00000000000000000000.json'), kept === 'external')
    assert.ok(
      keys.some((key) => key.endsWith('10.checkpoint.parquet')),
      'checkpoints continue',
    )
  }
})

test('Small files are compacted on request, regardless of the turn; a second request joins the same run', async () => {
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

test('A table that took the place of another is not maintained', async () => {
  const { store, append, start, lines, next } = await fixture()
  await append()
  const maintenance = await start({ optimize: { everyCommits: 3 } })
  await append()
  const version = await append()
  for await (const { key } of store.list('_delta_log/')) await store.delete(key)
  await createTable(store, { schema, partitionColumns: [] })
  const line = next()
  maintenance.onCommit(version)
  assertLine(await line, { level: 40, code: 'KD_TABLE_REPLACED' })
  await maintenance.stop()
  assert.equal(lines.length, 1)
  assert.deepEqual((await allCommits(store)).map(operationOf), ['CREATE TABLE'])
})
