// Goal: the console of a running service answers from the table, the group and the events, over HTTP as a page reads it.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadConfig } from '../../config/load/load.ts'
import type { Config } from '../../config/types.ts'
import type { ConsoleSnapshot } from '../../src/console/snapshot.ts'
import { startEmbeddedKafka } from '../../src/embedded-kafka/embedded-kafka.ts'
import { createTopic } from '../../src/kafka/client/admin.ts'
import { openSender } from '../../src/kafka/produce/sender.ts'
import { findFreePorts } from '../../src/local-servers/process.ts'
import { Observability } from '../../src/service/process/observability.ts'
import { runTopics } from '../../src/service/supervision/run-topics.ts'
import { createLogger } from '../../src/telemetry/log.ts'

const TOKEN = 'a-token-for-this-test'
const kafka = await startEmbeddedKafka()
const folder = await mkdtemp(join(tmpdir(), 'console-'))
after(async () => {
  await kafka.stop()
  await rm(folder, { recursive: true, force: true })
})
const log = createLogger({ level: 'silent' })
const client = { brokers: kafka.brokers, clientId: 'test' }

async function configured(protocol: 'classic' | 'consumer', more: object = {}): Promise<Config> {
  const topic = `orders-${protocol}`
  await createTopic(client, topic, { partitions: 2 })
  const sender = await openSender({ ...client, topic })
  const values = ['{"id":1}', '{"id":2}', '{"id":"three"}', '{"id":4}']
  for (const value of values) sender.append({ key: null, value: Buffer.from(value) })
  await sender.flush()
  await sender.close()
  const [port = 0] = await findFreePorts(1)
  const name = `${topic}.schema.json`
  const { writeFile } = await import('node:fs/promises')
  const contract = join(folder, name)
  await writeFile(contract, JSON.stringify({ type: 'object', properties: { id: { type: 'integer' } } }))
  return loadConfig({
    object: {
      kafka: {
        brokers: kafka.brokers,
        groupId: `group-${protocol}`,
        groupProtocol: protocol,
        heartbeatMs: 200,
      },
      http: { port },
      admin: { enabled: true, token: TOKEN },
      ...more,
      topics: {
        orders: {
          topic,
          contract,
          table: { uri: join(folder, topic) },
          flush: { ageMs: 100 },
          deadLetters: { mode: 'dlq', table: join(folder, `${topic}-dlq`) },
        },
      },
    },
  })
}

/** Runs a service until `use` has ended, and returns what it returns. */
async function withService(config: Config, use: (url: string) => Promise<void>): Promise<void> {
  const stopping = new AbortController()
  const observability = await Observability.open(config, log, { configFiles: ['my service.json'] })
  await observability.listen()
  const run = runTopics(config, {
    ...{ until: 'stopped', log, signal: stopping.signal },
    observe: (topic) => observability.observe(topic),
    onOpen: (topics) => observability.setTopics(topics),
  })
  try {
    await use(`http://127.0.0.1:${config.http.port ?? 0}`)
  } finally {
    stopping.abort()
    await run
    await observability.close()
  }
}

/** Follows the stream until a snapshot satisfies `isDone`, as a page does: with fetch, so that it can send the token. */
async function snapshotUntil(
  url: string,
  isDone: (snapshot: ConsoleSnapshot) => boolean,
): Promise<ConsoleSnapshot> {
  const response = await fetch(`${url}/console/events?topic=orders`, {
    headers: { authorization: `Bearer ${TOKEN}` },
    signal: AbortSignal.timeout(300_000),
  })
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const data = event.startsWith('event: snapshot\ndata: ') ? event.slice(22) : undefined
      const snapshot = data === undefined ? undefined : (JSON.parse(data) as ConsoleSnapshot)
      if (snapshot !== undefined && isDone(snapshot)) return snapshot
    }
  }
  throw new Error('the stream ended')
}

/** Resolves when this many records are committed, by the status, which asks nothing of the console. */
async function carried(url: string, records: number): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/status`)
    const { topics } = (await response.json()) as {
      readonly topics?: Readonly<Record<string, { readonly counts: { readonly records: number } }>>
    }
    if (topics?.['orders']?.counts.records === records) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

for (const protocol of ['classic', 'consumer'] as const)
  test(`A stream of a running service shows commits, dead letters, members and the table (${protocol})`, async () => {
    await withService(await configured(protocol), async (url) => {
      // A table is looked at once a minute: nobody looks before everything is in it.
      await carried(url, 4)
      const { headline, topics, detail, hasAdmin, memory } = await snapshotUntil(
        url,
        ({ topics: [first], detail: shown }) =>
          first?.lag === 0 &&
          first.lagSeries.values.length > 0 &&
          shown !== null &&
          shown.rows + shown.deadLetters === 4 &&
          shown.tableHealth !== null &&
          BigInt(shown.tableHealth.version) > 0n &&
          shown.group.members?.some(({ isSelf }) => isSelf) === true,
      )
      assert.equal(headline.sentence, 'healthy: 1 topic runs')
      assert.deepEqual([topics.length, topics[0]?.topic, hasAdmin], [1, `orders-${protocol}`, true])
      assert.ok(memory.rssBytes > memory.heapBytes / 2 && memory.heapBytesMax > 0)
      assert.deepEqual([detail?.rows, detail?.deadLetters], [3, 1])
      const [group, ...others] = detail?.deadLetterGroups ?? []
      assert.equal(others.length, 0)
      assert.deepEqual([group?.reason, group?.count], ['contract', 1])
      assert.match(
        group?.replayCommand ?? '',
        /^kafka-delta dlq replay --config 'my service\.json' --topic-entry orders --group [0-9a-f]{8}$/,
      )
      assert.deepEqual(
        detail?.partitions.map(({ partition, lag, next, end }) => [partition, lag, next === end]),
        [
          [0, 0, true],
          [1, 0, true],
        ],
      )
      const self = detail.group.members?.find(({ isSelf }) => isSelf)
      assert.deepEqual(
        [self?.partitions, detail.group.assigned],
        [
          [0, 1],
          [0, 1],
        ],
      )
      assert.ok(
        detail.group.events.some(({ kind, text }) => kind === 'assigned' && /^2 partitions: 0, 1/.test(text)),
      )
      const rows = detail.commits.reduce((sum, commit) => sum + commit.rows, 0)
      assert.equal(rows, 3)
      assert.match(detail.commits[0]?.by ?? '', /^STREAMING UPDATE by kafka-delta/)
      assert.ok(detail.flushes.every(({ outcome, stages }) => outcome === 'committed' && stages.length > 3))
      const { files = 0, sizes = [], smallShare, checkpointVersion } = detail.tableHealth ?? {}
      assert.ok(files > 0)
      assert.equal(
        sizes.reduce((sum, each) => sum + each.files, 0),
        files,
      )
      assert.deepEqual([smallShare, checkpointVersion], [1, null])
    })
  })
