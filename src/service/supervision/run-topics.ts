import type { Commit } from '../../../operators/commit-offsets.ts'
import type { Config } from '../../../config/types.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { Lane } from '../../core/serial-queue.ts'
import { Circuits } from '../../resilience/circuits.ts'
import { Retries, RETRY, type RetryPatience } from '../../resilience/retries.ts'
import { topicNames } from '../../kafka/client/admin.ts'
import { checkBounds, discover, type NamedTopic } from './discover.ts'
import { openTopicInferring } from '../inference/inferred-topic.ts'
import { kafkaOptions } from '../connections/kafka-options.ts'
import { budgetOf } from './process-memory.ts'
import { Runs } from './topic-set.ts'
import type { Summary } from '../topic/summary.ts'
import { SupervisedTopic } from './supervised-topic.ts'
import { tablesOf } from '../table/target.ts'
import type { TopicOptions, TopicRun } from '../topic/topic.ts'
import { keepDiscovering } from './watch-topics.ts'

/** How topics are run. */
export interface RunOptions extends TopicOptions {
  /** Aborting it stops reading; what was read is still flushed and committed. */
  readonly signal?: AbortSignal
  /** Told of each commit, of whatever topic. */
  readonly onCommit?: (commit: Commit, topic: TopicRun) => void
  /**
   * Told once, before any table is open, of all topics that are carried, each opening its table. Topics that patterns find
   * later join the array, those that are deleted leave it, and those that fail stay.
   */
  readonly onOpen?: (topics: readonly TopicRun[]) => void
  /** Told once, when reading stops everywhere for whatever reason: what was read is still committed. */
  readonly onStopping?: () => void
  /** The topics of the cluster, for patterns; by default the brokers are asked. */
  readonly topicNames?: () => Promise<readonly string[]>
  readonly clock?: Clock
  /** Of the servers that topics depend on, those of the process; its own by default. */
  readonly circuits?: Circuits
}

/**
 * Carries all topics of a configuration into their tables until they have caught up (`until: 'latest'`) or `signal` is
 * aborted. Each is opened by itself, so that none waits for another. One that fails with what a retry may fix is begun
 * again; one that fails for good leaves the others alone or stops them, which commit what they hold then, as `onFailure`
 * says. The error of the first that failed is thrown once none is carried any more. Unless `until` is `'latest'`, patterns
 * are matched again and again: topics begin when they appear and end when they are deleted. Resolves to what was carried, by
 * the topic's name.
 */
export async function runTopics(
  config: Config,
  options: RunOptions,
): Promise<Readonly<Record<string, Summary>>> {
  const { log, signal, clock = systemClock } = options
  const list = options.topicNames ?? (() => topicNames(kafkaOptions(config.kafka, log)))
  const hasPatterns = Object.keys(config.patterns).length > 0
  const first = hasPatterns ? discover(config, await asked(list, clock)) : { found: [], beyond: {} }
  checkBounds(config, first)
  const discovered = new Set(first.found.map(({ name }) => name))
  const entries = Object.entries(config.topics).map(([name, topic]) => ({ name, topic }))
  const topics = [...entries, ...first.found]
  const parts = partsOf(config, options, topics.length)
  const supervised = ({ name, topic }: NamedTopic): SupervisedTopic =>
    new SupervisedTopic(name, topic, {
      open: () => openTopicInferring(name, config, topic, parts),
      isGone: (run, error) => isGone(run, error, discovered, list),
      log,
      clock,
    })
  const runs = new Runs({
    log,
    onFailure: config.onFailure,
    ...(options.onCommit === undefined ? {} : { onCommit: options.onCommit }),
  })
  const stop = (): void => runs.stop()
  runs.stopping.addEventListener('abort', () => options.onStopping?.(), { once: true })
  signal?.addEventListener('abort', stop, { once: true })
  try {
    for (const topic of topics) runs.add(supervised(topic))
    options.onOpen?.(runs.live)
    if (signal?.aborted === true) stop()
    for (const run of [...runs.live]) runs.begin(run)
    if (hasPatterns && options.until === 'stopped')
      await keepDiscovering({ config, runs, discovered, list, supervised, log, clock })
    await runs.ended()
    return runs.summaries()
  } finally {
    signal?.removeEventListener('abort', stop)
    await runs.close()
  }
}

/** Each time that nobody answers takes as long as the brokers are waited for: a few minutes in all. */
const ASKED: RetryPatience = { ...RETRY, deadlineMs: 600_000 }

/** What the brokers are asked for at the start, where nothing works without it. */
function asked<T>(ask: () => Promise<T>, clock: Clock): Promise<T> {
  return new Retries(ASKED, undefined, clock).run(ask)
}

/** What all topics of the process share. */
function partsOf(config: Config, options: RunOptions, topics: number): TopicOptions {
  const { signal, budget = budgetOf(config) } = options
  budget.expect(topics)
  const circuits = options.circuits ?? new Circuits(config.circuit, signal === undefined ? {} : { signal })
  return { lane: new Lane(), tables: tablesOf(config, circuits), ...options, budget }
}

/** Whether a topic that a pattern found is no longer there. Brokers that do not answer say nothing of it. */
async function isGone(
  run: TopicRun,
  error: unknown,
  discovered: ReadonlySet<string>,
  list: () => Promise<readonly string[]>,
): Promise<boolean> {
  if (!discovered.has(run.name)) return false
  if (error instanceof PipelineError && error.code === 'KD_TOPIC_MISSING') return true
  const names = await list().catch(() => undefined)
  return names !== undefined && !names.includes(run.topic)
}
