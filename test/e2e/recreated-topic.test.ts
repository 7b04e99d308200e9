// Goal: offsets of a topic are never used for another topic of the same name, nor a table for another table.
// Method: topics of the real broker that are deleted and created again, between two runs and during one; tables with the id
// of the topic and tables from before it was stored.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadConfig } from '../../config/load/load.ts'
import { topicIdAppIdOf } from '../../operators/commit-delta.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { readRowLines } from '../../src/delta/rewrite/row-lines.ts'
import { createTopic } from '../../src/kafka/client/admin.ts'
import { hasLeaders, topicExists } from '../../src/kafka/client/topic-metadata.ts'
import { runTopics } from '../../src/service/supervision/run-topics.ts'
import { openStore } from '../../src/storage/open/open.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { eventually } from '../kafka/reading.ts'
import { testTopic, type TestTopic } from '../kafka/topic.ts'

const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-recreated-'))
after(() => rm(folder, { recursive: true, force: true }))

const contract = join(folder, 'contract.json')
await writeFile(contract, '{"type":"object","properties":{"id":{"type":"integer"}}}')

interface Case {
  readonly topic: TestTopic
  readonly uri: string
  readonly appId: string
  readonly warnings: string[]
  /** Carries the topic into its table until it has caught up, or until `signal` is aborted. */
  readonly run: (options?: object, signal?: AbortSignal, groupId?: string) => Promise<unknown>
  readonly ids: () => Promise<number[]>
}

async function newCase(partitions = 1): Promise<Case> {
  const topic = await testTopic(partitions)
  const uri = join(folder, topic.topic)
  const warnings: string[] = []
  const log = createLogger({
    level: 'warn',
    pretty: false,
    destination: { write: (line) => void warnings.push(line) },
  })
  return {
    topic,
    uri,
    appId: 'recreated',
    warnings,
    run: (options = {}, signal, groupId = topic.topic) => {
      const entry = { topic: topic.topic, appId: 'recreated', contract, table: { uri }, ...options }
      const kafka = {
        brokers: topic.brokers,
        groupId,
        sessionTimeoutMs: 6_000,
        heartbeatMs: 300,
      }
      const config = loadConfig({ object: { kafka, topics: { t: { flush: { ageMs: 200 }, ...entry } } } })
      return signal === undefined
        ? runTopics(config, { until: 'latest', log })
        : runTopics(config, { until: 'stopped', log, signal })
    },
    ids: async () => {
      const store = await openStore(uri, {})
      const ids: number[] = []
      for await (const lines of readRowLines(store, await loadSnapshot(store)))
        for (const line of lines.split('\n'))
          if (line !== '') ids.push((JSON.parse(line) as { id: number }).id)
      await store.close()
      return ids.sort((a, b) => a - b)
    },
  }
}

async function fill({ produce }: TestTopic, from: number, count: number, partition = 0): Promise<void> {
  if (count === 0) return
  await produce(Array.from({ length: count }, (_, index) => ({ partition, value: `{"id":${from + index}}` })))
}

async function recreate({ brokers, topic, admin }: TestTopic): Promise<void> {
  await admin.deleteTopics({ topics: [topic] })
  await eventually(async () => !(await topicExists(admin, topic)), 'the deletion')
  await createTopic({ brokers, clientId: 'test' }, topic, { partitions: 1 })
  await eventually(() => hasLeaders(admin, topic), 'leaders')
}

test('A topic that was created again stops at its former offset; acceptTopicId continues there, another appId from the start', async () => {
  const { topic, run, ids, warnings } = await newCase()
  await fill(topic, 0, 5)
  await run()
  assert.deepEqual(warnings, [])
  await recreate(topic)
  await fill(topic, 10, 8)
  const vanished = { code: 'KD_OFFSETS_VANISHED', message: /created again.*appId.*acceptTopicId/ }
  await assert.rejects(run(), vanished)
  assert.deepEqual(await ids(), [0, 1, 2, 3, 4])
  await run({ acceptTopicId: true })
  assert.match(warnings.join('\n'), /Remove acceptTopicId now/)
  await run()
  assert.deepEqual(await ids(), [0, 1, 2, 3, 4, 15, 16, 17])
  await run({ appId: 'another' })
  assert.match(
    warnings.join('\n'),
    /already holds this topic under the appId \\"recreated\\".*under \\"another\\"/,
  )
  assert.deepEqual(await ids(), [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 15, 16, 16, 17, 17])
})

test('Two workers at first sight of a table without an id take it, also without new records', async () => {
  const { topic, uri, run, ids, appId } = await newCase(2)
  await fill(topic, 0, 3, 0)
  await fill(topic, 10, 3, 1)
  await run()
  const commits = await forgetTopicId(uri, appId)
  assert.equal(await storedId(uri, appId), undefined)
  await Promise.all([run(), run()])
  const id = await storedId(uri, appId)
  assert.ok(id !== undefined)
  assert.ok((await versionOf(uri)) <= commits + 2n)
  assert.deepEqual(await ids(), [0, 1, 2, 10, 11, 12])
})

test('A topic that is created again while it is read stops, and stays stopped at the next start', async () => {
  const { topic, run, ids } = await newCase()
  await fill(topic, 0, 5)
  const stop = new AbortController()
  const running = run({}, stop.signal)
  running.catch(() => undefined)
  await eventually(async () => (await ids().catch(() => [])).length === 5, 'the first rows')
  await recreate(topic)
  await fill(topic, 10, 8)
  await assert.rejects(running, { code: 'KD_OFFSETS_VANISHED' })
  await assert.rejects(run(), { code: 'KD_OFFSETS_VANISHED' })
  assert.deepEqual(await ids(), [0, 1, 2, 3, 4])
})

test('A second appId is refused before a record is read, or writes beside the first one at the same time', async () => {
  const { topic, uri, run, ids, warnings } = await newCase()
  await fill(topic, 0, 3)
  await run()
  const version = await versionOf(uri)
  const second = (options: object): Promise<unknown> =>
    run({ appId: 'second', ...options }, undefined, `${topic.topic}-second`)
  const refused = { code: 'KD_CONFIG_INVALID', message: /onSecondAppId: .*"recreated".*"second"/ }
  await assert.rejects(second({ onSecondAppId: 'refuse' }), refused)
  assert.equal(await versionOf(uri), version)
  await fill(topic, 3, 2)
  await Promise.all([run({ onSecondAppId: 'allow' }), second({ onSecondAppId: 'allow' })])
  assert.doesNotMatch(warnings.join('\n'), /under the appId/)
  assert.deepEqual(await ids(), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
  await fill(topic, 5, 1)
  await Promise.all([run(), second({})])
  assert.match(warnings.join('\n'), /already holds this topic under the appId/)
  assert.deepEqual((await ids()).slice(-2), [5, 5])
})

test('A table that is deleted while it is written is not written again; the next start reads the topic from startFrom', async () => {
  const { topic, uri, run, ids } = await newCase()
  await fill(topic, 0, 5)
  const stop = new AbortController()
  const running = run({}, stop.signal)
  running.catch(() => undefined)
  const groupOffset = async (): Promise<string | undefined> =>
    (await topic.admin.fetchOffsets({ groupId: topic.topic, topics: [topic.topic] }))[0]?.partitions[0]
      ?.offset
  await eventually(async () => (await groupOffset()) === '5', 'the first rows')
  await rm(uri, { recursive: true })
  await fill(topic, 5, 3)
  await assert.rejects(running, { code: 'KD_TABLE_REPLACED' })
  assert.equal(await groupOffset(), '5')
  const left = await readdir(uri, { recursive: true, withFileTypes: true })
  assert.deepEqual(
    left.filter((entry) => entry.isFile()).map(({ name }) => name),
    [],
  )
  await run()
  assert.deepEqual(await ids(), [0, 1, 2, 3, 4, 5, 6, 7])
})

/** Makes a table one from before ids were stored; returns its version. */
async function forgetTopicId(uri: string, appId: string): Promise<bigint> {
  const newest = await versionOf(uri)
  for (let version = 0n; version <= newest; version++) {
    const path = join(uri, '_delta_log', `${String(version).padStart(20, '0')}.json`)
    const lines = (await readFile(path, 'utf8')).split('\n')
    await writeFile(path, lines.filter((line) => !line.includes(topicIdAppIdOf(appId))).join('\n'))
  }
  return newest
}

async function versionOf(uri: string): Promise<bigint> {
  const store = await openStore(uri, {})
  const { version } = await loadSnapshot(store)
  await store.close()
  return version
}

async function storedId(uri: string, appId: string): Promise<bigint | undefined> {
  const store = await openStore(uri, {})
  const { txns } = await loadSnapshot(store)
  await store.close()
  return txns.get(topicIdAppIdOf(appId))?.version
}
