import { lastValueFrom, tap } from 'rxjs'
import type { Commit } from '../../operators/commit-offsets.ts'
import type { Config } from '../../config/types.ts'
import { Lane } from '../core/lane.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Summary } from './summary.ts'
import { tablesOf } from './target.ts'
import { openTopic, type TopicOptions, type TopicRun } from './topic.ts'

/** How topics are run. */
export interface RunOptions extends TopicOptions {
  /** Aborting it stops reading; what was read is still flushed and committed. */
  readonly signal?: AbortSignal
  readonly onCommit?: (commit: Commit, topic: TopicRun) => void
  /** Told once, when all tables are open and before anything flows. */
  readonly onOpen?: (topics: readonly TopicRun[]) => void
}

/**
 * Carries all topics of a configuration into their tables until they have caught up (`until: 'latest'`) or `signal` is
 * aborted. One that fails stops the others, which still commit what they hold; its error is thrown once all have ended.
 * Resolves to what was carried, by the topic's entry name.
 */
export async function runTopics(
  config: Config,
  options: RunOptions,
): Promise<Readonly<Record<string, Summary>>> {
  const topics = await openAll(config, { lane: new Lane(), tables: tablesOf(config), ...options })
  const stop = (): void => topics.forEach((topic) => topic.stop())
  options.signal?.addEventListener('abort', stop, { once: true })
  try {
    options.onOpen?.(topics)
    if (options.signal?.aborted === true) stop()
    const outcomes = await Promise.allSettled(
      topics.map((topic) =>
        lastValueFrom(topic.commits.pipe(tap((commit) => options.onCommit?.(commit, topic))), {
          defaultValue: undefined,
        }).catch((error: unknown) => {
          stop()
          throw error
        }),
      ),
    )
    const failure = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failure !== undefined) throw failure.reason
    return Object.fromEntries(topics.map((topic) => [topic.name, topic.summary()]))
  } finally {
    options.signal?.removeEventListener('abort', stop)
    await closeAll(topics, options.log)
  }
}

async function openAll(config: Config, options: RunOptions): Promise<readonly TopicRun[]> {
  const entries = Object.entries(config.topics)
  const opened = await Promise.allSettled(
    entries.map(([name, topic]) => openTopic(name, config, topic, options)),
  )
  const topics = opened.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const failure = opened.find((outcome) => outcome.status === 'rejected')
  if (failure === undefined) return topics
  await closeAll(topics, options.log)
  throw failure.reason
}

async function closeAll(topics: readonly TopicRun[], log: Logger): Promise<void> {
  const closed = await Promise.allSettled(topics.map((topic) => topic.close()))
  for (const outcome of closed)
    if (outcome.status === 'rejected') log.warn({ err: outcome.reason as unknown }, 'Could not close cleanly')
}
