import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { clusterOptionsOf } from '../../../src/kafka/client/wire-options.ts'
import { joinGroup } from '../../../src/kafka/group/join.ts'
import { openCluster } from '../../../src/kafka/wire/open-cluster.ts'
import { generateUserEvents } from '../../../src/sample/user-events.ts'
import type { ScriptedAnswer, ScriptedRequest } from '../../support/network/scripted-http.ts'

const PAUSE_MS = 200
/** Pause between commits of the other writer: several fall between two of the service. */
const OTHER_COMMIT_MS = 100
const PER_SEND = 40
const BATCH = 1_000
/** Longer than the alert on the age of a table allows. */
const OLD_MS = 20 * 60_000
/** Versions whose checkpoint cannot be written. */
const SEALED_VERSIONS = 400

/** Topics of the service, by their fault. */
export interface WatchedTopics {
  /** Flows, and its small files are packed. */
  readonly good: string
  /** One record in ten is bad. */
  readonly bad: string
  /** Fails for good: too many of its records are bad. */
  readonly refused: string
  /** Its store is not there. */
  readonly down: string
  /** Lags and does not move: its flush is not due before long. */
  readonly stuck: string
  /** Lags, and grows: likewise, while old records go on arriving. */
  readonly late: string
  /** Its table has another writer, which never rests. */
  readonly shared: string
  /** Fails and starts again and again: its store keeps no commit. */
  readonly again: string
  /** Has a table partition for each record. */
  readonly split: string
  /** Its data files are deleted by somebody else, and its checkpoints cannot be written. */
  readonly robbed: string
}

/** The names of the topics of a group. */
export function watchedTopics(group: string): WatchedTopics {
  const name = (fault: string): string => `${group}-${fault}`
  return {
    good: name('good'),
    bad: name('bad'),
    refused: name('refused'),
    down: name('down'),
    stuck: name('stuck'),
    late: name('late'),
    shared: name('shared'),
    again: name('again'),
    split: name('split'),
    robbed: name('robbed'),
  }
}

/** The configuration of a service with all faults. */
export function watchedConfig(
  topics: WatchedTopics,
  at: { brokers: readonly string[]; group: string; port: number; token: string; s3: string; folder: string },
): object {
  const { brokers, group, port, token, s3, folder } = at
  const topic = (fault: keyof WatchedTopics, more: object = {}, table: object = {}): object => ({
    [fault]: {
      topic: topics[fault],
      contract: resolve('schemas/user-events.schema.json'),
      flush: { ageMs: 500 },
      retry: { attempts: 2, baseMs: 10, capMs: 20 },
      table: { uri: join(folder, fault), ...table },
      ...more,
    },
  })
  const never = { flush: { ageMs: 600_000 } }
  return {
    http: { port, stalledMs: 3_000 },
    admin: { enabled: true, token },
    kafka: { brokers, groupId: group, heartbeatMs: 300 },
    onFailure: 'stop-topic',
    circuit: { failures: 2, openMs: 1_000 },
    storage: {
      s3: {
        endpoint: s3,
        region: 'us-east-1',
        forcePathStyle: true,
        accessKeyId: 'nobody',
        secretAccessKey: 'nothing',
      },
    },
    topics: {
      ...topic(
        'good',
        {},
        { optimize: { everyMs: 1_000 }, vacuum: { everyMs: 1_000 }, checkpointInterval: 2 },
      ),
      ...topic('bad'),
      ...topic('refused', { deadLetters: { maxRate: 0.1, maxRateRecordsMin: 10 } }),
      ...topic('down', {}, { uri: 's3://lake/down' }),
      ...topic('stuck', never),
      ...topic('late', never),
      ...topic('shared'),
      ...topic(
        'again',
        { restart: { attempts: 1_000, baseMs: 1_000, capMs: 1_000 } },
        { uri: 's3://broken/again' },
      ),
      ...topic('split', {}, { partitionColumns: ['user_id'] }),
      // The first compaction already finds files gone.
      ...topic('robbed', {}, { optimize: { everyCommits: 4 }, checkpointInterval: 2 }),
    },
  }
}

/** Answers for the bucket `broken`, where nothing is and no write succeeds; all other buckets do not answer. */
export function brokenStore({ method, url }: ScriptedRequest): ScriptedAnswer {
  if (!url.startsWith('/broken')) return 'cut'
  if (method === 'PUT') return { status: 500 }
  if (!url.includes('list-type=2')) return { status: 404 }
  const headers = { 'content-type': 'application/xml' }
  const body = '<ListBucketResult><Name>broken</Name><IsTruncated>false</IsTruncated></ListBucketResult>'
  return { status: 200, headers, body }
}

/** Runs until it is stopped. */
export interface Running {
  /** Resolves once it has ended; rejects with what went wrong. */
  stop(): Promise<void>
}

/** Creates the topics, and begins to fill them; those that need it get records without end. */
export async function startTraffic(brokers: readonly string[], topics: WatchedTopics): Promise<Running> {
  const client = { brokers, clientId: 'watched' }
  await Promise.all(
    Object.values(topics).map((topic: string) => createTopic(client, topic, { partitions: 1 })),
  )
  const { Kafka, logLevel } = kafkajs
  const producer = new Kafka({ ...client, brokers: [...brokers], logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  const send = async (topic: string, count: number, badEvery = 0, atMs = Date.now()): Promise<void> => {
    const timestamp = String(atMs)
    const events = generateUserEvents({ seed: 5, count, ...(badEvery === 0 ? {} : { badEvery }) })
    const all = [...events].map(({ key, value }) => ({ key, value, timestamp }))
    for (let from = 0; from < count; from += BATCH)
      await producer.send({ topic, messages: all.slice(from, from + BATCH) })
  }
  const { good, bad, refused, down, stuck, late, shared, again, split, robbed } = topics
  const oldMs = Date.now() - OLD_MS
  let isFilled = false
  const flow = loop(PAUSE_MS, async () => {
    if (isFilled) {
      await Promise.all([
        send(late, PER_SEND, 0, oldMs),
        ...[good, shared, robbed].map((topic) => send(topic, PER_SEND)),
      ])
      return
    }
    await Promise.all([
      send(bad, 3_000, 10),
      send(refused, 200, 2),
      send(split, 400),
      send(late, 10_500, 0, oldMs),
      ...[down, stuck, again].map((topic) => send(topic, 100)),
    ])
    isFilled = true
  })
  return { stop: () => flow.stop().finally(() => producer.disconnect()) }
}

/** Makes it impossible to write checkpoints of a table that does not exist yet: folders have their names. */
export async function sealCheckpoints(table: string): Promise<void> {
  for (let version = 0; version < SEALED_VERSIONS; version++)
    await mkdir(join(table, '_delta_log', `${padded(version)}.checkpoint.parquet`), { recursive: true })
}

/** Deletes the data files of a table, again and again. */
export function startRobbery(table: string): Running {
  return loop(PAUSE_MS, async () => {
    for (const name of await namesIn(table))
      if (name.endsWith('.parquet')) await rm(join(table, name), { force: true })
  })
}

/** Commits to a table all the time, several versions for each of the service. */
export function startOtherWriter(table: string): Running {
  const log = join(table, '_delta_log')
  return loop(OTHER_COMMIT_MS, async () => {
    const versions = (await namesIn(log)).filter((name) => /^\d{20}\.json$/.test(name)).sort()
    const newest = versions.at(-1)
    if (newest === undefined) return
    const commit = JSON.stringify({ commitInfo: { timestamp: Date.now(), operation: 'ANOTHER' } })
    const path = join(log, `${padded(Number(newest.slice(0, 20)) + 1)}.json`)
    await writeFile(path, commit, { flag: 'wx' }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    })
  })
}

/** A member of the group that joins and leaves without end. It reads nothing. */
export async function startRestlessMember(brokers: readonly string[], groupId: string): Promise<Running> {
  const topic = `${groupId}-restless`
  await createTopic({ brokers, clientId: 'restless' }, topic, { partitions: 1 })
  const cluster = openCluster(clusterOptionsOf({ brokers, clientId: 'restless' }))
  const callbacks = {
    onAssign: () => undefined,
    onRevoke: () => Promise.resolve(),
    onLost: () => undefined,
    onFailure: () => undefined,
  }
  const joining = loop(PAUSE_MS, async (isStopped) => {
    const member = joinGroup({ cluster, groupId, topics: [topic], callbacks, heartbeatMs: 300 })
    while (member.owned().length === 0 && !isStopped()) await sleep(20)
    await member.stop()
  })
  return { stop: () => joining.stop().finally(() => cluster.close()) }
}

/** Runs a step with pauses until it is stopped. */
function loop(pauseMs: number, step: (isStopped: () => boolean) => Promise<void>): Running {
  let isOver = false
  const isStopped = (): boolean => isOver
  const run = async (): Promise<void> => {
    while (!isStopped()) {
      await step(isStopped)
      await sleep(pauseMs)
    }
  }
  const running = run()
  // It is awaited when it is stopped.
  running.catch(() => undefined)
  return {
    stop: () => {
      isOver = true
      return running
    },
  }
}

function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => [])
}

function padded(version: number): string {
  return String(version).padStart(20, '0')
}
