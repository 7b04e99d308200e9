// Goal: the topics of one process are independent: one that fails, waits or is paused does not affect the others.
import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import type { Config } from '../../../config/types.ts'
import { Budget, type BudgetMember } from '../../../src/core/credit/budget.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { TablePool } from '../../../src/service/table/table-pool.ts'
import type { TopicConnectors } from '../../../src/service/topic/topic.ts'
import type { TopicRun } from '../../../src/service/topic/topic-run.ts'
import { runTopics, type RunOptions } from '../../../src/service/supervision/run-topics.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { LiveSource, LiveTopic } from '../../support/flow/live-source.ts'

let folder = ''
let contract = ''
let runs = 0

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kafka-delta-supervision-'))
  contract = join(folder, 'contract.json')
  await writeFile(contract, '{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}}}')
})
after(() => rm(folder, { recursive: true, force: true }))

const records = (count: number): string[] => Array.from({ length: count }, (_, id) => `{"id":${id}}`)

/** Topics in memory and the process that runs them. */
interface Bench {
  readonly config: Config
  readonly topics: Readonly<Record<string, LiveTopic>>
  readonly rows: Map<string, number>
  readonly lines: string[]
  /** The array that `onOpen` received. */
  readonly live: () => readonly TopicRun[]
  readonly run: (name: string) => TopicRun
  readonly carry: (options?: Partial<RunOptions>) => Promise<unknown>
}

function bench(options: Readonly<Record<string, object>>, service: object = {}): Bench {
  const root = join(folder, String(++runs))
  const names = Object.keys(options)
  const entries = names.map((name) => [
    name,
    { contract, table: { uri: join(root, name) }, flush: { ageMs: 50 }, ...options[name] },
  ])
  const config = loadConfig({
    object: {
      kafka: { brokers: ['127.0.0.1:1'] },
      ...service,
      topics: Object.fromEntries(entries) as object,
    },
  })
  const topics = Object.fromEntries(names.map((name) => [name, new LiveTopic()]))
  const rows = new Map<string, number>()
  const lines: string[] = []
  let live: readonly TopicRun[] = []
  const log = createLogger({
    level: 'info',
    pretty: false,
    destination: { write: (line) => void lines.push(line) },
  })
  return {
    config,
    topics,
    rows,
    lines,
    live: () => live,
    run: (name) => {
      const found = live.find((each) => each.name === name)
      assert.ok(found !== undefined, `${name} is carried`)
      return found
    },
    carry: (more = {}) =>
      runTopics(config, {
        until: 'latest',
        log,
        connectors: endsOf(topics),
        onOpen: (opened) => (live = [...opened]),
        onCommit: ({ counts }, { name }) => rows.set(name, (rows.get(name) ?? 0) + counts.rows),
        ...more,
      }),
  }
}

function endsOf(
  topics: Readonly<Record<string, LiveTopic>>,
  write?: TopicConnectors['deadLetters'],
): TopicConnectors {
  return {
    source: (options) => new LiveSource(topics[options.topic] ?? new LiveTopic(), options),
    deadLetters:
      write ??
      (() => ({
        write: (found) => Promise.resolve({ written: found.length, skipped: 0 }),
        close: () => Promise.resolve(),
      })),
  }
}

async function waitFor(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 60_000
  while (!holds()) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const stops = { deadLetters: { mode: 'stop' } }

test('A topic that fails permanently does not affect the others, stays visible, and its error ends the process after them', async () => {
  const { topics, rows, lines, run, carry } = bench({ good: {}, bad: stops })
  topics['bad']?.push(['no json'])
  topics['good']?.push(records(1_000))
  const stopping = new AbortController()
  const running = carry({ until: 'stopped', signal: stopping.signal })
  running.catch(() => undefined)
  await waitFor('the failure', () => run('bad').status.state === 'failed')
  assert.equal(run('bad').status.failure?.code, 'KD_DEAD_LETTER')
  assert.equal(run('bad').status.failure?.retryAtMs, undefined)
  await assert.rejects(run('bad').control.flush(), { code: 'KD_COMMAND_INVALID' })
  const isLogged = (line: string): boolean => line.includes('no longer read; the others continue')
  assert.equal(lines.filter(isLogged).length, 1)
  topics['good']?.push(records(1_000))
  await waitFor('what came after the failure', () => rows.get('good') === 2_000)
  assert.equal(run('good').status.state, 'running')
  stopping.abort()
  await assert.rejects(running, { code: 'KD_DEAD_LETTER' })
})

test('The ends in Kafka and the offsets in the table are known of each topic, also after it failed, until the process ends', async () => {
  const { topics, rows, run, carry } = bench({ good: {}, bad: stops })
  topics['good']?.push(records(1_000))
  let wanted: () => readonly string[] = () => []
  let isClosed = false
  const stopping = new AbortController()
  const running = carry({
    until: 'stopped',
    signal: stopping.signal,
    connectors: {
      ...endsOf(topics),
      endOffsets: (_kafka, options) => {
        wanted = options.topics
        return {
          of: (topic) => new Map([[0, topic === 'good' ? 1_500n : 7n]]),
          close: () => {
            isClosed = true
            return Promise.resolve()
          },
        }
      },
    },
  })
  running.catch(() => undefined)
  await waitFor('the rows', () => rows.get('good') === 1_000)
  const position = { partition: 0, live: false, next: 0n }
  assert.deepEqual(run('good').status.partitions(), [{ ...position, committed: 999n, end: 1_500n }])
  topics['bad']?.push(['no json'])
  await waitFor('the failure', () => run('bad').status.state === 'failed')
  assert.deepEqual(run('bad').status.partitions(), [{ ...position, committed: undefined, end: 7n }])
  assert.deepEqual(wanted(), ['good', 'bad'])
  assert.equal(isClosed, false)
  stopping.abort()
  await assert.rejects(running, { code: 'KD_DEAD_LETTER' })
  assert.equal(isClosed, true)
})

test('The failure of the last topic ends the process, and each failure is logged', async () => {
  const { topics, lines, carry } = bench({ one: stops, other: stops })
  for (const topic of Object.values(topics)) topic.push(['no json'])
  await assert.rejects(carry({ until: 'stopped' }), { code: 'KD_DEAD_LETTER' })
  assert.equal(lines.filter((line) => line.includes('no longer read; the others continue')).length, 1)
  assert.equal(lines.filter((line) => line.includes('The last running topic failed')).length, 1)
})

test('With stop-process a failing topic stops the others, which commit what they hold', async () => {
  for (const [service, own] of [
    [{ onFailure: 'stop-process' }, {}],
    [{}, { onFailure: 'stop-process' }],
  ] as const) {
    const flush = { flush: { ageMs: 3_600_000 } }
    const { topics, rows, live, carry } = bench({ good: flush, bad: { ...stops, ...own } }, service)
    topics['good']?.push(records(100))
    const running = carry({ until: 'stopped' })
    running.catch(() => undefined)
    await waitFor('the buffered batch', () => (live()[0]?.status.buffered().bytes ?? 0) > 0)
    topics['bad']?.push(['no json'])
    await assert.rejects(running, { code: 'KD_DEAD_LETTER' })
    assert.equal(rows.get('good'), 100)
  }
})

test('A retryable failure restarts the topic from its table: no row is lost or duplicated', async () => {
  const restart = { attempts: 4, baseMs: 2, capMs: 4 }
  const { config, topics, rows, lines, carry } = bench({
    shaky: { restart, flush: { ageMs: 50, count: 400 } },
  })
  const values = records(2_000).map((value, index) => (index % 500 === 499 ? 'no json' : value))
  topics['shaky']?.push(values)
  let failures = 6
  const deadLetters: TopicConnectors['deadLetters'] = () => ({
    write: (found) => {
      // Every second time: the commit in between resets the count.
      if (failures-- > 0 && failures % 2 === 1)
        return Promise.reject(
          new PipelineError('KD_DEAD_LETTERS_FAILED', 'expected the brokers to take them'),
        )
      return Promise.resolve({ written: found.length, skipped: 0 })
    },
    close: () => Promise.resolve(),
  })
  await carry({ connectors: endsOf(topics, deadLetters) })
  assert.equal(rows.get('shaky'), 1_996)
  assert.equal(lines.filter((line) => line.includes('restarts from its table')).length, 3)
  const store = await openStore(config.topics['shaky']?.table.uri ?? '', config.storage)
  const { txns } = await loadSnapshot(store)
  assert.equal(txns.get('kafka-delta-shaky-0')?.version, 1_999n)
  await store.close()
})

test('Consecutive failures without a commit are counted, and the last one ends the topic', async () => {
  const restart = { attempts: 3, baseMs: 1, capMs: 1 }
  const { topics, lines, run, carry } = bench({ broken: { restart } })
  topics['broken']?.push(['no json'])
  const deadLetters: TopicConnectors['deadLetters'] = () => ({
    write: () => Promise.reject(new PipelineError('KD_DEAD_LETTERS_FAILED', 'expected them to be taken')),
    close: () => Promise.resolve(),
  })
  await assert.rejects(carry({ connectors: endsOf(topics, deadLetters) }), { code: 'KD_DEAD_LETTERS_FAILED' })
  assert.equal(lines.filter((line) => line.includes('restarts from its table')).length, 2)
  assert.deepEqual([run('broken').status.state, run('broken').status.restarts], ['failed', 2])
})

test('A run up to the end offsets ends with the error of an outage that lasts', async () => {
  const { run, carry } = bench({ events: { restart: { attempts: 3, baseMs: 1, capMs: 1 } } })
  let opens = 0
  const tables = new TablePool(() => {
    // Another error ends a run that has no limit.
    const code = ++opens > 10 ? 'KD_STORE_FAILED' : 'KD_STORE_UNAVAILABLE'
    return Promise.reject(new PipelineError(code, 'expected the store to answer'))
  })
  await assert.rejects(carry({ until: 'latest', tables }), { code: 'KD_STORE_UNAVAILABLE' })
  assert.deepEqual([opens, run('events').status.restarts], [3, 2])
})

test('Topics that share a table which was replaced fail, and each goes on with the new table once it is restarted', async () => {
  const uri = join(folder, 'shared')
  const shared = { table: { uri } }
  const { topics, rows, run, carry } = bench({ one: shared, other: shared, good: {} })
  const pairs = ['one', 'other'] as const
  const stopping = new AbortController()
  const running = carry({ until: 'stopped', signal: stopping.signal })
  running.catch(() => undefined)
  for (const name of pairs) topics[name]?.push(records(10))
  await waitFor('the rows', () => pairs.every((name) => rows.get(name) === 10))
  // At once: a checksum may be written meanwhile.
  await rename(uri, `${uri}-dropped`)
  topics['one']?.push(records(1))
  await waitFor('the failure', () => run('one').status.state === 'failed')
  assert.equal(run('one').status.failure?.code, 'KD_TABLE_REPLACED')
  run('one').control.restart()
  // The new table has no offsets, so the topic is read from its beginning.
  await waitFor('all rows of the first topic', () => rows.get('one') === 21)
  assert.equal(run('other').status.state, 'running')
  topics['other']?.push(records(1))
  await waitFor('the failure of the other topic', () => run('other').status.state === 'failed')
  assert.equal(run('other').status.failure?.code, 'KD_TABLE_REPLACED')
  run('other').control.restart()
  await waitFor('all rows of the other topic', () => rows.get('other') === 21)
  stopping.abort()
  await running
  const { txns } = await loadSnapshot(await openStore(uri))
  assert.deepEqual(
    [...txns.values()].map(({ version }) => version),
    [10n, 10n],
  )
})

test('A topic that waits for its restart, and one whose table is opening, end at once when the process stops', async () => {
  const { config, topics, rows, run, carry } = bench({
    good: {},
    slow: {},
    waiting: { restart: { baseMs: 3_600_000, capMs: 3_600_000 } },
  })
  topics['good']?.push(records(10))
  const tables = new TablePool(async (uri) => {
    if (uri.endsWith('waiting'))
      throw new PipelineError('KD_STORE_UNAVAILABLE', 'expected the store to answer', { uri })
    if (uri.endsWith('slow')) {
      await new Promise<never>(() => undefined)
    }
    return openStore(uri, config.storage)
  })
  const stopping = new AbortController()
  const running = carry({ until: 'stopped', signal: stopping.signal, tables })
  running.catch(() => undefined)
  await waitFor('the rows of a topic that needs neither', () => rows.get('good') === 10)
  await waitFor('the failure', () => run('waiting').status.state === 'restarting')
  const { code, atMs = 0, retryAtMs = 0 } = run('waiting').status.failure ?? {}
  assert.equal(code, 'KD_STORE_UNAVAILABLE')
  assert.ok(retryAtMs >= atMs, 'the time of the restart is reported')
  assert.equal(run('slow').status.state, 'opening')
  const flushed = run('slow').control.flush()
  await assert.rejects(run('slow').control.optimize(), { code: 'KD_COMMAND_INVALID' })
  stopping.abort()
  await Promise.all([running, flushed])
  assert.deepEqual([run('waiting').status.state, run('slow').status.state], ['ended', 'ended'])
})

test('A paused topic reads nothing until it is resumed, and still drains when the process stops', async () => {
  const { topics, rows, run, carry } = bench({ paused: {}, other: {} })
  topics['paused']?.push(records(100))
  const stopping = new AbortController()
  const running = carry({ until: 'stopped', signal: stopping.signal })
  running.catch(() => undefined)
  await waitFor('the first rows', () => rows.get('paused') === 100)
  run('paused').control.pause()
  topics['paused']?.push(records(50))
  topics['other']?.push(records(50))
  await waitFor('the rows of the other topic', () => rows.get('other') === 50)
  await waitFor('the batch that waits', () => run('paused').status.inFlight().waiting?.reason === 'paused')
  assert.deepEqual([run('paused').status.state, rows.get('paused')], ['paused', 100])
  run('paused').control.resume()
  await waitFor('the rows of the resumed topic', () => rows.get('paused') === 150)
  run('paused').control.pause()
  topics['paused']?.push(records(50))
  stopping.abort()
  await running
  assert.equal(rows.get('paused'), 150)
})

test('flush commits what is buffered and then resolves, at once when nothing is buffered', async () => {
  const { topics, rows, run, live, carry } = bench({ slow: { flush: { ageMs: 3_600_000 } } })
  const stopping = new AbortController()
  const running = carry({ until: 'stopped', signal: stopping.signal })
  running.catch(() => undefined)
  await waitFor('the pipeline', () => live().length > 0 && run('slow').status.state === 'running')
  await run('slow').control.flush()
  assert.equal(rows.get('slow'), undefined)
  topics['slow']?.push(records(300))
  await waitFor('the buffered batch', () => run('slow').status.inFlight().bufferedBytes > 0)
  await run('slow').control.flush()
  assert.equal(rows.get('slow'), 300)
  assert.deepEqual(run('slow').status.inFlight(), { bufferedBytes: 0, flushes: [] })
  await run('slow').control.optimize()
  stopping.abort()
  await running
})

/** A budget that records the maximum taken. */
class NotedBudget extends Budget {
  peak = 0
  largest = 0

  override noteTaking(member: BudgetMember, bytes: number): void {
    this.peak = Math.max(this.peak, this.taken + bytes)
    this.largest = Math.max(this.largest, bytes)
    super.noteTaking(member, bytes)
  }
}

test('Ten topics in a budget far below their total credit all finish within it, without waiting for the flush age', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `topic-${index}`)
  const flush = { bytes: 1_000_000, ageMs: 3_600_000 }
  const { topics, rows, carry } = bench(Object.fromEntries(names.map((name) => [name, { flush }])))
  for (const topic of Object.values(topics)) topic.push(records(5_000))
  const budget = new NotedBudget(300_000)
  await carry({ budget })
  assert.deepEqual([...new Set(rows.values())], [5_000])
  assert.equal(rows.size, 10)
  // Columns are larger than their records, which is known of a batch only after it was admitted.
  const most = budget.bytesMax + names.length * budget.largest
  assert.ok(budget.peak <= most, `${budget.peak} bytes of ${budget.bytesMax}, a batch has ${budget.largest}`)
  assert.ok(budget.peak > budget.bytesMax / 2, 'the budget is used')
  assert.equal(budget.taken, 0)
})
