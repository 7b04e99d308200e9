import { loadConfig } from '../../config/load/load.ts'
import type { PipelineCommit } from '../../operators/commit-offsets.ts'
import type { DeadLetter } from '../../src/core/batch.ts'
import type { Circuits } from '../../src/resilience/circuit-registry.ts'
import type { TopicConnectors } from '../../src/service/topic/topic.ts'
import { runTopics } from '../../src/service/supervision/run-topics.ts'
import { createLogger, type Logger } from '../../src/telemetry/log.ts'
import { LiveSource, LiveTopic } from './flow/live-source.ts'

/** What the service is told of the one topic; the rest is as it comes. */
export interface TopicSettings {
  readonly uri: string
  /** Different ones do not know of each other's offsets. */
  readonly appId?: string
  /** Further options of `topics.<name>`. */
  readonly more?: object
  readonly storage?: object
  readonly log?: Logger
  /** URL of a schema registry. */
  readonly registry?: string
  /** Records of a flush; 400 by default, so that 1,000 records are more commits than one. */
  readonly flushCount?: number
  /** Of the servers; its own by default. */
  readonly circuits?: Circuits
}

/** What a run of the service did. */
export interface Carried {
  readonly commits: readonly PipelineCommit[]
  readonly deadLetters: readonly DeadLetter[]
}

/** A service that runs. */
export interface RunningService {
  /** Adds records to its topic. */
  push(records: readonly object[]): void
  /** Resolves when the rows of all records pushed so far are committed; rejects when the service ended. */
  settled(): Promise<void>
  /** Ends it as SIGTERM would. */
  stop(): Promise<Carried>
}

/**
 * Carries these records through the service, from JSON to commit, as a topic of one partition that begins behind `before`
 * earlier ones. Everything but the broker is as in `kafka-delta run`. Rejects with what the service throws.
 */
export function carryRecords(
  records: readonly object[],
  settings: TopicSettings & { readonly before?: number },
): Promise<Carried> {
  return carryValues(records.map(textOf), settings)
}

/** Likewise for values in any format. */
export async function carryValues(
  values: readonly (string | Uint8Array)[],
  settings: TopicSettings & { readonly before?: number },
): Promise<Carried> {
  const topic = new LiveTopic()
  topic.push(Array.from({ length: settings.before ?? 0 }, () => 'read before'))
  topic.push(values)
  const carried: { commits: PipelineCommit[]; deadLetters: DeadLetter[] } = { commits: [], deadLetters: [] }
  await runTopics(configOf(settings), {
    until: 'latest',
    log: settings.log ?? createLogger({ level: 'silent' }),
    connectors: endsOf(topic, carried.deadLetters),
    onCommit: (commit) => carried.commits.push(commit),
  })
  return carried
}

/** Starts the service over a topic that grows. */
export function startService(settings: TopicSettings): RunningService {
  const topic = new LiveTopic()
  const carried: { commits: PipelineCommit[]; deadLetters: DeadLetter[] } = { commits: [], deadLetters: [] }
  const stopping = new AbortController()
  let waiting: (() => void)[] = []
  let done = 0
  const run = runTopics(configOf(settings), {
    until: 'stopped',
    log: createLogger({ level: 'silent' }),
    signal: stopping.signal,
    ...(settings.circuits === undefined ? {} : { circuits: settings.circuits }),
    connectors: endsOf(topic, carried.deadLetters),
    onCommit: (commit) => {
      carried.commits.push(commit)
      done += commit.counts.records
      for (const resolve of waiting.splice(0)) resolve()
    },
  })
  // Whoever waits gets the rejection; so does `stop`.
  run.catch(() => undefined)
  return {
    push: (records) => topic.push(records.map(textOf)),
    settled: async () => {
      while (done < topic.values.length) {
        await Promise.race([
          run.then(() => Promise.reject(new Error('the service ended'))),
          new Promise<void>((resolve) => (waiting = [...waiting, resolve])),
        ])
      }
    },
    stop: async () => {
      stopping.abort()
      await run
      return carried
    },
  }
}

/** Bytes stay as they are. */
function textOf(record: object): string | Uint8Array {
  return record instanceof Uint8Array ? record : JSON.stringify(record)
}

function configOf(settings: TopicSettings): ReturnType<typeof loadConfig> {
  const { uri, appId, flushCount = 400, more = {}, storage, registry } = settings
  return loadConfig({
    object: {
      kafka: { brokers: ['127.0.0.1:1'], groupId: 'interop' },
      ...(storage === undefined ? {} : { storage }),
      ...(registry === undefined ? {} : { schemaRegistry: { url: registry } }),
      topics: {
        events: {
          topic: 'events',
          table: { uri },
          flush: { count: flushCount, ageMs: 200 },
          ...(appId === undefined ? {} : { appId }),
          ...more,
        },
      },
    },
  })
}

function endsOf(topic: LiveTopic, deadLetters: DeadLetter[]): TopicConnectors {
  return {
    source: (options) => new LiveSource(topic, options),
    deadLetters: () => ({
      write: (found) => {
        deadLetters.push(...found)
        return Promise.resolve({ written: found.length, skipped: 0 })
      },
      close: () => Promise.resolve(),
    }),
  }
}
