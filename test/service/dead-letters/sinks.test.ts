// Goal: each mode treats bad records as documented, good records are committed in any case, and letters reach the configured sinks.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import type { DeadLetter } from '../../../src/core/batch.ts'
import { readRowLines } from '../../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { deadLetterOf } from '../../../src/core/dead-letter.ts'
import { openDeadLetters } from '../../../src/service/dead-letters/sinks.ts'
import { createTablePool } from '../../../src/service/table/target.ts'
import { rawOf } from '../../support/flow/batches.ts'
import { runTopics } from '../../../src/service/supervision/run-topics.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { LiveSource, LiveTopic } from '../../support/flow/live-source.ts'

let names = 0

interface Ran {
  readonly commits: readonly PipelineCommit[]
  readonly toTopic: readonly DeadLetter[]
  readonly uri: string
  readonly lines: readonly string[]
}

async function run(deadLetters: object): Promise<Ran> {
  const uri = `memory:modes-${process.pid}-${++names}`
  const topic = new LiveTopic()
  topic.push(['{"v":1}', 'no json', '{"v":2}', '{"v":', '{"v":3}'])
  const commits: PipelineCommit[] = []
  const toTopic: DeadLetter[] = []
  const lines: string[] = []
  const letters = Object.fromEntries(
    Object.entries(deadLetters).map(([key, value]) => [
      key,
      value === 'TABLE' ? `${uri}-letters` : (value as unknown),
    ]),
  )
  const topics = {
    events: {
      topic: 'events',
      table: { uri },
      contract: 'test/fixtures/dead-letters/v.json',
      deadLetters: letters,
    },
  }
  await runTopics(loadConfig({ object: { topics } }), {
    until: 'latest',
    log: createLogger({
      level: 'warn',
      pretty: false,
      destination: { write: (line) => void lines.push(line) },
    }),
    connectors: {
      source: (options) => new LiveSource(topic, options),
      deadLetters: () => ({
        write: (found) => {
          toTopic.push(...found)
          return Promise.resolve({ written: found.length, skipped: 0 })
        },
        close: () => Promise.resolve(),
      }),
    },
    onCommit: (commit) => commits.push(commit),
  })
  return { commits, toTopic, uri, lines }
}

async function countOf(uri: string): Promise<number> {
  const store = new MemoryStore(uri.slice('memory:'.length))
  let count = 0
  for await (const line of readRowLines(store, await loadSnapshot(store))) count += line === '' ? 0 : 1
  return count
}

const total = (
  commits: readonly PipelineCommit[],
  pick: (counts: PipelineCommit['counts']) => number,
): number => commits.reduce((sum, { counts }) => sum + pick(counts), 0)

for (const [deadLetters, inTopic, inTable] of [
  [{}, 2, 0],
  [{ table: 'TABLE' }, 0, 2],
  [{ table: 'TABLE', to: 'both' }, 2, 2],
  [{ mode: 'skip' }, 0, 0],
] as const) {
  test(`With ${JSON.stringify(deadLetters)} good records are committed, and of two bad ones ${inTopic} are in the topic and ${inTable} in the table`, async () => {
    const { commits, toTopic, uri, lines } = await run(deadLetters)
    assert.deepEqual(
      [total(commits, ({ rows }) => rows), total(commits, (counts) => counts.deadLetters)],
      [3, 2],
    )
    assert.equal(await countOf(uri), 3)
    assert.equal(toTopic.length, inTopic)
    if (inTable > 0) assert.equal(await countOf(`${uri}-letters`), inTable)
    assert.ok(
      lines.some((line) => /× decode: expected JSON/.test(line)),
      'the log names the cause',
    )
  })
}

test('The mode stop ends the topic at the first bad record, names its offset and reason, and commits nothing of the flush', async () => {
  await assert.rejects(run({ mode: 'stop' }), {
    code: 'KD_DEAD_LETTER',
    message: /decode: expected JSON.*partition 0, offset 1/,
  })
  assert.equal(await countOf(`memory:modes-${process.pid}-${names}`), 0)
})

test('The counts of two sinks are added', async () => {
  const uri = `memory:modes-${process.pid}-${++names}`
  const config = loadConfig({
    object: {
      topics: {
        events: {
          topic: 'events',
          table: { uri },
          contract: 'test/fixtures/dead-letters/v.json',
          deadLetters: { to: 'both', table: `${uri}-letters` },
        },
      },
    },
  })
  const { events } = config.topics
  assert.ok(events !== undefined)
  const sinks = await openDeadLetters(events, {
    tables: createTablePool(config),
    log: createLogger({ level: 'silent', pretty: false }),
    openTopic: () => ({
      write: (found) => Promise.resolve({ written: 0, skipped: found.length }),
      close: () => Promise.resolve(),
    }),
  })
  const letter = deadLetterOf(rawOf(['no json']), 0, 'decode', 'expected JSON')
  const range = { topic: 'events', partition: 0, follows: undefined, first: 0n, last: 0n }
  assert.deepEqual(await sinks.write([letter], [range]), { written: 1, skipped: 1 })
  await sinks.close()
})
