// Goal: topics that worker threads decode lose nothing and write nothing twice, also when a thread ends.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { runTopics } from '../../../src/service/supervision/run-topics.ts'
import { openWorkerThreads } from '../../../src/service/supervision/worker-threads.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import type { Threads, ThreadsOptions } from '../../../src/threads/threads.ts'
import { LiveSource, LiveTopic } from '../../support/flow/live-source.ts'
import { openTestThreads } from '../../support/threads/open-threads.ts'

const RECORDS = 20_000

let folder = ''
let contract = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kafka-delta-workers-'))
  contract = join(folder, 'contract.json')
  await writeFile(contract, '{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}}}')
})
after(() => rm(folder, { recursive: true, force: true }))

/** A process with one topic and threads of this program. */
interface Bench {
  readonly topic: LiveTopic
  readonly lines: string[]
  /** Batches that threads were asked for, and pools that were closed. */
  readonly counts: { asked: number; closed: number }
  readonly carry: (more?: { until: 'stopped'; signal: AbortSignal }) => Promise<unknown>
  readonly tableRows: () => Promise<number>
}

function bench(name: string, program: Partial<ThreadsOptions> = {}): Bench {
  const topic = new LiveTopic()
  const uri = join(folder, name)
  const lines: string[] = []
  const counts = { asked: 0, closed: 0 }
  const config = loadConfig({
    object: {
      kafka: { brokers: ['127.0.0.1:1'] },
      workers: 2,
      topics: { a: { contract, table: { uri }, flush: { ageMs: 50 } } },
    },
  })
  const log = createLogger({
    level: 'info',
    pretty: false,
    destination: { write: (line) => void lines.push(line) },
  })
  const openThreads = async (): Promise<Threads> => {
    const threads = await openTestThreads({ workers: config.workers, ...program })
    return {
      ...threads,
      columns: {
        readColumns: (...args) => {
          const reading = threads.columns.readColumns(...args)
          if (reading !== undefined) counts.asked++
          return reading
        },
      },
      close: () => {
        counts.closed++
        return threads.close()
      },
    }
  }
  return {
    topic,
    lines,
    counts,
    carry: (more) =>
      runTopics(config, {
        until: 'latest',
        log,
        openThreads,
        connectors: {
          source: (options) => new LiveSource(topic, options),
          deadLetters: () => ({
            write: (found) => Promise.resolve({ written: found.length, skipped: 0 }),
            close: () => Promise.resolve(),
          }),
        },
        ...more,
      }),
    tableRows: async () => {
      const snapshot = await loadSnapshot(await openStore(uri))
      let rows = 0
      for await (const { stats } of snapshot.files())
        rows += (JSON.parse(stats ?? '{}') as { numRecords: number }).numRecords
      return rows
    },
  }
}

/** White space fills the records, so that batches are large enough for threads. */
const records = (first: number): string[] =>
  Array.from({ length: RECORDS }, (_, i) => `{"id":${first + i}${' '.repeat(60)}}`)

test('threads decode the batches of a topic, and end with the process', async () => {
  const { topic, counts, carry, tableRows } = bench('whole')
  topic.push(records(0))
  await carry()
  assert.equal(await tableRows(), RECORDS)
  assert.ok(counts.asked > 10, `${counts.asked} batches`)
  assert.equal(counts.closed, 1)
})

test('what threads hold at a stop is committed', async () => {
  const { topic, counts, carry, tableRows } = bench('stopped')
  const stopping = new AbortController()
  const running = carry({ until: 'stopped', signal: stopping.signal })
  topic.push(records(0))
  while (counts.asked < 4) await new Promise((resolve) => setTimeout(resolve, 1))
  stopping.abort()
  await running
  const rows = await tableRows()
  assert.ok(rows >= 4 * 400, `${rows} rows`)
  assert.equal(rows % 400, 0, 'whole batches')
})

test('when a thread ends, the topic is restarted, and every record is in the table once', async () => {
  process.env['KD_TEST_DIED'] = join(folder, 'died')
  const program = new URL('../../support/threads/dying-once-program.mjs', import.meta.url)
  const { topic, lines, carry, tableRows } = bench('restarted', { program })
  topic.push(records(0))
  await carry()
  assert.ok(
    lines.some((line) => line.includes('KD_WORKER_FAILED')),
    'the error is logged',
  )
  assert.equal(await tableRows(), RECORDS)
})

test('no threads are started without the option', async () => {
  assert.equal(await openWorkerThreads({ workers: 0 }, { warn: () => assert.fail() }), undefined)
})
