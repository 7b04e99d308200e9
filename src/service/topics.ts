import type { Commit } from '../../operators/commit-offsets.ts'
import type { Config } from '../../config/types.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { PipelineError } from '../core/errors.ts'
import { Lane } from '../core/lane.ts'
import { Circuits } from '../resilience/circuits.ts'
import { topicNames } from '../kafka/admin.ts'
import { checkBounds, discover, type NamedTopic } from './discover.ts'
import { openTopicInferring } from './inferred-topic.ts'
import { kafkaOptions } from './kafka-options.ts'
import { Runs } from './runs.ts'
import type { Summary } from './summary.ts'
import { tablesOf } from './target.ts'
import type { TopicOptions, TopicRun } from './topic.ts'
import { keepDiscovering } from './watch-topics.ts'

/** How topics are run. */
export interface RunOptions extends TopicOptions {
  /** Aborting it stops reading; what was read is still flushed and committed. */
  readonly signal?: AbortSignal
  readonly onCommit?: (commit: Commit, topic: TopicRun) => void
  /** Told once, when all tables are open and before anything flows. Topics that patterns find later join the array, those that are deleted leave it. */
  readonly onOpen?: (topics: readonly TopicRun[]) => void
  /** The topics of the cluster, for patterns; by default the brokers are asked. */
  readonly topicNames?: () => Promise<readonly string[]>
  readonly clock?: Clock
  /** Of the servers that topics depend on, those of the process; its own by default. */
  readonly circuits?: Circuits
}

/**
 * Carries all topics of a configuration into their tables until they have caught up (`until: 'latest'`) or `signal` is
 * aborted. One that fails stops the others, which still commit what they hold; its error is thrown once all have ended.
 * Unless `until` is `'latest'`, patterns are matched again and again: topics begin when they appear and end when they are
 * deleted. Resolves to what was carried, by the topic's name.
 */
export async function runTopics(
  config: Config,
  options: RunOptions,
): Promise<Readonly<Record<string, Summary>>> {
  const { log, signal, clock = systemClock } = options
  const list = options.topicNames ?? (() => topicNames(kafkaOptions(config.kafka, log)))
  const hasPatterns = Object.keys(config.patterns).length > 0
  const first = hasPatterns ? discover(config, await list()) : { found: [], beyond: {} }
  checkBounds(config, first)
  const circuits = options.circuits ?? new Circuits(config.circuit, signal === undefined ? {} : { signal })
  const parts = { lane: new Lane(), tables: tablesOf(config, circuits), ...options }
  const open = ({ name, topic }: NamedTopic): Promise<TopicRun> =>
    openTopicInferring(name, config, topic, parts)
  const entries = Object.entries(config.topics).map(([name, topic]) => ({ name, topic }))
  const discovered = new Set(first.found.map(({ name }) => name))
  const runs = new Runs({
    log,
    ...(options.onCommit === undefined ? {} : { onCommit: options.onCommit }),
    isGone: (run, error) => isGone(run, error, discovered, list),
  })
  const stop = (): void => runs.stop()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    await openAll([...entries, ...first.found], open, runs)
    options.onOpen?.(runs.live)
    if (signal?.aborted === true) stop()
    for (const run of [...runs.live]) runs.begin(run)
    if (hasPatterns && options.until === 'stopped')
      await keepDiscovering({ config, runs, discovered, list, open, log, clock })
    await runs.ended()
    return runs.summaries()
  } finally {
    signal?.removeEventListener('abort', stop)
    await runs.close()
  }
}

async function openAll(
  topics: readonly NamedTopic[],
  open: (topic: NamedTopic) => Promise<TopicRun>,
  runs: Runs,
): Promise<void> {
  const opened = await Promise.allSettled(topics.map(open))
  for (const outcome of opened) if (outcome.status === 'fulfilled') runs.add(outcome.value)
  const failure = opened.find((outcome) => outcome.status === 'rejected')
  if (failure !== undefined) throw failure.reason
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
